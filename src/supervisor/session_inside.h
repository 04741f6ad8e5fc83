/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_SESSION_INSIDE_H
#define SUPERVISOR_SESSION_INSIDE_H

struct session;

/* Between session.c, which lives a session's life, session_requests.c, which hears
 * what the doors ask of it, and adopt.c, which goes on with it after a supervisor's
 * death. Nobody else includes this. */

/* Tells the gate that the client may connect, if it waits for that. */
void session_answer_launch(struct session *session);

/* New ping payloads, connect data and ENet id, for a client that comes (back). */
void session_draw_secrets(struct session *session);

/* Spawns the view's processes, so that they are there when ANNOUNCE comes. */
void session_open_view(struct session *session);

/* Closes the view, whatever it has been told, and opens one that has been told nothing. */
void session_reopen_view(struct session *session);

/* RTSP of a plain launch is over, one way or the other: the next may come. */
void session_end_plain(struct session *session);

/* Tells the desk whether somebody may see what it shows. */
void session_tell_audience(struct session *session);

/* Sets the timer to the life's deadline. */
void session_arm(struct session *session);

#endif
