/* SPDX-License-Identifier: MIT */
#ifndef GATE_MOONLIGHT_H
#define GATE_MOONLIGHT_H

#include <stdint.h>

#include "gate/connection.h"
#include "gate/request.h"

/* The Moonlight door: which path is answered on which port, for whom; and the answers
 * that come from memory. */

extern const struct request_site moonlight_site;
extern const struct connection_class moonlight_http_class;
extern const struct connection_class moonlight_https_class;

/* Answers with the document of len bytes at xml; a negative len is our own failure. */
void moonlight_answer(struct connection *connection, const char *xml, int len, int code);

/* A refusal that the client shows. */
void moonlight_error(struct connection *connection, int status, const char *message);

/* The same for a reason of ipc/reason.h; detail replaces its words when not empty. */
void moonlight_reason(struct connection *connection, uint32_t reason, const char *detail);

#endif
