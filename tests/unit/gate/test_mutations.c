/* SPDX-License-Identifier: MIT */
/* Requests that are nearly right, at every door of a real gate, by the thousand: each is answered
 * or hung up on, and the gate lives on with nothing of them. What the fuzz targets are to the
 * decoders, this is to the handlers behind them. */
#include "../unit.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/text.h"
#include "ipc/pulse.h"
#include "rig.h"

#define KEY "X-Perigee-Key: 0123456789abcdef0123456789abcdef\r\n"
#define CERTIFICATE "2D2D2D2D2D424547494E2043455254494649434154452D2D2D2D2D0A"
#define END "Host: a:1\r\nConnection: close\r\n\r\n"

enum {
	PLAIN_EACH = 200,
	TLS_EACH = 40,
	REQUEST_MAX = 2048,
};

static const char *const moonlight[] = {
	"GET /serverinfo?uniqueid=0123456789ABCDEF&uuid=1 HTTP/1.1\r\n" END,
	"GET /pair?uniqueid=0123456789ABCDEF&devicename=roth&updateState=1&phrase=getservercert"
	"&salt=000102030405060708090A0B0C0D0E0F&clientcert=" CERTIFICATE " HTTP/1.1\r\n" END,
	"GET /pair?uniqueid=0123456789ABCDEF&clientchallenge=000102030405060708090A0B0C0D0E0F"
	" HTTP/1.1\r\n" END,
	"GET /unpair?uniqueid=0123456789ABCDEF HTTP/1.1\r\n" END,
	"GET /applist HTTP/1.1\r\n" END,
	"GET /appasset?appid=7&AssetType=2&AssetIdx=0 HTTP/1.1\r\n" END,
	"GET /launch?appid=7&mode=1280x720x60&rikey=F0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF&rikeyid=-5"
	"&surroundAudioInfo=196610&gcmap=1&corever=1 HTTP/1.1\r\n" END,
	"GET /resume?rikey=F0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF&rikeyid=5 HTTP/1.1\r\n" END,
	"GET /cancel HTTP/1.1\r\n" END,
};

static const char *const rtsp[] = {
	"OPTIONS rtsp://127.0.0.1:48010 RTSP/1.0\r\nCSeq: 1\r\nX-GS-ClientVersion: 14\r\n\r\n",
	"DESCRIBE rtsp://127.0.0.1:48010 RTSP/1.0\r\nCSeq: 2\r\nAccept: application/sdp\r\n\r\n",
	"SETUP streamid=video/0/0 RTSP/1.0\r\nCSeq: 3\r\nTransport: unicast\r\n\r\n",
	"ANNOUNCE streamid=control/13/0 RTSP/1.0\r\nCSeq: 4\r\nSession: 1\r\n"
	"Content-type: application/sdp\r\nContent-length: 20\r\n\r\nv=0\r\na=x-nv:1 \r\n....",
	"PLAY / RTSP/1.0\r\nCSeq: 5\r\n\r\n",
	"\x80\x00\x00\x10\x00\x00\x00\x01 sealed, or so it says",
};

static const char *const web[] = {
	"GET / HTTP/1.1\r\n" END,
	"GET /api/v1/pair/pending HTTP/1.1\r\n" KEY END,
	"GET /api/v1/status?filter=gate HTTP/1.1\r\n" KEY END,
	"GET /api/v1/clients HTTP/1.1\r\nOrigin: https://a:1\r\n" KEY END,
	"POST /api/v1/pair/client HTTP/1.1\r\n" KEY "Content-Length: 40\r\n" END
	"{\"pin\":\"1234\",\"pairing\":5,\"name\":\"a\"}  ",
	"POST /api/v1/unpair/client HTTP/1.1\r\n" KEY "Content-Length: 20\r\n" END
	"{\"client_id\":\"0123\"}",
	"GET /metrics HTTP/1.1\r\n" KEY END,
};

/* xorshift64: the same requests every time. */
static uint32_t dice(uint64_t *seed, size_t sides) {
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (uint32_t)((*seed >> 33) % sides);
}

static size_t mutate(const char *from, uint64_t *seed, char *out) {
	static const char *const pieces[] = { "%00", "%", "&&", "=", "\r\n", "\n", "\t", "../",
		"99999999999999999999", "-1", "\xff\xfe", "Content-Length: 5\r\n", "?", "{", "\"",
		"Transfer-Encoding: chunked\r\n", " " };
	size_t len = strlen(from);
	memcpy(out, from, len);
	for (unsigned n = dice(seed, 4); n > 0; n--) {
		size_t at = dice(seed, len + 1);
		const char *piece = pieces[dice(seed, ARRAY_LEN(pieces))];
		size_t add = strlen(piece);
		size_t cut = dice(seed, 20) < len - at ? dice(seed, 20) : 0;
		cut = cut < len - at ? cut : len - at;
		switch (dice(seed, 4)) {
		case 0:
			out[at < len ? at : 0] ^= (char)(1u << dice(seed, 8));
			break;
		case 1:
			memmove(out + at, out + at + cut, len - at - cut);
			len -= cut;
			break;
		case 2:
			memmove(out + at + add, out + at, len - at);
			memcpy(out + at, piece, add);
			len += add;
			break;
		default:
			len = dice(seed, 8) ? len : at;
			break;
		}
		len += len == 0;
	}
	return len;
}

/* As supervisor and store: takes what comes, and answers nothing. */
static void drain(struct world *world) {
	const int fds[] = { world->rig.supervisor, world->rig.store };
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		char waste[IPC_MESSAGE_MAX];
		ssize_t n;
		while ((n = recv(fds[i], waste, sizeof(waste), MSG_DONTWAIT)) > 0) {
		}
		assert_true(n < 0); /* it is still there */
	}
}

static int connect_api(const struct world *world) {
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	text_copy(sa.sun_path, sizeof(sa.sun_path), world->rig.api_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

/* Says it, says no more, and takes what comes at once, if anything does: an answer may be
 * waiting for somebody else. */
static void try_plain(struct world *world, int fd, const char *request, size_t len) {
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	if (send(fd, request, len, MSG_NOSIGNAL) > 0 && poll(&wait, 1, 2) > 0) {
		(void)!recv(fd, world->text, sizeof(world->text), MSG_DONTWAIT);
	}
	close(fd);
}

static void try_tls(struct world *world, enum ipc_door door, const struct rig_identity *who,
		const char *request, size_t len) {
	struct tls_client client;
	tls_client_open(&client, world->rig.ports[door], who);
	struct pollfd wait = { .fd = client.fd, .events = POLLIN };
	if (SSL_write(client.ssl, request, (int)len) > 0 && poll(&wait, 1, 2) > 0) {
		(void)!SSL_read(client.ssl, world->text, sizeof(world->text));
	}
	tls_client_close(&client);
}

struct attack {
	enum ipc_door door;
	const char *const *requests;
	size_t count;
	unsigned each;
};

static void run(struct world *world, const struct attack *attack, uint64_t *seed) {
	char request[REQUEST_MAX];
	for (size_t n = 0; n < attack->count * attack->each; n++) {
		size_t len = mutate(attack->requests[n % attack->count], seed, request);
		if (attack->door == DOOR_HTTPS || attack->door == DOOR_WEB) {
			try_tls(world, attack->door,
					attack->door == DOOR_HTTPS ? &world->client : NULL, request,
					len);
		} else {
			try_plain(world,
					attack->door == DOOR_API
							? connect_api(world)
							: rig_connect(world->rig.ports[attack->door]),
					request, len);
		}
		drain(world);
	}
}

static void check(void **state, enum ipc_peer role, const struct attack *attacks, size_t count) {
	struct world *world = world_begin(state, role, 0);
	size_t base = rig_count_fds(&world->rig);
	uint64_t seed = 0x9e3779b97f4a7c15;
	for (size_t i = 0; i < count; i++) {
		run(world, &attacks[i], &seed);
	}
	rig_settle(&world->rig); /* it lives, and its loop turns */
	rig_await_fds(&world->rig, base);
	drain(world);
	world_end(world);
}

static void nearly_right_requests_of_clients_do_no_harm(void **state) {
	static const struct attack attacks[] = {
		{ DOOR_HTTP, moonlight, ARRAY_LEN(moonlight), PLAIN_EACH },
		{ DOOR_RTSP, rtsp, ARRAY_LEN(rtsp), PLAIN_EACH },
		{ DOOR_HTTPS, moonlight, ARRAY_LEN(moonlight), TLS_EACH },
	};
	check(state, PEER_GATE, attacks, ARRAY_LEN(attacks));
}

static void nearly_right_requests_of_browsers_do_no_harm(void **state) {
	static const struct attack attacks[] = {
		{ DOOR_API, web, ARRAY_LEN(web), PLAIN_EACH },
		{ DOOR_WEB, web, ARRAY_LEN(web), TLS_EACH },
	};
	check(state, PEER_WEB, attacks, ARRAY_LEN(attacks));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(nearly_right_requests_of_clients_do_no_harm),
		UNIT(nearly_right_requests_of_browsers_do_no_harm),
	};
	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
