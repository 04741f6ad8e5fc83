/* SPDX-License-Identifier: MIT */
#include "../folder.h"
#include "../unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "supervisor/child.h"
#include "supervisor/evidence.h"

/* Real children; instead of perigee-autopsy a script that a test writes, which sees the
 * same arguments and descriptors. */
struct rig {
	struct nursery nursery;
	struct journal journal;
	struct evidence evidence;
	struct child *child;
	int ended, gone, done; /* done: of evidence, written or failed */
	char programs[64], libexec[300], out[80];
};

enum {
	WAIT_MS = 15000,
};

static void handle_ended(struct child *child, const struct child_end *end) {
	(void)end;
	((struct rig *)child->user)->ended++;
}

static const struct child_owner owner = { .ended = handle_ended };

static void handle_gone(void *user) {
	((struct rig *)user)->gone++;
}

static void run_until(struct rig *rig, const int *counter, int than) {
	uint64_t end_ms = clock_now_ms() + WAIT_MS;
	while (*counter <= than) {
		assert_true(clock_now_ms() < end_ms);
		assert_true(sd_event_run(rig->nursery.event, 100000) >= 0);
		rig->done = (int)(rig->evidence.written + rig->evidence.failed);
	}
}

static void write_autopsy(const struct rig *rig, const char *script) {
	char path[128];
	snprintf(path, sizeof(path), "%s/perigee-autopsy", rig->programs);
	FILE *file = fopen(path, "we");
	fprintf(file, "#!/bin/sh\nout=%s\n%s\n", rig->out, script);
	fclose(file);
	assert_int_equal(chmod(path, 0755), 0);
}

static void spawn(struct rig *rig) {
	struct child_spec spec = {
		.kind = PEER_SOUND,
		.program = "/bin/sh",
		.args = { "-c", "echo some last words; exec sleep 100", NULL },
		.name = "sick",
		.session = 0xabc,
		.no_channel = true,
		.die_with_us = true,
	};
	assert_int_equal(child_spawn(&rig->nursery, &spec, &owner, rig, &rig->child), 0);
	uint64_t end_ms = clock_now_ms() + WAIT_MS;
	while (rig->child->reader.tail.written == 0) {
		assert_true(clock_now_ms() < end_ms);
		assert_true(sd_event_run(rig->nursery.event, 100000) >= 0);
	}
}

static const char *output(const struct rig *rig) {
	static char text[8192];
	FILE *file = fopen(rig->out, "re");
	size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
	if (file) {
		fclose(file);
	}
	text[len] = '\0';
	return text;
}

static size_t one_secret(void *user, uint8_t *out, size_t size) {
	(void)user;
	assert_true(size >= 16);
	memcpy(out, "this is a secret", 16);
	return 16;
}

static int setup(void **state) {
	struct rig *rig = calloc(1, sizeof(*rig));
	sigset_t mask;
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	strcpy(rig->programs, "/tmp/perigee-evidence-XXXXXX");
	assert_non_null(mkdtemp(rig->programs));
	snprintf(rig->out, sizeof(rig->out), "%s/out", rig->programs);
	char exec[200];
	snprintf(exec, sizeof(exec), "%s", *(const char **)*state);
	*strrchr(exec, '/') = '\0';
	snprintf(rig->libexec, sizeof(rig->libexec), "%s:%s", rig->programs, exec);
	rig->journal.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	rig->nursery.journal = &rig->journal;
	rig->nursery.libexec = rig->libexec;
	rig->nursery.corpse_gone = handle_gone;
	rig->nursery.user = rig;
	rig->nursery.evidence = &rig->evidence;
	rig->evidence.nursery = &rig->nursery;
	rig->evidence.keep = 5;
	rig->evidence.megabytes = 6;
	rig->evidence.core_megabytes = 7;
	rig->evidence.secrets = one_secret;
	snprintf(rig->evidence.folder, sizeof(rig->evidence.folder), "/where/it/goes");
	assert_true(sd_event_new(&rig->nursery.event) >= 0);
	*state = rig;
	return 0;
}

static int teardown(void **state) {
	struct rig *rig = (struct rig *)*state;
	evidence_close(&rig->evidence);
	int rc = folder_remove(rig->programs);
	sd_event_unref(rig->nursery.event);
	close(rig->journal.fd);
	free(rig);
	return rc;
}

static void it_is_told_whom_to_look_at_and_what_is_known(void **state) {
	struct rig *rig = (struct rig *)*state;
	write_autopsy(rig, "{ echo \"$@\"; cat /dev/fd/4 /dev/fd/5; } > $out");
	spawn(rig);
	pid_t pid = rig->child->pid;
	child_fence(rig->child, REASON_WORKER_HUNG, "a test says so");
	run_until(rig, &rig->done, 0);
	run_until(rig, &rig->gone, 0);
	char wanted[64];
	const char *text = output(rig);
	snprintf(wanted, sizeof(wanted), "--pid %d ", pid);
	assert_non_null(strstr(text, wanted));
	assert_non_null(strstr(text, "--folder /where/it/goes "));
	assert_non_null(strstr(text, "--kind sound --name sick "));
	assert_non_null(strstr(text, "--session 0000000000000abc "));
	assert_non_null(strstr(text, "--keep 5 --megabytes 6 --core-megabytes 7 --keyless "));
	assert_non_null(strstr(text, "--what hung --reason worker-hung --detail a test says so"));
	assert_non_null(strstr(text, "some last words"));
	assert_non_null(strstr(text, "this is a secret"));
	const struct incident *incident = incidents_find(&rig->evidence.incidents, 1);
	assert_int_equal(incident->evidence, EVIDENCE_WRITTEN);
	assert_int_equal(incident->pid, pid);
	assert_non_null(strstr(text, incident->entry));
	assert_null(rig->nursery.corpses);
}

static void the_owner_does_not_wait_for_it_and_the_corpse_does(void **state) {
	struct rig *rig = (struct rig *)*state;
	write_autopsy(rig, "read line < $out.go");
	char fifo[96];
	snprintf(fifo, sizeof(fifo), "%s.go", rig->out);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	spawn(rig);
	child_fence(rig->child, REASON_WORKER_HUNG, "a test says so");
	run_until(rig, &rig->ended, 0);
	assert_int_equal(rig->done, 0);
	assert_int_equal(rig->gone, 0);
	assert_non_null(rig->nursery.corpses);
	int fd = open(fifo, O_RDWR | O_CLOEXEC);
	assert_int_equal(write(fd, "go\n", 3), 3);
	run_until(rig, &rig->gone, 0);
	close(fd);
	assert_null(rig->nursery.corpses);
}

static void one_that_hangs_is_given_up(void **state) {
	struct rig *rig = (struct rig *)*state;
	write_autopsy(rig, "exec sleep 100");
	spawn(rig);
	uint64_t begun_ms = clock_now_ms();
	child_fence(rig->child, REASON_WORKER_HUNG, "a test says so");
	run_until(rig, &rig->gone, 0);
	assert_in_range(clock_now_ms() - begun_ms, EVIDENCE_MS, WAIT_MS);
	run_until(rig, &rig->done, 0);
	assert_int_equal(incidents_find(&rig->evidence.incidents, 1)->evidence, EVIDENCE_FAILED);
	assert_int_equal(rig->evidence.running, 0);
}

static void without_one_the_corpse_goes_at_once(void **state) {
	struct rig *rig = (struct rig *)*state;
	spawn(rig);
	child_fence(rig->child, REASON_WORKER_HUNG, "a test says so");
	run_until(rig, &rig->gone, 0);
	assert_int_equal(incidents_find(&rig->evidence.incidents, 1)->evidence, EVIDENCE_FAILED);
}

static void of_one_that_was_killed_there_is_no_process(void **state) {
	struct rig *rig = (struct rig *)*state;
	write_autopsy(rig, "echo \"$@\" > $out");
	spawn(rig);
	kill(rig->child->pid, SIGKILL);
	run_until(rig, &rig->done, 0);
	assert_null(strstr(output(rig), "--pid"));
	assert_non_null(strstr(output(rig), "--what killed"));
	assert_int_equal(incidents_count(&rig->evidence.incidents, PEER_SOUND, REASON_SOUND_DIED),
			1);
}

static void a_debugger_finds_what_was_kept(void **state) {
	struct rig *rig = (struct rig *)*state;
	rig->evidence.keep_hung = true;
	write_autopsy(rig, "exit 0");
	for (int i = 0; i < EVIDENCE_KEPT_CORPSES + 1; i++) {
		spawn(rig);
		child_fence(rig->child, REASON_WORKER_HUNG, "a test says so");
		run_until(rig, &rig->done, i);
	}
	run_until(rig, &rig->gone, 0); /* one too many */
	assert_int_equal(rig->evidence.kept_corpses, EVIDENCE_KEPT_CORPSES);
	nursery_bury(&rig->nursery);
	run_until(rig, &rig->gone, EVIDENCE_KEPT_CORPSES);
	assert_null(rig->nursery.corpses);
}

static void snapshots_are_of_everybody_in_turn(void **state) {
	struct rig *rig = (struct rig *)*state;
	write_autopsy(rig, "echo \"$@\" >> $out");
	rig->evidence.snapshots = true;
	rig->evidence.snapshot_s = 1;
	rig->evidence.snapshots_kept = 48;
	spawn(rig);
	rig->child->hello = true;
	spawn(rig);
	rig->child->hello = true;
	assert_true(evidence_open(&rig->evidence) >= 0);
	run_until(rig, &rig->done, 1);
	const char *text = output(rig);
	assert_non_null(strstr(text, "--worker 1 "));
	assert_non_null(strstr(text, "--worker 2 "));
	assert_non_null(strstr(text, "--keep 96 "));
	assert_non_null(strstr(text, "--live"));
	assert_int_equal(rig->evidence.incidents.count, 0);
	for (struct child *at = rig->nursery.first; at; at = at->next) {
		child_kill(at, REASON_ASKED, "the test ends");
	}
	run_until(rig, &rig->ended, 1);
	assert_int_equal(rig->evidence.incidents.count, 0); /* we did that ourselves */
}

#define RIG(test) \
	{ #test, test, setup, teardown, (void *)&exec }

int main(int argc, char **argv) {
	const char *exec = argc > 1 ? argv[1] : "";
	const struct CMUnitTest tests[] = {
		RIG(it_is_told_whom_to_look_at_and_what_is_known),
		RIG(the_owner_does_not_wait_for_it_and_the_corpse_does),
		RIG(one_that_hangs_is_given_up),
		RIG(without_one_the_corpse_goes_at_once),
		RIG(of_one_that_was_killed_there_is_no_process),
		RIG(a_debugger_finds_what_was_kept),
		RIG(snapshots_are_of_everybody_in_turn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
