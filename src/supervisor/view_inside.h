/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_VIEW_INSIDE_H
#define SUPERVISOR_VIEW_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "supervisor/view.h"

/* Between view.c, which makes and ends a view, view_orders.c, which says what its
 * encoders are to do, succeed.c, which replaces what dies, and view_record.c, which
 * writes down what a supervisor that takes over must know. Nobody else includes this. */

/* Spawns a part; what it is and who hears it is view.c's. */
int view_spawn(struct view *view, enum view_part part) NODISCARD;

/* One without processes. NULL without memory. */
struct view *view_make(struct session *session, uint32_t id);

/* The stream has answered the oldest offer of a flow. */
void view_flow_answered(struct view *view, unsigned flow, bool taken);

/* Leaves what the view holds with the holder, or takes it away. */
void view_keep(struct view *view);
void view_forget(struct view *view);

/* Starts, or gives its orders to, what has not got them when a supervisor took over. */
void view_part_mend(struct view *view, enum view_part part);

/* The orders of a part whose view is open; nothing before that. */
int view_order(struct view *view, enum view_part part) NODISCARD;

/* The stream gets its orders if both rings are there. */
void view_start_stream(struct view *view);

/* START for an encoder; channel goes to the desktop. */
void view_order_pictures(struct view *view, int channel);
void view_order_sound(struct view *view);

/* The kind that encodes now is not to be used again for this view; false when
 * there is no other. */
bool view_give_up_kind(struct view *view);

/* A part is gone for good (child_owner.ended): its successor is started, or the
 * view ends; then the view is freed. */
void view_part_ended(struct view *view, enum view_part part, const struct child_end *end);

/* Spawns a part that is down, with its orders. */
void view_start_part(struct view *view, enum view_part part);

/* An encoder's ring came: the stream that plays goes on with it. */
int view_hand_over(struct view *view, enum view_part part) NODISCARD;

/* The part serves (again). */
void view_part_serves(struct view *view, enum view_part part);

#endif
