/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <net/if.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "../process.h"
#include "base/text.h"

/* Both helpers, in a network of their own that has a loopback interface only:
 * nothing leaves this machine. Skipped where that cannot be made. */

static const char *facts_path, *discover_path;
static bool alone;

static void set_loopback(bool up) {
	struct ifreq request = { .ifr_name = "lo" };
	OWN(fd_close) int fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(ioctl(fd, SIOCGIFFLAGS, &request), 0);
	request.ifr_flags = (short)(up ? request.ifr_flags | IFF_UP | IFF_MULTICAST
				       : request.ifr_flags & ~IFF_UP);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
}

static void need_network_of_our_own(void) {
	if (!alone) {
		SKIP("a network namespace of its own (root)");
	}
}

static void without_a_network_there_is_still_a_name(void **state) {
	(void)state;
	need_network_of_our_own();
	struct process facts = process_start(facts_path, PEER_FACTS, NULL);
	process_receive(&facts, IPC_FACTS);
	assert_true(facts.message.facts.host_name[0]);
	assert_string_equal(facts.message.facts.addresses, "");
	process_stop(&facts);
}

/* ip(8) with these words; its exit status, or -1. */
#define IP(...) ip((const char *const[]){ "ip", __VA_ARGS__, NULL })

static int ip(const char *const *words) {
	pid_t pid;
	int status;
	if (posix_spawnp(&pid, "ip", NULL, NULL, (char *const *)(uintptr_t)words, environ) != 0 ||
			waitpid(pid, &status, 0) != pid) {
		return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void changes_are_told(void **state) {
	(void)state;
	need_network_of_our_own();
	if (IP("link", "add", "perigee0", "address", "02:00:00:00:00:07", "type", "veth") != 0) {
		SKIP("ip(8) and virtual network devices");
	}
	struct process facts = process_start(facts_path, PEER_FACTS, NULL);
	process_receive(&facts, IPC_FACTS);
	assert_int_equal(IP("link", "set", "perigee0", "up"), 0);
	assert_int_equal(IP("addr", "add", "192.0.2.77/24", "dev", "perigee0"), 0);
	do {
		process_receive(&facts, IPC_FACTS);
	} while (!facts.message.facts.addresses[0]);
	assert_memory_equal(facts.message.facts.addresses, "192.0.2.77", 10);
	assert_memory_equal(facts.message.facts.mac, "\2\0\0\0\0\7", 6);
	assert_int_equal(IP("link", "del", "perigee0"), 0);
	process_receive(&facts, IPC_FACTS);
	assert_string_equal(facts.message.facts.addresses, "");
	process_stop(&facts);
}

static struct process discover(const char *name, uint16_t port) {
	const char *const args[] = { "--interface", "lo", NULL };
	struct process process = process_start(discover_path, PEER_DISCOVER, args);
	struct ipc_message message = { .kind = IPC_DISCOVER_START, .discover.port = port };
	text_copy(message.discover.name, sizeof(message.discover.name), name);
	process_send(&process, &message, -1);
	return process;
}

static void a_service_is_published_under_a_plain_name(void **state) {
	(void)state;
	need_network_of_our_own();
	struct process process = discover("Anna's PC", 47989);
	process_receive(&process, IPC_DISCOVERED);
	assert_string_equal(process.message.discover.name, "Anna-s-PC");
	assert_int_equal(process.message.discover.port, 47989);
	process_stop(&process);
}

static void a_taken_name_is_changed(void **state) {
	(void)state;
	need_network_of_our_own();
	struct process first = discover("twin", 1);
	process_receive(&first, IPC_DISCOVERED);
	struct process second = discover("twin", 1);
	process_receive(&second, IPC_DISCOVERED);
	assert_string_equal(first.message.discover.name, "twin");
	assert_string_equal(second.message.discover.name, "twin-2");
	process_stop(&second);
	process_stop(&first);
}

static void without_any_interface_it_waits_without_failing(void **state) {
	(void)state;
	need_network_of_our_own();
	set_loopback(false);
	struct process process = discover("lonely", 1);
	process_receive(&process, IPC_DISCOVERED);
	assert_string_equal(process.message.discover.name, "lonely");
	process_stop(&process);
	set_loopback(true);
}

static void a_new_port_is_published_anew(void **state) {
	(void)state;
	need_network_of_our_own();
	struct process process = discover("mover", 4321);
	process_receive(&process, IPC_DISCOVERED);
	struct ipc_message message = { .kind = IPC_DISCOVER_START, .discover.port = 1234 };
	text_copy(message.discover.name, sizeof(message.discover.name), "moved");
	process_send(&process, &message, -1);
	process_receive(&process, IPC_DISCOVERED);
	assert_string_equal(process.message.discover.name, "moved");
	assert_int_equal(process.message.discover.port, 1234);
	process_stop(&process);
}

static int prepare(void **state) {
	(void)state;
	alone = unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
	if (alone) {
		set_loopback(true);
	}
	return 0;
}

int main(int argc, char **argv) {
	const struct CMUnitTest tests[] = {
		UNIT(without_a_network_there_is_still_a_name),
		UNIT(changes_are_told),
		UNIT(a_service_is_published_under_a_plain_name),
		UNIT(a_taken_name_is_changed),
		UNIT(a_new_port_is_published_anew),
		UNIT(without_any_interface_it_waits_without_failing),
	};
	assert_int_equal(argc, 3);
	facts_path = argv[1];
	discover_path = argv[2];
	return cmocka_run_group_tests(tests, prepare, NULL);
}
