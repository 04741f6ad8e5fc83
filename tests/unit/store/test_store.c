/* SPDX-License-Identifier: MIT */
#include "../folder.h"
#include "../unit.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "../process.h"
#include "base/text.h"

static const char *store_path;
static char folder[64];

/* A gate's end of a channel to the store. */
struct gate {
	int channel;
	struct ipc_message message;
};

static void gate_receive(struct gate *gate, enum ipc_kind kind) {
	struct ipc_fds fds;
	assert_int_equal(channel_receive_fd(gate->channel, PEER_GATE, PEER_STORE,
					 PROCESS_DEADLINE_MS, &gate->message, &fds),
			0);
	assert_string_equal(ipc_kind_name(gate->message.kind), ipc_kind_name(kind));
}

static struct gate gate_open(struct process *store) {
	int pair[2];
	assert_int_equal(channel_pair(pair), 0);
	struct ipc_message message = { .kind = IPC_STORE_PEER, .store_peer.peer = PEER_GATE };
	process_send(store, &message, pair[1]);
	close(pair[1]);
	struct gate gate = { .channel = pair[0] };
	gate_receive(&gate, IPC_IDENTITY);
	return gate;
}

static struct process running;

/* What the supervisor hears besides is of no interest to most tests. */
static void supervisor_receive(enum ipc_kind kind) {
	do {
		struct ipc_fds fds;
		assert_int_equal(channel_receive_fd(running.channel, PEER_SUPERVISOR, PEER_STORE,
						 PROCESS_DEADLINE_MS, &running.message, &fds),
				0);
	} while (running.message.kind != kind);
}

static struct process *open_store(const char *where, bool in_memory) {
	struct process *store = &running;
	*store = process_start(store_path, PEER_STORE, NULL);
	struct ipc_message message = { .kind = IPC_STORE_OPEN, .store_open.in_memory = in_memory };
	text_copy(message.store_open.folder, sizeof(message.store_open.folder), where);
	process_send(store, &message, -1);
	process_receive(store, IPC_STORE_READY);
	return store;
}

static void stop_store(void) {
	process_ask_stop(&running, 5000);
	supervisor_receive(IPC_STOPPED);
	assert_int_equal(process_wait(&running), 0);
}

static struct ipc_message client(unsigned number) {
	struct ipc_message message = { .kind = IPC_CLIENT_ADD };
	message.client.request = number;
	message.client.der_len = 900;
	memset(message.client.der, 0x30, message.client.der_len);
	memcpy(message.client.der, &number, sizeof(number));
	unsigned len;
	assert_true(EVP_Digest(message.client.der, message.client.der_len, message.client.client,
			&len, EVP_sha256(), NULL));
	text_format(message.client.name, sizeof(message.client.name), "client %u", number);
	return message;
}

static void gate_send(struct gate *gate, const struct ipc_message *message) {
	assert_int_equal(channel_send_fd(gate->channel, message, NULL, 0), 0);
}

static void add(struct gate *gate, unsigned number) {
	struct ipc_message message = client(number);
	gate_send(gate, &message);
	gate_receive(gate, IPC_CLIENT_ADDED);
	assert_int_equal(gate->message.client_ref.request, number);
	assert_int_equal(gate->message.client_ref.outcome, 0);
	gate_receive(gate, IPC_CLIENT_SETTINGS);
	supervisor_receive(IPC_CLIENT_SETTINGS);
}

static unsigned count_clients(struct gate *gate) {
	for (unsigned n = 0;; n++) {
		struct ipc_fds fds;
		assert_int_equal(channel_receive_fd(gate->channel, PEER_GATE, PEER_STORE,
						 PROCESS_DEADLINE_MS, &gate->message, &fds),
				0);
		if (gate->message.kind == IPC_CLIENTS_END) {
			return n;
		}
		assert_int_equal(gate->message.kind, IPC_CLIENT);
		assert_true(gate->message.client.created_s > 0);
		uint8_t client[32];
		memcpy(client, gate->message.client.client, sizeof(client));
		gate_receive(gate, IPC_CLIENT_SETTINGS);
		assert_memory_equal(gate->message.client_settings.client, client, 32);
	}
}

static void a_gate_gets_the_identity_and_every_client(void **state) {
	(void)state;
	struct process *store = open_store("", true);
	assert_int_equal(store->message.store_ready.outcome, 0);
	assert_int_equal(strlen(store->message.store_ready.web_key), 32);
	struct gate gate = gate_open(store);
	assert_string_equal(gate.message.identity.web_key, store->message.store_ready.web_key);
	assert_string_equal(gate.message.identity.host_id, store->message.store_ready.host_id);
	assert_true(gate.message.identity.key_len > 1000);
	assert_int_equal(count_clients(&gate), 0);
	add(&gate, 1);
	add(&gate, 2);
	struct gate other = gate_open(store);
	assert_int_equal(count_clients(&other), 2);
	close(gate.channel);
	close(other.channel);
	stop_store();
}

/* More than a channel's queue and the kernel's buffer hold. */
static void a_long_list_arrives_whole(void **state) {
	(void)state;
	struct process *store = open_store("", true);
	struct gate gate = gate_open(store);
	assert_int_equal(count_clients(&gate), 0);
	for (unsigned i = 0; i < 600; i++) {
		add(&gate, i);
	}
	struct gate other = gate_open(store);
	assert_int_equal(count_clients(&other), 600);
	close(gate.channel);
	close(other.channel);
	stop_store();
}

static void changes_are_told_to_the_others(void **state) {
	(void)state;
	struct process *store = open_store("", true);
	struct gate one = gate_open(store), two = gate_open(store);
	assert_int_equal(count_clients(&one), 0);
	assert_int_equal(count_clients(&two), 0);
	add(&one, 7);
	gate_receive(&two, IPC_CLIENT);
	struct ipc_message wanted = client(7);
	assert_memory_equal(two.message.client.client, wanted.client.client, 32);
	assert_string_equal(two.message.client.name, "client 7");
	gate_receive(&two, IPC_CLIENT_SETTINGS);
	struct ipc_message message = { .kind = IPC_CLIENT_REMOVE, .client_ref.request = 3 };
	memcpy(message.client_ref.client, wanted.client.client, 32);
	gate_send(&two, &message);
	gate_receive(&one, IPC_CLIENT_GONE);
	gate_receive(&two, IPC_CLIENT_GONE);
	gate_receive(&two, IPC_CLIENT_REMOVED);
	assert_int_equal(two.message.client_ref.request, 3);
	supervisor_receive(IPC_CLIENT_GONE);
	gate_send(&two, &message);
	gate_receive(&two, IPC_CLIENT_REMOVED);
	assert_int_equal(two.message.client_ref.outcome, ENOENT);
	close(one.channel);
	close(two.channel);
	stop_store();
}

/* ---- the web door's requests ---- */

static struct gate web_open(void) {
	int pair[2];
	assert_int_equal(channel_pair(pair), 0);
	struct ipc_message message = { .kind = IPC_STORE_PEER, .store_peer.peer = PEER_WEB };
	process_send(&running, &message, pair[1]);
	close(pair[1]);
	return (struct gate){ .channel = pair[0] };
}

static void web_receive(struct gate *web, enum ipc_kind kind) {
	struct ipc_fds fds;
	assert_int_equal(channel_receive_fd(web->channel, PEER_WEB, PEER_STORE, PROCESS_DEADLINE_MS,
					 &web->message, &fds),
			0);
	assert_string_equal(ipc_kind_name(web->message.kind), ipc_kind_name(kind));
}

static uint32_t web_ask(struct gate *web, const struct ipc_message *message) {
	gate_send(web, message);
	do {
		struct ipc_fds fds;
		assert_int_equal(channel_receive_fd(web->channel, PEER_WEB, PEER_STORE,
						 PROCESS_DEADLINE_MS, &web->message, &fds),
				0);
	} while (web->message.kind != IPC_STATE_DONE);
	return web->message.state_done.reason;
}

static void what_a_client_may_is_told_to_all(void **state) {
	(void)state;
	open_store("", true);
	struct gate gate = gate_open(&running), web = web_open();
	assert_int_equal(count_clients(&gate), 0);
	web_receive(&web, IPC_IDENTITY);
	web_receive(&web, IPC_CLIENTS_END);
	add(&gate, 7);
	struct ipc_message who = client(7), set = { .kind = IPC_CLIENT_SET };
	memcpy(set.client_settings.client, who.client.client, 32);
	set.client_settings.request = 5;
	set.client_settings.fields = SETTING_PERMISSIONS;
	set.client_settings.permissions = PERMIT_LIST;
	assert_int_equal(web_ask(&web, &set), REASON_NONE);
	assert_int_equal(web.message.state_done.request, 5);
	gate_receive(&gate, IPC_CLIENT_SETTINGS);
	assert_int_equal(gate.message.client_settings.permissions, PERMIT_LIST);
	supervisor_receive(IPC_CLIENT_SETTINGS);
	assert_int_equal(running.message.client_settings.permissions, PERMIT_LIST);
	assert_memory_equal(running.message.client_settings.client, who.client.client, 32);
	/* The supervisor, for what perigee.yaml says; it waits for no answer. */
	set.client_settings.permissions = PERMIT_ALL + 1;
	process_send(&running, &set, -1);
	set.client_settings.permissions = PERMIT_LAUNCH;
	process_send(&running, &set, -1);
	gate_receive(&gate, IPC_CLIENT_SETTINGS);
	assert_int_equal(gate.message.client_settings.permissions, PERMIT_LAUNCH);
	supervisor_receive(IPC_CLIENT_SETTINGS);
	assert_int_equal(running.message.client_settings.permissions, PERMIT_LAUNCH);
	set.client_settings.permissions = PERMIT_ALL + 1;
	assert_int_equal(web_ask(&web, &set), REASON_STATE_REFUSED);
	set.client_settings.permissions = 0;
	set.client_settings.client[0] ^= 1;
	assert_int_equal(web_ask(&web, &set), REASON_STATE_REFUSED);
	assert_string_equal(web.message.state_done.detail, "There is no such client.");
	close(gate.channel);
	close(web.channel);
	stop_store();
}

/* A door that is new, and a supervisor that took over, hear all of it. */
static void profiles_and_apps_are_told_and_told_again(void **state) {
	(void)state;
	open_store("", true);
	struct gate web = web_open();
	struct ipc_message put = { .kind = IPC_PROFILE_PUT, .profile.request = 1 };
	text_copy(put.profile.id, sizeof(put.profile.id), "ann");
	text_copy(put.profile.name, sizeof(put.profile.name), "Ann");
	text_copy(put.profile.pin, sizeof(put.profile.pin), "4711");
	assert_int_equal(web_ask(&web, &put), REASON_NONE);
	supervisor_receive(IPC_PROFILE);
	assert_string_equal(running.message.profile.pin, "");
	assert_int_equal(running.message.profile.has_pin, 1);
	struct ipc_message app = { .kind = IPC_APP_PUT, .app.request = 2 };
	text_copy(app.app.profile, sizeof(app.app.profile), "ann");
	text_copy(app.app.title, sizeof(app.app.title), "Paint");
	text_copy(app.app.how.runner, sizeof(app.app.how.runner), "process");
	memcpy(app.app.argv, "foot", 5);
	app.app.argv_len = 5;
	assert_int_equal(web_ask(&web, &app), REASON_NONE);
	int32_t number = web.message.state_done.app;
	assert_true(number > 0);
	supervisor_receive(IPC_APP);
	assert_int_equal(running.message.app.app, number);
	struct gate other = web_open();
	web_receive(&other, IPC_IDENTITY);
	web_receive(&other, IPC_PROFILE);
	web_receive(&other, IPC_APP);
	assert_string_equal(other.message.app.profile, "ann");
	web_receive(&other, IPC_CLIENTS_END);
	struct ipc_message who = { .kind = IPC_WHO };
	process_send(&running, &who, -1);
	supervisor_receive(IPC_PROFILE);
	supervisor_receive(IPC_APP);
	supervisor_receive(IPC_STATE_END);
	struct ipc_message gone = { .kind = IPC_PROFILE_REMOVE, .profile_ref.request = 3 };
	text_copy(gone.profile_ref.id, sizeof(gone.profile_ref.id), "ann");
	assert_int_equal(web_ask(&web, &gone), REASON_NONE);
	web_receive(&other, IPC_PROFILE_GONE);
	assert_int_equal(web_ask(&web, &gone), REASON_STATE_REFUSED);
	close(web.channel);
	close(other.channel);
	stop_store();
}

static void five_wrong_pins_lock_a_profile(void **state) {
	(void)state;
	open_store("", true);
	struct gate web = web_open();
	struct ipc_message put = { .kind = IPC_PROFILE_PUT };
	text_copy(put.profile.id, sizeof(put.profile.id), "ann");
	text_copy(put.profile.name, sizeof(put.profile.name), "Ann");
	text_copy(put.profile.pin, sizeof(put.profile.pin), "4711");
	assert_int_equal(web_ask(&web, &put), REASON_NONE);
	struct ipc_message pin = { .kind = IPC_PROFILE_PIN };
	text_copy(pin.profile_ref.id, sizeof(pin.profile_ref.id), "ann");
	text_copy(pin.profile_ref.pin, sizeof(pin.profile_ref.pin), "4711");
	assert_int_equal(web_ask(&web, &pin), REASON_NONE);
	text_copy(pin.profile_ref.pin, sizeof(pin.profile_ref.pin), "0000");
	for (int i = 0; i < 5; i++) {
		assert_int_equal(web_ask(&web, &pin), REASON_PIN_WRONG);
	}
	text_copy(pin.profile_ref.pin, sizeof(pin.profile_ref.pin), "4711");
	assert_int_equal(web_ask(&web, &pin), REASON_PIN_LOCKED);
	text_copy(pin.profile_ref.id, sizeof(pin.profile_ref.id), "bob");
	assert_int_equal(web_ask(&web, &pin), REASON_STATE_REFUSED);
	close(web.channel);
	stop_store();
}

static void a_wrong_fingerprint_is_refused(void **state) {
	(void)state;
	struct process *store = open_store("", true);
	struct gate gate = gate_open(store);
	assert_int_equal(count_clients(&gate), 0);
	struct ipc_message message = client(1);
	message.client.client[31] ^= 1;
	gate_send(&gate, &message);
	gate_receive(&gate, IPC_CLIENT_ADDED);
	assert_int_equal(gate.message.client_ref.outcome, EBADMSG);
	close(gate.channel);
	stop_store();
}

static void a_bad_folder_is_reported_not_fatal(void **state) {
	(void)state;
	struct process *store = open_store("/dev/null/x", false);
	assert_int_equal(store->message.store_ready.outcome, ENOTDIR);
	assert_non_null(strstr(store->message.store_ready.detail, "writable"));
	stop_store();
}

static void killing_it_loses_nothing_acknowledged(void **state) {
	(void)state;
	unsigned acknowledged = 0;
	for (unsigned round = 0; round < 5; round++) {
		struct process *store = open_store(folder, false);
		assert_int_equal(store->message.store_ready.outcome, 0);
		struct gate gate = gate_open(store);
		/* One more may have been written than was acknowledged. */
		unsigned kept = count_clients(&gate);
		assert_true(kept >= acknowledged && kept <= acknowledged + round);
		for (unsigned i = 0; i < 5 + round; i++) {
			add(&gate, acknowledged++);
		}
		struct ipc_message unanswered = client(1000 + round);
		gate_send(&gate, &unanswered);
		kill(store->pid, SIGKILL);
		close(gate.channel);
		assert_true(WIFSIGNALED(process_wait(store)));
	}
}

static int prepare(void **state) {
	(void)state;
	folder_make(folder, sizeof(folder), "store");
	return 0;
}

static int clean(void **state) {
	(void)state;
	return folder_remove(folder);
}

int main(int argc, char **argv) {
	const struct CMUnitTest tests[] = {
		UNIT(a_gate_gets_the_identity_and_every_client),
		UNIT(a_long_list_arrives_whole),
		UNIT(changes_are_told_to_the_others),
		UNIT(what_a_client_may_is_told_to_all),
		UNIT(profiles_and_apps_are_told_and_told_again),
		UNIT(five_wrong_pins_lock_a_profile),
		UNIT(a_wrong_fingerprint_is_refused),
		UNIT(a_bad_folder_is_reported_not_fatal),
		UNIT(killing_it_loses_nothing_acknowledged),
	};
	assert_int_equal(argc, 2);
	store_path = argv[1];
	return cmocka_run_group_tests(tests, prepare, clean);
}
