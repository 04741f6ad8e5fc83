/* SPDX-License-Identifier: MIT */
#ifndef STORE_IDENTITY_H
#define STORE_IDENTITY_H

#include <stddef.h>

#include "base/own.h"

/* Who this host is to Moonlight, made once: a client knows the host by host_id
 * and pins the certificate (clients take any self-signed RSA-2048 one, SHA-256). */
struct identity {
	char certificate[4096]; /* PEM */
	char key[4096];         /* PEM (PKCS 8), secret */
	char host_id[40];       /* upper-case UUID */
	char web_key[36];       /* 32 of A-Z a-z 0-9 - _, secret */
};

/* Takes up to a second or so: prime numbers are searched. */
int identity_create(struct identity *out) NODISCARD;

#endif
