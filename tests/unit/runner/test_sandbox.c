/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>

#include "base/text.h"
#include "place.h"

/* Apps in a sandbox, by the runner that makes it. */

static uid_t box_uid;

/* Without a word of it on our own output. */
static bool succeeds(const char *program, const char *const *argv) {
	int status = -1;
	pid_t pid;
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	bool began = posix_spawn(&pid, program, &actions, NULL, (char *const *)(uintptr_t)argv,
				     environ) == 0;
	posix_spawn_file_actions_destroy(&actions);
	return began && waitpid(pid, &status, 0) == pid && status == 0;
}

/* A sandbox is made by a user who is nobody else's, as a host's apps are: root without
 * capabilities may not map itself. The tests after this one have that user's home. */
static bool sandboxed(void) {
	static const char *const argv[] = { "bwrap", "--unshare-user", "--unshare-pid", "--ro-bind",
		"/", "/", "--proc", "/proc", "--dev", "/dev", "/bin/true", NULL };
	if (!succeeds("/usr/bin/bwrap", argv)) {
		return false;
	}
	if (box_uid == 0 && getuid() == 0) {
		box_uid = 65534;
		text_format(place.home, sizeof(place.home), "%s/homes/box", place.folder);
		text_format(place.runtime, sizeof(place.runtime), "%s/run/box", place.folder);
		place_make(box_uid);
	}
	return true;
}

static struct process start_sandbox(
		const char *script, bool network, enum runner_type type, const char *mount) {
	struct process runner = place_start_runner();
	struct ipc_message plan = { .kind = IPC_RUNNER_PLAN };
	plan.runner_plan.type = (uint8_t)type;
	plan.runner_plan.network = network;
	if (mount) {
		place_put_word((uint8_t *)plan.runner_plan.list, &plan.runner_plan.list_len, mount);
	}
	process_send(&runner, &plan, -1);
	place_send_start(&runner, (const char *const[]){ "sh", "-c", script, NULL }, box_uid);
	return runner;
}

static struct process run_sandbox(const char *script, bool network) {
	struct process runner = start_sandbox(script, network, RUNNER_AUTO, NULL);
	place_let_begin(&runner);
	return runner;
}

static void a_sandbox_has_its_home_and_a_system_to_read(void **state) {
	(void)state;
	if (!sandboxed()) {
		SKIP("bubblewrap that may make user namespaces");
	}
	struct process runner = run_sandbox("pwd; touch mine && ls mine; echo $PERIGEE_SESSION; "
					    "touch /usr/x 2>/dev/null || echo read-only; exit 3",
			false);
	assert_non_null(strstr(place.detail.runner_app.detail, "sandbox, no network"));
	char wanted[256];
	text_format(wanted, sizeof(wanted), "%s\nmine\n%s\nread-only\n", place.home, place.label);
	assert_string_equal(place_last_lines(&runner), wanted);
	assert_int_equal(WEXITSTATUS(runner.message.runner_exited.status), 3);
	process_stop(&runner);
}

/* By name, by another process's eyes, and by the engines' sockets. */
static void nothing_else_of_the_machine_is_in_a_sandbox(void **state) {
	(void)state;
	if (!sandboxed()) {
		SKIP("bubblewrap that may make user namespaces");
	}
	struct process runner = run_sandbox(
			"cat ../secret/f 2>/dev/null; ls .. ; ls ../../run; "
			"ls /run /tmp /root /home /var/lib/perigee 2>/dev/null; "
			"test $(ls -d /proc/[0-9]* | wc -l) -lt 8 && echo few; "
			"test -e /run/docker.sock -o -e /run/podman/podman.sock || echo none",
			false);
	assert_string_equal(place_last_lines(&runner), "box\nbox\n/run:\n/tmp:\nfew\nnone\n");
	process_stop(&runner);
}

static void a_sandbox_has_a_network_only_if_it_may(void **state) {
	(void)state;
	if (!sandboxed()) {
		SKIP("bubblewrap that may make user namespaces");
	}
	static const char script[] = "readlink /proc/self/ns/net";
	char here[64] = "";
	assert_true(readlink("/proc/self/ns/net", here, sizeof(here) - 1) > 0);
	struct process runner = run_sandbox(script, true);
	assert_memory_equal(place_last_lines(&runner), here, strlen(here));
	process_stop(&runner);
	runner = run_sandbox(script, false);
	assert_null(strstr(place_last_lines(&runner), here));
	process_stop(&runner);
}

static void a_sandbox_sees_what_is_mounted_for_it(void **state) {
	(void)state;
	if (!sandboxed()) {
		SKIP("bubblewrap that may make user namespaces");
	}
	char mount[256];
	text_format(mount, sizeof(mount), "mount=%s/shared:/mnt/data:ro", place.folder);
	struct process runner = start_sandbox(
			"ls /mnt/data; touch /mnt/data/g 2>/dev/null || echo read-only", false,
			RUNNER_SANDBOX, mount);
	place_let_begin(&runner);
	assert_string_equal(place_last_lines(&runner), "f\nread-only\n");
	process_stop(&runner);
	runner = start_sandbox("true", false, RUNNER_SANDBOX, "mount=relative:/mnt");
	assert_non_null(strstr(place_last_lines(&runner), "cannot be started"));
	process_stop(&runner);
}

/* Nodes come while it runs: the folders are there, and links lead to what is not there yet. */
static void a_sandbox_has_the_nodes_of_its_desktop(void **state) {
	(void)state;
	if (!sandboxed()) {
		SKIP("bubblewrap that may make user namespaces");
	}
	char word[256];
	text_format(word, sizeof(word), "pads=%s/pads", place.folder);
	struct process runner = start_sandbox("ls /dev/input /dev/hid; readlink /dev/hidraw0 "
					      "/dev/hidraw63; cat /dev/hidraw7",
			false, RUNNER_SANDBOX, word);
	place_let_begin(&runner);
	assert_string_equal(place_last_lines(&runner),
			"/dev/hid:\nhidraw7\n/dev/input:\nevent1\n/dev/hid/hidraw0\n"
			"/dev/hid/hidraw63\nreport\n");
	process_stop(&runner);
}

static void a_sandbox_ends_with_all_that_is_in_it(void **state) {
	(void)state;
	if (!sandboxed()) {
		SKIP("bubblewrap that may make user namespaces");
	}
	struct process runner = run_sandbox("setsid sh -c 'trap \"\" TERM; echo up >fifo; "
					    "while :; do sleep 1000; done' & wait",
			false);
	char word[64];
	place_hear(word, sizeof(word));
	process_ask_stop(&runner, 4000);
	place_receive_end(&runner);
	process_receive(&runner, IPC_STOPPED);
	assert_int_equal(process_wait(&runner), 0);
}

static void a_sandbox_outlives_its_runner(void **state) {
	(void)state;
	if (!sandboxed()) {
		SKIP("bubblewrap that may make user namespaces");
	}
	struct process runner =
			run_sandbox("echo up >fifo; read x <fifo2; echo last words; exit 3", false);
	char word[64];
	place_hear(word, sizeof(word));
	struct process next = place_replace_runner(&runner);
	char path[128];
	text_format(path, sizeof(path), "%s/fifo2", place.home);
	OWN(fd_close) int go = open(path, O_RDWR);
	assert_int_equal(write(go, "go\n", 3), 3);
	assert_string_equal(place_last_lines(&next), "last words\n");
	process_stop(&next);
}

int main(int argc, char **argv) {
	const struct CMUnitTest tests[] = {
		UNIT(a_sandbox_has_its_home_and_a_system_to_read),
		UNIT(nothing_else_of_the_machine_is_in_a_sandbox),
		UNIT(a_sandbox_has_a_network_only_if_it_may),
		UNIT(a_sandbox_sees_what_is_mounted_for_it),
		UNIT(a_sandbox_has_the_nodes_of_its_desktop),
		UNIT(a_sandbox_ends_with_all_that_is_in_it),
		UNIT(a_sandbox_outlives_its_runner),
	};
	assert_int_equal(argc, 2);
	place.runner_path = argv[1];
	return cmocka_run_group_tests(tests, place_prepare, place_clean);
}
