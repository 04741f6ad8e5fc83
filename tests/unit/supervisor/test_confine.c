/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <string.h>

#include <seccomp.h>

#include "ipc/message.h"
#include "supervisor/confine_support.h"
#include "supervisor/confine_table.h"

static void every_kind_has_a_row(void **state) {
	(void)state;
	for (int kind = 0; kind < PEER_KINDS; kind++) {
		if (kind != PEER_SUPERVISOR && kind != PEER_HOLDER) {
			assert_non_null(confine_find(ipc_peer_name((enum ipc_peer)kind)));
		}
	}
	assert_null(confine_find("supervisor"));
	assert_null(confine_find(""));
}

static bool lists(const char *const *calls, const char *call) {
	while (*calls && strcmp(*calls, call) != 0) {
		calls++;
	}
	return *calls != NULL;
}

static bool may(const struct confine_row *row, const char *call) {
	bool found = false;
	for (unsigned group = 0; group < CALLS_GROUPS; group++) {
		found |= row->calls & 1u << group && lists(confine_groups[group].calls, call);
	}
	return found;
}

static bool may_make_sockets(const struct confine_row *row, uint32_t family) {
	bool found = false;
	for (size_t i = 0; i < confine_conditions_count; i++) {
		const struct confine_condition *condition = &confine_conditions[i];
		found |= row->calls & 1u << condition->group &&
			 strcmp(condition->call, "socket") == 0 && condition->value == family;
	}
	return found;
}

/* What the network reaches neither opens, starts nor connects anything. */
static void network_processes_have_nothing(void **state) {
	(void)state;
	static const char *const names[] = { "gate", "web", "stream" };
	static const char *const calls[] = { "openat", "open", "execve", "fork", "vfork", "clone",
		"clone3", "listen", "ptrace", "unlink", "rename", "mount", "kill" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct confine_row *row = confine_find(names[i]);
		for (size_t j = 0; j < ARRAY_LEN(calls); j++) {
			assert_false(may(row, calls[j]));
		}
		assert_false(may_make_sockets(row, 1));
		assert_true(row->limits.alone);
		for (size_t j = 0; j < CONFINE_RULES_MAX && row->rules[j].path; j++) {
			assert_true(row->rules[j].starting);
		}
	}
	assert_false(may(confine_find("stream"), "connect"));
	assert_false(may_make_sockets(confine_find("stream"), 2));
}

static void only_the_store_gets_at_the_state(void **state) {
	(void)state;
	for (size_t i = 0; i < confine_rows_count; i++) {
		const struct confine_row *row = &confine_rows[i];
		for (size_t j = 0; j < CONFINE_RULES_MAX && row->rules[j].path; j++) {
			if (strcmp(row->rules[j].path, "@state") == 0) {
				assert_string_equal(row->name, "store");
			}
		}
	}
}

static void nobody_writes_where_it_may_execute(void **state) {
	(void)state;
	for (size_t i = 0; i < confine_rows_count; i++) {
		const struct confine_row *row = &confine_rows[i];
		for (size_t j = 0; j < CONFINE_RULES_MAX && row->rules[j].path; j++) {
			uint8_t access = row->rules[j].access;
			assert_false(access & ACCESS_EXECUTE &&
					access & (ACCESS_WRITE | ACCESS_OWN | ACCESS_SCRATCH));
		}
		assert_true(row->may_gain == (row->refusal == REFUSE_NOTHING));
	}
}

/* A name with a typing error would be skipped without a word. */
static void every_call_is_one(void **state) {
	(void)state;
	for (unsigned group = 0; group < CALLS_GROUPS; group++) {
		assert_non_null(confine_groups[group].name);
		for (const char *const *call = confine_groups[group].calls; *call; call++) {
			if (seccomp_syscall_resolve_name(*call) == __NR_SCMP_ERROR) {
				print_error("no such call: %s\n", *call);
				assert_true(strncmp(*call, "futex_", 6) == 0);
			}
		}
	}
	for (size_t i = 0; i < confine_conditions_count; i++) {
		assert_int_not_equal(seccomp_syscall_resolve_name(confine_conditions[i].call),
				__NR_SCMP_ERROR);
	}
}

static void what_is_missing_is_said_in_words(void **state) {
	(void)state;
	struct confine_support support = { .landlock = 7, .seccomp = true, .veils = true };
	confine_support_say(&support);
	assert_string_equal(support.missing, "");
	support = (struct confine_support){ .landlock = 3, .seccomp = true, .veils = true };
	confine_support_say(&support);
	assert_non_null(strstr(support.missing, "does not close TCP"));
	assert_null(strstr(support.missing, "seccomp"));
	support = (struct confine_support){ 0 };
	confine_support_say(&support);
	assert_non_null(strstr(support.missing, "no Landlock"));
	assert_non_null(strstr(support.missing, "no mount namespaces"));
	assert_non_null(strstr(support.missing, "no seccomp"));
	assert_true(strlen(support.missing) < sizeof(support.missing) - 1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(every_kind_has_a_row),
		UNIT(network_processes_have_nothing),
		UNIT(only_the_store_gets_at_the_state),
		UNIT(nobody_writes_where_it_may_execute),
		UNIT(every_call_is_one),
		UNIT(what_is_missing_is_said_in_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
