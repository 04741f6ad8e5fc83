/* SPDX-License-Identifier: MIT */
#ifndef GATE_GATE_STORE_H
#define GATE_GATE_STORE_H

#include <stdint.h>

struct gate;

/* What the store says to a door: who we are, who is paired, what was kept. Main thread only. */

/* The channel to a store, instead of the one before; takes fd. */
void gate_store_open(struct gate *gate, int fd);

/* The client is no more: its sessions are, and its connections end. */
void gate_store_forget(struct gate *gate, const uint8_t fingerprint[32]);

#endif
