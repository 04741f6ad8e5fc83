/* SPDX-License-Identifier: MIT */
#ifndef GATE_FLOWS_H
#define GATE_FLOWS_H

#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/own.h"
#include "gate/sessions.h"
#include "ipc/message.h"

/* Which first datagram makes a flow. Pure: sessions and time are given.
 *
 * A secret selects the session, and an address receives only after it has proven
 * itself: so a ping must carry the session's payload, come from an IP that RTSP of this
 * session came from, and count upwards; an ENet CONNECT must carry the session's connect
 * data and come from such an IP. What an ENet peer sends from a new address is passed on
 * for the stream to judge, which knows the key. Nothing is ever answered from here. */
enum flow_refusal {
	FLOW_REFUSED_NONSENSE, /* neither a ping nor ENet */
	FLOW_REFUSED_LEGACY,   /* a 4-byte ping: proves nothing */
	FLOW_REFUSED_NO_DATA,  /* CONNECT with data 0: an old client */
	FLOW_REFUSED_UNKNOWN,  /* no session has this secret */
	FLOW_REFUSED_UNPROVEN, /* right secret, wrong address */
	FLOW_REFUSED_OLD,      /* a repeated ping */
	FLOW_REFUSED_TOO_SOON, /* rate limit of new flows */
	FLOW_REFUSALS,
};

const char *flow_refusal_name(enum flow_refusal refusal);

struct flow_choice {
	struct session *session;
	uint32_t counter; /* 0 for control */
};

/* 0 when the datagram makes a flow: the session's counters have moved then. Else
 * -EPROTO, with the refusal in *out_refusal. */
int flows_judge(struct sessions *sessions, enum ipc_flow flow, const struct address *from,
		const void *datagram, size_t len, uint64_t now_ms, struct flow_choice *out,
		enum flow_refusal *out_refusal) NODISCARD;

#endif
