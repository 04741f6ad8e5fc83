/* SPDX-License-Identifier: MIT */
#ifndef TESTS_GATE_TALK_H
#define TESTS_GATE_TALK_H

#include "../unit.h"

#include <stdint.h>

#include "base/text.h"
#include "proto/rtsp.h"
#include "proto/rtsp_seal.h"
#include "rig.h"

/* What a client says at the Moonlight door from /launch to PLAY. */

#define TALK_RIKEY "000102030405060708090A0B0C0D0E0F"
#define TALK_LAUNCH \
	"uniqueid=0123456789ABCDEF&appid=7&mode=1280x720x60&rikey=" TALK_RIKEY "&rikeyid=-5"

/* Asks over TLS and leaves the answer to be read. */
void talk_ask_tls(struct world *world, struct tls_client *client, const char *target);
void talk_read_tls(struct world *world, struct tls_client *client);

/* The supervisor's yes: session 42. */
struct ipc_message talk_granted(const struct ipc_message *launch);

/* A whole /launch, with more of its query; the answer is in world->text. */
void talk_launch(struct world *world, const char *extra);

struct talk {
	struct world *world;
	const char *source;     /* NULL: 127.0.0.1 */
	struct rtsp_seal *seal; /* NULL: in the clear */
	uint32_t cseq;
	char session[64];
	char text[8192]; /* of the answer */
	struct rtsp_response response;
};

/* RTSP, one connection a request. Reading answers the status; -EPIPE: the host said nothing. */
int talk_send(struct talk *talk, enum rtsp_method method, const char *target, struct span body);
int talk_read(struct talk *talk, int fd);
int talk_ask(struct talk *talk, enum rtsp_method method, const char *target);

/* OPTIONS to the last SETUP, of session 42. */
void talk_set_up(struct talk *talk);

/* Of TALK_LAUNCH's key; the caller finishes it. */
struct rtsp_seal talk_seal(void);

#endif
