/* SPDX-License-Identifier: MIT */
#ifndef GATE_BODY_H
#define GATE_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "base/text.h"

/* What API requests say in their bodies, decoded whole from JSON. Pure; no state. On failure
 * *out_fault says what is wrong, for a person: a literal. */
enum {
	BODY_NAME_MAX = 64,
};

/* {"pin": "1234", "pairing": 5, "name": "TV"}: the PIN that somebody typed. */
struct body_pin {
	char pin[5];
	uint32_t pairing; /* 0: the only one that waits. Also read from Wolf's "pair_secret". */
	char name[BODY_NAME_MAX]; /* "" when none was given */
};

/* -EBADMSG, also for keys given twice and anything behind the object. */
int body_pin_parse(struct span body, struct body_pin *out, const char **out_fault) NODISCARD;

/* {"client_id": "<64 hexadecimal digits>"}. -EBADMSG when it is no JSON object, -ENOENT when
 * no client can have that name. */
int body_client_parse(struct span body, uint8_t out[32], const char **out_fault) NODISCARD;

/* {"kind": "encoder", "id": "0123456789abcdef"}: a process to restart. */
struct body_restart {
	char kind[16];
	char id[24]; /* "" when none was given */
};

/* -EBADMSG. */
int body_restart_parse(
		struct span body, struct body_restart *out, const char **out_fault) NODISCARD;

#endif
