/* SPDX-License-Identifier: MIT */
#ifndef GATE_WEB_H
#define GATE_WEB_H

#include <stdint.h>

#include "base/address.h"
#include "gate/connection.h"
#include "gate/events.h"
#include "gate/keyguard.h"
#include "gate/request.h"
#include "gate/sessions.h"
#include "gate/tokens.h"
#include "ipc/channel.h"
#include "ipc/message.h"

/* The web door: the pages for people and the API for programs, over HTTPS with the web key
 * and over a Unix socket for root and for whom Perigee runs as. */

struct gate;

enum {
	WEB_PENDING_MAX = 16,
	WEB_PAIR_MS = 25000, /* from the PIN to the end of the pairing */
	WEB_STATUS_LINES_MAX = 2048,
	WEB_INPUTS_MAX = 16,
	WEB_WISHES_MAX = 32,
};

extern const struct request_site web_site;
extern const struct connection_class web_class;
extern const struct connection_class web_api_class;

struct web_pending {
	uint32_t pairing; /* 0: free */
	struct address address;
	uint8_t client[32];
	char name[64];
	uint64_t since_ms;
	uint32_t request; /* of the connection that gave the PIN, 0 for none */
};

/* As the supervisor told it last. */
struct web_session {
	uint64_t session; /* 0: free */
	uint8_t client[32];
	char client_name[64];
	struct address address;
	int32_t app;
	uint8_t state; /* SESSION_ */
	uint16_t width, height;
	uint32_t rate_mhz;
	uint8_t channels;
	uint64_t desktop, begun_ms;
	uint32_t reason; /* when gone */
	char detail[160];
};

/* A channel on which input goes to a desktop. */
struct web_input {
	uint64_t session; /* 0: free */
	struct channel channel;
	uint64_t sequence, used_ms;
};

/* To which lobby a client's next viewer goes. */
struct web_wish {
	bool used;
	uint8_t client[32];
	uint64_t only; /* 0: whichever session of the client comes next */
	uint64_t until_ms, made_ms;
	uint64_t session; /* that is going there; 0: it has not come yet */
	char lobby[40];
	char pin[20];
	uint8_t role;
};

struct web {
	struct web_pending pending[WEB_PENDING_MAX];
	struct keyguard guard;
	struct events events;
	struct tokens tokens;
	struct web_session sessions[SESSIONS_MAX];
	struct web_input inputs[WEB_INPUTS_MAX];
	struct web_wish wishes[WEB_WISHES_MAX];
	bool foreign_told;         /* that fields of Wolf's pipelines have no effect */
	char lobby_untold[40];     /* made, with a runner that is not known yet; "": none */
	struct image_wait *images; /* of connections: they go with them */
	/* owned objects of rows as the API shows them, by id; apps by number */
	struct json_t *lobbies, *apps, *profiles, *settings;
};

void web_init(struct web *web);
void web_finish(struct web *web);

/* The session of that id, 0 for a free row; NULL when there is none. */
struct web_session *web_session_find(struct web *web, uint64_t id);

/* Whether whoever asks may this as well: its door or its token says so. */
bool web_may(const struct request *request, enum api_scope scope);

void web_serve(struct request *request, const struct route *route);
void web_not_found(struct request *request, int status);

/* Once, before anything of JSON: the library would read a file for its seed. */
void web_prepare(void);

/* The connection that gave a PIN is gone. */
void api_pair_forget(struct gate *gate, uint32_t request);

#endif
