/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "../unit.h"
#include "base/clock.h"
#include "base/text.h"
#include "ipc/pulse.h"

extern char **environ;

void rig_make_identity(enum pairing_flavour flavour, struct rig_identity *out) {
	assert_int_equal(pairing_identity_generate(flavour, 1700000000, out->certificate, out->key),
			0);
	assert_int_equal(pairing_identity_load(out->certificate, out->key, &out->identity), 0);
	assert_int_equal(pairing_fingerprint(out->identity.certificate.der,
					 out->identity.certificate.der_len, out->fingerprint),
			0);
}

/* ---- sockets ---- */

static int open_inet(int type, uint16_t *out_port) {
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	int off = 0;
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	struct sockaddr_in6 sa = { .sin6_family = AF_INET6 };
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	socklen_t len = sizeof(sa);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	*out_port = ntohs(sa.sin6_port);
	if (type == SOCK_STREAM) {
		assert_int_equal(listen(fd, 1024), 0);
	}
	return fd;
}

static int open_api(struct rig *rig) {
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	text_format(rig->api_path, sizeof(rig->api_path), "/tmp/perigee-test-%d.sock", getpid());
	unlink(rig->api_path);
	text_copy(sa.sun_path, sizeof(sa.sun_path), rig->api_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

static void give_door(struct rig *rig, enum ipc_door door, int type) {
	struct ipc_message message = { .kind = IPC_GATE_LISTEN, .gate_listen.door = (uint8_t)door };
	int fd = door == DOOR_API ? open_api(rig) : open_inet(type, &rig->ports[door]);
	message.gate_listen.port = rig->ports[door];
	assert_int_equal(channel_send_fd(rig->supervisor, &message, &fd, 1), 0);
	rig->sockets[door] = fd;
}

/* ---- messages ---- */

static void send_message(struct rig *rig, const struct ipc_message *message) {
	assert_int_equal(channel_send_fd(rig->supervisor, message, NULL, 0), 0);
}

/* Polls: the loop counts a poke in memory and tells nobody. */
void rig_settle(struct rig *rig) {
	const struct pulse *pulse = (const struct pulse *)(void *)rig->pulse.map;
	struct ipc_message poke = { .kind = IPC_POKE, .poke.number = ++rig->pokes };
	send_message(rig, &poke);
	uint64_t until = clock_now_ms() + RIG_WAIT_MS;
	while (atomic_load(&pulse->poked) != rig->pokes && clock_now_ms() < until) {
		poll(NULL, 0, 1);
	}
	assert_int_equal(atomic_load(&pulse->poked), rig->pokes);
}

void rig_send(struct rig *rig, const struct ipc_message *message) {
	send_message(rig, message);
	rig_settle(rig);
}

void rig_send_fd(struct rig *rig, const struct ipc_message *message, int fd) {
	assert_int_equal(channel_send_fd(rig->supervisor, message, &fd, 1), 0);
	rig_settle(rig);
}

void rig_send_store(struct rig *rig, const struct ipc_message *message) {
	assert_int_equal(channel_send_fd(rig->store, message, NULL, 0), 0);
}

void rig_replace_store(struct rig *rig) {
	int pair[2];
	close(rig->store);
	assert_int_equal(channel_pair(pair), 0);
	struct ipc_message message = { .kind = IPC_GATE_STORE };
	assert_int_equal(channel_send_fd(rig->supervisor, &message, &pair[1], 1), 0);
	close(pair[1]);
	rig->store = pair[0];
}

static void expect(int fd, enum ipc_peer self, enum ipc_peer peer, enum ipc_kind kind,
		struct ipc_message *out, struct ipc_fds *out_fds) {
	int rc = channel_receive_fd(fd, self, peer, RIG_WAIT_MS, out, out_fds);
	if (rc < 0) {
		print_error("waiting for %s: %s\n", ipc_kind_name(kind), strerror(-rc));
	}
	assert_int_equal(rc, 0);
	assert_string_equal(ipc_kind_name(out->kind), ipc_kind_name(kind));
}

void rig_expect(struct rig *rig, enum ipc_kind kind, struct ipc_message *out) {
	struct ipc_fds fds = { .count = 0 };
	expect(rig->supervisor, PEER_SUPERVISOR, rig->role, kind, out, &fds);
}

void rig_expect_fd(struct rig *rig, enum ipc_kind kind, struct ipc_message *out, int *out_fd) {
	struct ipc_fds fds = { .count = 0 };
	expect(rig->supervisor, PEER_SUPERVISOR, rig->role, kind, out, &fds);
	assert_int_equal(fds.count, 1);
	*out_fd = fds_take(&fds, 0);
}

void rig_expect_store(struct rig *rig, enum ipc_kind kind, struct ipc_message *out) {
	struct ipc_fds fds = { .count = 0 };
	expect(rig->store, PEER_STORE, rig->role, kind, out, &fds);
}

bool rig_is_quiet(struct rig *rig, int ms) {
	struct pollfd wait = { .fd = rig->supervisor, .events = POLLIN };
	return poll(&wait, 1, ms) == 0;
}

void rig_send_client(struct rig *rig, const struct rig_identity *client, const char *name) {
	struct ipc_message message = { .kind = IPC_CLIENT };
	const struct pairing_certificate *certificate = &client->identity.certificate;
	memcpy(message.client.client, client->fingerprint, 32);
	memcpy(message.client.der, certificate->der, certificate->der_len);
	message.client.der_len = (uint16_t)certificate->der_len;
	text_copy(message.client.name, sizeof(message.client.name), name);
	message.client.permissions = PERMIT_ALL;
	rig_send_store(rig, &message);
}

void rig_send_art(struct rig *rig, int32_t app, const void *png, size_t len) {
	struct shm shm;
	assert_int_equal(shm_create("art", len, true, &shm), 0);
	memcpy(shm.map, png, len);
	struct ipc_message message = { .kind = IPC_ART, .art.app = app };
	assert_int_equal(channel_send_fd(rig->supervisor, &message, &shm.fd, 1), 0);
	rig_settle(rig);
	shm_finish(&shm);
}

/* ---- the process ---- */

static void spawn(struct rig *rig, const char *program) {
	int pair[2];
	assert_int_equal(channel_pair(pair), 0);
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pair[1], 3);
	rig->log = memfd_create("log", MFD_CLOEXEC);
	assert_true(rig->log >= 0);
	if (!getenv("RIG_LOG")) {
		posix_spawn_file_actions_adddup2(&actions, rig->log, 2);
	}
	char *const argv[] = { (char *)(uintptr_t)program, (char *)(uintptr_t) "--role",
		(char *)(uintptr_t)(rig->role == PEER_WEB ? "web" : "moonlight"), NULL };
	assert_int_equal(posix_spawn(&rig->pid, program, &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(pair[1]);
	rig->supervisor = pair[0];
}

static void send_store_start(struct rig *rig, const struct rig_identity *host,
		const struct rig_identity *client) {
	struct ipc_message identity = { .kind = IPC_IDENTITY };
	identity.identity.certificate_len = (uint16_t)strlen(host->certificate);
	memcpy(identity.identity.certificate, host->certificate, strlen(host->certificate));
	identity.identity.key_len = (uint16_t)strlen(host->key);
	memcpy(identity.identity.key, host->key, strlen(host->key));
	text_copy(identity.identity.host_id, sizeof(identity.identity.host_id),
			"6F9619FF-8B86-D011-B42D-00CF4FC964FF");
	text_copy(identity.identity.web_key, sizeof(identity.identity.web_key),
			"0123456789abcdef0123456789abcdef");
	rig_send_store(rig, &identity);
	if (client) {
		rig_send_client(rig, client, "Anna's tablet");
	}
	rig_send_store(rig, &(struct ipc_message){ .kind = IPC_CLIENTS_END });
}

void rig_send_options(struct rig *rig, uint8_t encryption, const char *preset_pin) {
	struct ipc_message options = { .kind = IPC_GATE_OPTIONS };
	text_copy(options.gate_options.host_name, sizeof(options.gate_options.host_name), "rig");
	memcpy(options.gate_options.mac, "\x02\x00\x5e\x10\x20\x30", 6);
	options.gate_options.encryption = encryption;
	options.gate_options.http_port = rig->ports[DOOR_HTTP];
	options.gate_options.https_port = rig->ports[DOOR_HTTPS];
	options.gate_options.rtsp_port = rig->ports[DOOR_RTSP];
	options.gate_options.video_port = rig->ports[DOOR_VIDEO];
	options.gate_options.control_port = rig->ports[DOOR_CONTROL];
	options.gate_options.audio_port = rig->ports[DOOR_AUDIO];
	options.gate_options.web_port = rig->ports[DOOR_WEB];
	options.gate_options.pair_window_s = 300;
	text_copy(options.gate_options.preset_pin, sizeof(options.gate_options.preset_pin),
			preset_pin);
	rig_send(rig, &options);
}

static void send_catalogue(struct rig *rig) {
	struct ipc_message codecs = { .kind = IPC_GATE_CODECS,
		.gate_codecs = { .mask = CODEC_BIT_H264 | CODEC_BIT_HEVC,
				.reference_invalidation = 1 } };
	rig_send(rig, &codecs);
	struct ipc_message app = { .kind = IPC_GATE_APP,
		.gate_app = { .app = 7, .flags = APP_INSTALLED, .title = "Desktop & <more>" } };
	rig_send(rig, &app);
	rig_send(rig, &(struct ipc_message){ .kind = IPC_GATE_APPS_END });
}

void rig_start(struct rig *rig, const char *program, enum ipc_peer role, uint8_t encryption,
		const struct rig_identity *host, const struct rig_identity *client) {
	signal(SIGPIPE, SIG_IGN);
	*rig = (struct rig){ .role = role };
	struct ipc_message message;
	for (unsigned i = 0; i < DOORS; i++) {
		rig->sockets[i] = -1;
	}
	spawn(rig, program);
	rig_expect(rig, IPC_HELLO, &message);
	assert_int_equal(shm_create("pulse", PULSE_SIZE, false, &rig->pulse), 0);
	message = (struct ipc_message){ .kind = IPC_START,
		.start = { .worker = 1, .log_level = 3, .name = "gate" } };
	assert_int_equal(channel_send_fd(rig->supervisor, &message, &rig->pulse.fd, 1), 0);
	if (role == PEER_GATE) {
		give_door(rig, DOOR_HTTP, SOCK_STREAM);
		give_door(rig, DOOR_HTTPS, SOCK_STREAM);
		give_door(rig, DOOR_RTSP, SOCK_STREAM);
		give_door(rig, DOOR_VIDEO, SOCK_DGRAM);
		give_door(rig, DOOR_CONTROL, SOCK_DGRAM);
		give_door(rig, DOOR_AUDIO, SOCK_DGRAM);
	} else {
		give_door(rig, DOOR_WEB, SOCK_STREAM);
		give_door(rig, DOOR_API, SOCK_STREAM);
	}
	int pair[2];
	assert_int_equal(channel_pair(pair), 0);
	message = (struct ipc_message){ .kind = IPC_GATE_STORE };
	assert_int_equal(channel_send_fd(rig->supervisor, &message, &pair[1], 1), 0);
	close(pair[1]);
	rig->store = pair[0];
	rig_send_options(rig, encryption, "");
	send_catalogue(rig);
	send_store_start(rig, host, client);
	rig_expect(rig, IPC_GATE_READY, &message);
}

/* What a log may never hold: session keys, ping payloads, the web key, PINs' companions. */
static void assert_log_is_clean(const struct rig *rig) {
	static const char *const secrets[] = { "000102030405060708090", "rikey", "0123456789ABCDEF",
		"FEDCBA9876543210", "0123456789abcdef", "deadbeef", "3735928559", "PRIVATE",
		"clientcert" };
	static char log[1 << 20];
	ssize_t n = pread(rig->log, log, sizeof(log) - 1, 0);
	assert_true(n >= 0);
	log[n] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
		if (strstr(log, secrets[i])) {
			print_error("%s is in the log\n", secrets[i]);
			fail();
		}
	}
	assert_true(getenv("RIG_LOG") || strstr(log, "worker-start"));
}

void rig_stop(struct rig *rig) {
	struct ipc_message message = { .kind = IPC_STOP, .stop = { .grace_ms = 1000 } };
	send_message(rig, &message);
	do {
		struct ipc_fds fds = { .count = 0 };
		assert_int_equal(channel_receive_fd(rig->supervisor, PEER_SUPERVISOR, rig->role,
						 RIG_WAIT_MS, &message, &fds),
				0);
	} while (message.kind != IPC_STOPPED);
	int status;
	assert_int_equal(waitpid(rig->pid, &status, 0), rig->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(rig->supervisor);
	close(rig->store);
	for (unsigned i = 0; i < DOORS; i++) {
		fd_release(&rig->sockets[i]);
	}
	if (rig->api_path[0]) {
		unlink(rig->api_path);
	}
	shm_finish(&rig->pulse);
	assert_log_is_clean(rig);
	close(rig->log);
}

size_t rig_count_fds(const struct rig *rig) {
	char path[64];
	text_format(path, sizeof(path), "/proc/%d/fd", rig->pid);
	DIR *dir = opendir(path);
	assert_non_null(dir);
	size_t count = 0;
	for (struct dirent *entry; (entry = readdir(dir));) {
		count += entry->d_name[0] != '.';
	}
	closedir(dir);
	return count;
}

unsigned rig_count_close_wait(const struct rig *rig, uint16_t port) {
	(void)rig;
	unsigned count = 0;
	char line[512], wanted[16];
	text_format(wanted, sizeof(wanted), ":%04X ", port);
	FILE *file = fopen("/proc/net/tcp6", "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		char *local = strstr(line, wanted);
		/* local address, remote address, state: 08 is CLOSE_WAIT */
		char *state = local ? strchr(local + strlen(wanted), ' ') : NULL;
		count += state && strncmp(state + 1, "08", 2) == 0;
	}
	fclose(file);
	return count;
}

/* Polls: there is no event for another process's descriptors. */
void rig_await_fds(const struct rig *rig, size_t count) {
	uint64_t until = clock_now_ms() + RIG_FDS_WAIT_MS;
	while (rig_count_fds(rig) > count && clock_now_ms() < until) {
		poll(NULL, 0, 20);
	}
	assert_in_range(rig_count_fds(rig), 0, count);
}

/* ---- clients ---- */

int rig_connect_from(uint16_t port, const char *source) {
	struct address address;
	struct sockaddr_in6 sa;
	assert_int_equal(address_parse_ip(source, &address), 0);
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	address_to_sockaddr(&address, &sa);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(address_parse_ip(address_is_v4(&address) ? "127.0.0.1" : "::1", &address),
			0);
	address.port = port;
	address_to_sockaddr(&address, &sa);
	struct timeval limit = { .tv_sec = RIG_WAIT_MS / 1000 };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

int rig_connect(uint16_t port) {
	return rig_connect_from(port, "127.0.0.1");
}

void rig_use_identity(SSL_CTX *context, const struct rig_identity *identity) {
	BIO *bio = BIO_new_mem_buf(identity->certificate, -1);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	assert_int_equal(SSL_CTX_use_certificate(context, certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(context, identity->identity.key), 1);
	X509_free(certificate);
	BIO_free(bio);
}

void tls_client_open(
		struct tls_client *client, uint16_t port, const struct rig_identity *identity) {
	tls_client_open_from(client, port, identity, "127.0.0.1");
}

void tls_client_open_from(struct tls_client *client, uint16_t port,
		const struct rig_identity *identity, const char *source) {
	client->context = SSL_CTX_new(TLS_client_method());
	assert_non_null(client->context);
	if (identity) {
		rig_use_identity(client->context, identity);
	}
	client->fd = rig_connect_from(port, source);
	client->ssl = SSL_new(client->context);
	SSL_set_fd(client->ssl, client->fd);
	/* What browsers and curl send. */
	static const unsigned char protocols[] = "\x02h2\x08http/1.1";
	SSL_set_alpn_protos(client->ssl, protocols, sizeof(protocols) - 1);
	assert_int_equal(SSL_connect(client->ssl), 1);
	const unsigned char *chosen;
	unsigned len;
	SSL_get0_alpn_selected(client->ssl, &chosen, &len);
	assert_int_equal(len, 8);
	assert_memory_equal(chosen, "http/1.1", 8);
}

void tls_client_close(struct tls_client *client) {
	SSL_free(client->ssl);
	SSL_CTX_free(client->context);
	close(client->fd);
}

void rig_write(int fd, SSL *ssl, const char *text) {
	size_t len = strlen(text);
	if (ssl) {
		assert_int_equal(SSL_write(ssl, text, (int)len), (int)len);
	} else {
		assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), (ssize_t)len);
	}
}

static bool is_whole(const char *text, size_t len) {
	const char *end = strstr(text, "\r\n\r\n");
	const char *length = strstr(text, "Content-Length: ");
	if (!end || !length || length > end) {
		return false;
	}
	size_t body = strtoul(length + 16, NULL, 10);
	return len >= (size_t)(end + 4 - text) + body;
}

size_t rig_read_answer(int fd, SSL *ssl, char *out, size_t size) {
	size_t len = 0;
	out[0] = '\0';
	while (len + 1 < size && !is_whole(out, len)) {
		ssize_t n = ssl ? SSL_read(ssl, out + len, (int)(size - len - 1))
				: recv(fd, out + len, size - len - 1, 0);
		if (n <= 0) {
			break;
		}
		len += (size_t)n;
		out[len] = '\0';
	}
	return len;
}

void rig_check_has(const char *text, const char *part, const char *file, int line) {
	if (!strstr(text, part)) {
		print_error("no %s in: %.1000s\n", part, text);
		_fail(file, line);
	}
}

static void write_get(int fd, SSL *ssl, const char *target) {
	char request[24 * 1024];
	assert_true(text_format(request, sizeof(request),
			"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", target));
	rig_write(fd, ssl, request);
}

void world_get(struct world *world, const char *target) {
	int fd = rig_connect(world->rig.ports[DOOR_HTTP]);
	write_get(fd, NULL, target);
	rig_read_answer(fd, NULL, world->text, sizeof(world->text));
	close(fd);
}

void world_get_tls(struct world *world, const struct rig_identity *who, const char *target) {
	struct tls_client client;
	tls_client_open(&client, world->rig.ports[DOOR_HTTPS], who);
	write_get(client.fd, client.ssl, target);
	rig_read_answer(client.fd, client.ssl, world->text, sizeof(world->text));
	tls_client_close(&client);
}

int world_setup(void **state) {
	struct world *world = calloc(1, sizeof(*world));
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
	setrlimit(RLIMIT_NOFILE, &limit);
	rig_make_identity(PAIRING_HOST, &world->host);
	rig_make_identity(PAIRING_CLIENT, &world->client);
	rig_make_identity(PAIRING_CLIENT, &world->stranger);
	*state = world;
	return 0;
}

int world_teardown(void **state) {
	struct world *world = *state;
	pairing_identity_finish(&world->host.identity);
	pairing_identity_finish(&world->client.identity);
	pairing_identity_finish(&world->stranger.identity);
	free(world);
	return 0;
}

struct world *world_begin(void **state, enum ipc_peer role, uint8_t encryption) {
	struct world *world = *state;
	const char *program = getenv("PERIGEE_GATE");
	assert_non_null(program);
	rig_start(&world->rig, program, role, encryption, &world->host, &world->client);
	return world;
}

void world_end(struct world *world) {
	rig_stop(&world->rig);
}
