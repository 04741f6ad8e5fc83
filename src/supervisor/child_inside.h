/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_CHILD_INSIDE_H
#define SUPERVISOR_CHILD_INSIDE_H

#include "supervisor/child.h"

/* Between child.c, which starts and hears children, child_adopt.c, which goes on with
 * those of a predecessor, watch.c, which judges them, and fence.c, which ends the sick.
 * Nobody else includes this. */

struct channel_events;
struct sd_event_source;

const struct pulse *child_pulse(const struct child *child);

/* Its last words are still in the channel and the pipe: hands them on. */
void child_drain(struct child *child);

/* Fills in `expected`, and the reason where nothing said one. */
uint32_t child_settle_end(struct child *child);

/* What the kind's unexpected death means to its session. */
uint32_t child_death_reason(enum ipc_peer kind);

/* Fences it unless it has ended after within_ms in which it could run. */
int watch_end(struct child *child, uint32_t within_ms);

/* Fences it unless it has said hello, or who it is, in the time that it has for that. */
int watch_greeting(struct child *child);

/* It did, or there is nothing any more to wait for. */
void watch_term_over(struct child_term *term);

/* Fences it if its pulse says that it crashed. */
void watch_crash(struct child *child);

/* The corpse has been looked at. */
void fence_release(struct child *child);

void child_free(struct child *child);

/* Its record is not as it is any more. */
void child_note_change(struct child *child);

/* By its pidfd, so that whoever reaps it, the number cannot mean another. */
int child_signal(const struct child *child, int number);

/* It is reaped; status as of waitpid, -1 when nobody saw it. Frees it. */
void child_reaped(struct child *child, int status);

int child_handle_output(struct sd_event_source *source, int fd, uint32_t revents, void *user);
extern const struct channel_events child_channel_events;

/* How much may wait for it, once its channel is open. */
void child_set_room(struct child *child);

/* Puts it among the living, or among the corpses by its phase; takes it from there. */
void nursery_link(struct nursery *nursery, struct child *child);
void nursery_unlink(struct nursery *nursery, struct child *child);

#endif
