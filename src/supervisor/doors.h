/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_DOORS_H
#define SUPERVISOR_DOORS_H

#include "ipc/channel.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"

/* What the two doors (Moonlight and web) are told and what they ask. */

/* Everything a door that has just started must know. */
void doors_introduce(struct supervisor *supervisor, enum service_name name, struct child *child);

/* A channel between the door and the store, when both run. */
void doors_introduce_store(struct supervisor *supervisor, enum service_name name);

void doors_tell_options(struct supervisor *supervisor);
void doors_tell_codecs(struct supervisor *supervisor);
/* The list of apps, to both. */
void doors_tell_apps(struct supervisor *supervisor);

void doors_tell_art(struct supervisor *supervisor, unsigned index);

/* Name and port for mDNS, once known. */
void doors_announce(struct supervisor *supervisor);

/* With the gate goes every client that waited there for a PIN: the web door is told. */
void doors_gate_ended(struct supervisor *supervisor);

void doors_gate_message(
		struct supervisor *supervisor, struct ipc_message *message, struct ipc_fds *fds);
void doors_web_message(
		struct supervisor *supervisor, struct ipc_message *message, struct ipc_fds *fds);

/* What Moonlight shows as the host's name. */
const char *doors_host_name(const struct supervisor *supervisor);

/* The best address of this machine, "localhost" until one is known. */
void doors_host_address(const struct supervisor *supervisor, char *out, size_t size);

#endif
