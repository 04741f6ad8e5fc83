/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_SESSION_ADDED_H
#define SUPERVISOR_SESSION_ADDED_H

#include <stdbool.h>
#include <stdint.h>

struct ipc_message;
struct session;
struct supervisor;

/* Sessions that a program asks for by the web door: further ones of a client, or nobody's;
 * and a new key for one that is there. Such a launch goes the way of any other, but its
 * program is answered once the Moonlight door knows who is about to come. */

/* LAUNCH of the web door. */
void session_added_handle(struct supervisor *supervisor, struct ipc_message *message);

/* The session that such a LAUNCH resumes; NULL: a new one is wanted, or there is none. */
struct session *session_added_named(
		struct supervisor *supervisor, const struct ipc_message *message);

/* Whose a new session is. Of a launch of the Moonlight door: nothing special. */
void session_added_fill(struct session *session, const struct ipc_message *message);

/* It is being started: who wanted to know its number at once is told. */
void session_added_begun(struct session *session);

/* Its desktop is ready. */
void session_added_ready(struct session *session);

/* The Moonlight door lets its viewer in. */
void session_added_expected(struct supervisor *supervisor, uint64_t session);

/* To a new Moonlight door: who may be on the way. */
void session_added_tell_all(struct supervisor *supervisor);

/* SESSION_START: the Moonlight door lets pings in from that address, by those secrets. False: it
 * was answered that nobody is waited for. session may be NULL. */
bool session_added_expect(struct supervisor *supervisor, struct session *session,
		const struct ipc_message *message);

/* What was started so is there, or why not. */
void session_added_started(struct session *session, uint32_t reason);

/* API_FORGET: nobody waits for the answer any more, and what was begun for it ends. */
void session_added_forget(struct supervisor *supervisor, const struct ipc_message *message);

#endif
