/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_VIEW_INSIDE_H
#define SUPERVISOR_VIEW_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "supervisor/view.h"

/* Between view.c, which makes and ends a view, view_seat.c, which moves it, view_flows.c,
 * which keeps its sockets, view_line.c, which moves it between encodings of its desk, succeed.c,
 * which replaces its stream, and view_record.c, which writes down what a supervisor that takes over
 * must know. Nobody else includes this. */

/* Spawns the stream. */
int view_spawn(struct view *view) NODISCARD;

/* One without processes. NULL without memory. */
struct view *view_make(struct session *session, uint32_t id);

/* The stream has answered the oldest offer of a flow. */
void view_flow_answered(struct view *view, unsigned flow, bool taken);

/* FLOW: one of its sockets, without the descriptor. */
struct ipc_message view_flow_message(
		const struct view *view, enum ipc_flow flow, const struct view_offer *offer);

/* To a stream that has just been started: what the one before it had taken, then what it
 * had not answered. */
void view_send_flows(struct view *view);
void view_close_flows(struct view *view);

/* Leaves what the view holds with the holder, or takes it away. */
void view_keep(struct view *view);
void view_forget(struct view *view);

/* The stream gets its orders if both rings are there. */
void view_start_stream(struct view *view);

/* Tells the stream of a seat whose rings are both there. */
int view_send_source(struct view *view, struct view_seat *seat) NODISCARD;

/* STREAM_SOURCE_ACTIVE. */
void view_source_active(struct view *view, uint32_t source, uint32_t reason);

/* An encoding of a seat got a ring: the stream hears of it, of the whole seat if it has not
 * had that yet. */
int view_seat_goes_on(
		struct view *view, struct view_seat *seat, struct encoding *encoding) NODISCARD;

/* STREAM_STATS: so many recoveries were caused by its client. */
void view_line_heard(struct view *view, uint64_t recoveries);

/* The encoding that comes has a ring; it does not come. */
void view_line_ready(struct view *view);
void view_line_fails(struct view *view, uint32_t reason);

/* Leaves a seat: desktop and encodings are told. */
void view_leave_seat(struct view *view, struct view_seat *seat, uint32_t reason);

/* Takes encodings for a seat on its desk; spare: of the view, by kind. */
int view_take_encodings(struct view *view, struct view_seat *seat) NODISCARD;

/* The stream is gone for good (child_owner.ended): its successor is started, or the
 * view ends; then the view is freed. */
void view_stream_ended(struct view *view, const struct child_end *end);

/* Spawns a stream that is down, with its orders. */
void view_start(struct view *view);

#endif
