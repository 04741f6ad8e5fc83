/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <signal.h>

#include "supervisor/incidents.h"

static void the_last_are_kept_and_all_are_counted(void **state) {
	(void)state;
	static struct incidents incidents; /* too big for a stack */
	struct incident incident = { .kind = PEER_STREAM, .reason = REASON_WORKER_HUNG };
	for (uint32_t i = 1; i <= INCIDENTS_KEPT + 10; i++) {
		incident.pid = (pid_t)i;
		assert_int_equal(incidents_add(&incidents, &incident)->number, i);
	}
	assert_null(incidents_find(&incidents, 0));
	assert_null(incidents_find(&incidents, 10));
	assert_null(incidents_find(&incidents, INCIDENTS_KEPT + 11));
	assert_int_equal(incidents_find(&incidents, 11)->pid, 11);
	assert_int_equal(incidents_find(&incidents, INCIDENTS_KEPT + 10)->pid, INCIDENTS_KEPT + 10);
	assert_int_equal(incidents_count(&incidents, PEER_STREAM, REASON_WORKER_HUNG),
			INCIDENTS_KEPT + 10);
	assert_int_equal(incidents_count(&incidents, PEER_GATE, REASON_WORKER_HUNG), 0);
	assert_int_equal(incidents_count(&incidents, PEER_KINDS, REASON_WORKER_HUNG), 0);
	assert_int_equal(incidents_count(&incidents, PEER_GATE, 9999), 0);
}

static void what_it_was_is_told_by_its_end(void **state) {
	(void)state;
	static const struct {
		bool fenced, written_off, crashed;
		uint32_t reason;
		int status;
		enum incident_what what;
	} rows[] = {
		{ true, false, false, REASON_WORKER_HUNG, 0, INCIDENT_HUNG },
		{ true, false, false, REASON_CHANNEL_STUCK, 0, INCIDENT_HUNG },
		{ true, false, false, REASON_WORKER_LIED, 0, INCIDENT_LIED },
		{ true, false, false, REASON_START_OVERDUE, 0, INCIDENT_LATE },
		{ true, false, false, REASON_RESOURCES, 0, INCIDENT_SHORT },
		{ true, false, true, REASON_STREAM_DIED, 0, INCIDENT_CRASHED },
		{ true, true, false, REASON_WORKER_HUNG, 0, INCIDENT_WRITTEN_OFF },
		{ false, false, false, REASON_STREAM_DIED, SIGKILL, INCIDENT_KILLED },
		{ false, false, false, REASON_STREAM_DIED, SIGSEGV, INCIDENT_CRASHED },
		{ false, false, false, REASON_STREAM_DIED, SIGSYS, INCIDENT_CRASHED },
		{ false, false, false, REASON_STREAM_DIED, 70 << 8, INCIDENT_ENDED },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(incident_judge(rows[i].fenced, rows[i].written_off,
						 rows[i].crashed, rows[i].reason, rows[i].status),
				rows[i].what);
		assert_non_null(incident_what_name(rows[i].what));
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(the_last_are_kept_and_all_are_counted),
		UNIT(what_it_was_is_told_by_its_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
