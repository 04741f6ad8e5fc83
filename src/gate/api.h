/* SPDX-License-Identifier: MIT */
#ifndef GATE_API_H
#define GATE_API_H

#include "gate/request.h"
#include "gate/schema.h"
#include "ipc/message.h"

/* The API of the web door: what its handlers share, and their names for the table of routes
 * (api_table.c). Every answer is JSON with "success"; when it is false, "error" says why in words
 * for a person. */

struct gate;
struct ipc_fds;
struct json_t;
struct web_session;

/* The name of a scope in tokens and in the document. */
const char *api_scope_name(enum api_scope scope);

/* The OpenAPI 3.1 document of the table; NULL: no memory. To be freed with json_decref(). */
struct json_t *openapi_document(void);

/* Takes the object; NULL becomes a 500. */
void api_answer(struct connection *connection, int status, struct json_t *object);
void api_error(struct connection *connection, int status, const char *words);
void api_success(struct connection *connection);
/* With the status and, unless there is a detail, the words of a reason. */
void api_refuse(struct connection *connection, uint32_t reason, const char *detail);

/* ---- handlers, by file ---- */

void api_handle_pending(struct request *request);
void api_handle_link(struct request *request);
void api_handle_pair(struct request *request);

void api_handle_clients(struct request *request);
void api_handle_unpair(struct request *request);

/* api_permits.c: what a client may, in words; NULL or what is wrong. */
struct json_t;
void api_permits_show(struct json_t *row, const struct ipc_message *message);
const char *api_permits_read(const struct json_t *body, struct ipc_message *out);

void api_handle_client_settings(struct request *request);

void api_handle_apps(struct request *request);
void api_handle_app_add(struct request *request);
void api_handle_app_delete(struct request *request);
void api_handle_icon(struct request *request);
void api_handle_profiles(struct request *request);
void api_handle_profile_add(struct request *request);
void api_handle_profile_remove(struct request *request);

void api_handle_tokens(struct request *request);
void api_handle_token_create(struct request *request);
void api_handle_token_remove(struct request *request);

void api_handle_sessions(struct request *request);
void api_handle_session_add(struct request *request);
void api_handle_session_resume(struct request *request);
void api_handle_session_start(struct request *request);
void api_handle_session_pause(struct request *request);
void api_handle_session_stop(struct request *request);
void api_handle_session_input(struct request *request);
void api_handle_shot_ask(struct request *request);
void api_handle_desktop_input(struct request *request);
void api_handle_keyboard_state(struct request *request);
void api_handle_keyboard_reset(struct request *request);

void api_handle_image_inspect(struct request *request);
void api_handle_image_pull(struct request *request);
void api_handle_configure(struct request *request);
void api_handle_lobbies(struct request *request);
void api_handle_lobby_create(struct request *request);
void api_handle_lobby_join(struct request *request);
void api_handle_lobby_leave(struct request *request);
void api_handle_lobby_stop(struct request *request);
void api_handle_lobby_pause(struct request *request);
void api_handle_lobby_resume(struct request *request);
void api_handle_lobby_kick(struct request *request);
void api_handle_lobby_role(struct request *request);
void api_handle_switch(struct request *request);

/* api_launcher.c: what a launcher asks by its desktop's own socket. */
void api_handle_launcher(struct request *request);
void api_handle_launcher_profile(struct request *request);
/* STATE_DONE, of whatever else nobody asked for. */
void api_handle_launcher_proven(struct gate *gate, const struct ipc_message *message);
void api_handle_launcher_create(struct request *request);
void api_handle_launcher_join(struct request *request);
void api_handle_launcher_leave(struct request *request);
void api_handle_launcher_stop(struct request *request);

/* api_clipboard.c */
void api_handle_clip_get(struct request *request);
void api_handle_clip_set(struct request *request);
void api_handle_clip(struct gate *gate, struct ipc_message *message, struct ipc_fds *fds);
bool api_clip_done(struct gate *gate, const struct ipc_message *message);
void api_clip_gone(struct connection *connection);
void api_clip_overdue(struct connection *connection);

/* api_desk.c: a desktop's own door. */
void api_handle_desk_gone(struct gate *gate, const struct ipc_message *message);
void api_desk_filter(const struct connection *connection, char *out, size_t size);
struct json_t *api_desk_make(struct gate *gate, struct json_t *rows);
bool api_desk_may_shoot(const struct connection *connection);

void api_handle_status(struct request *request);
void api_handle_view(struct request *request);
void api_handle_memory(struct request *request);
/* Of the rows that were measured. */
struct json_t *api_make_memory(struct gate *gate, struct json_t *rows);
void api_handle_runner_start(struct request *request);
void api_handle_desktops(struct request *request);
void api_handle_not_built(struct request *request);
void api_handle_restart(struct request *request);
void api_handle_reload(struct request *request);
void api_handle_openapi(struct request *request);

void api_handle_upgrade(struct request *request);

/* ---- pages, which are in the same table ---- */

void web_handle_page(struct request *request);
void web_handle_asset(struct request *request);

/* ---- what is awaited, from the supervisor and the store ---- */

void api_handle_waiting(struct gate *gate, const struct ipc_message *message);
void api_handle_pair_gone(struct gate *gate, const struct ipc_message *message);
void api_handle_pair_answer(struct gate *gate, const struct ipc_message *message);
void api_handle_removed(struct gate *gate, const struct ipc_message *message);
void api_handle_status_line(struct gate *gate, const struct ipc_message *message);
void api_handle_status_rows(struct gate *gate, struct ipc_message *message, struct ipc_fds *fds);
void api_handle_status_end(struct gate *gate, const struct ipc_message *message);
void api_handle_reloaded(struct gate *gate, const struct ipc_message *message);
void api_handle_restarted(struct gate *gate, const struct ipc_message *message);
void api_handle_told_session(struct gate *gate, const struct ipc_message *message);
void api_handle_told_event(struct gate *gate, const struct ipc_message *message);
void api_handle_told_pad(struct gate *gate, const struct ipc_message *message);
void api_handle_image_piece(struct gate *gate, const struct ipc_message *message);
void api_handle_image_done(struct gate *gate, const struct ipc_message *message);
void api_handle_added(struct gate *gate, const struct ipc_message *message);
void api_handle_done(struct gate *gate, const struct ipc_message *message);
void api_handle_input_channel(struct gate *gate, struct ipc_message *message, struct ipc_fds *fds);
void api_handle_shot(struct gate *gate, struct ipc_message *message, struct ipc_fds *fds);
void api_handle_keys(struct gate *gate, const struct ipc_message *message);
void api_handle_lobby_created(struct gate *gate, const struct ipc_message *message);
void api_handle_lobby_done(struct gate *gate, const struct ipc_message *message);
void api_handle_lobby_state(struct gate *gate, const struct ipc_message *message);
void api_handle_lobby_runner(struct gate *gate, const struct ipc_message *message);
void api_handle_lobby_gone(struct gate *gate, const struct ipc_message *message);
void api_handle_lobby_member(struct gate *gate, const struct ipc_message *message);
void api_handle_app_row(struct gate *gate, const struct ipc_message *message);
/* Of the store's, profiles' among them; user is the gate. */
bool api_knows_app(void *user, int32_t app);
void api_handle_app_gone(struct gate *gate, const struct ipc_message *message);
void api_handle_profile_row(struct gate *gate, const struct ipc_message *message);
void api_handle_profile_gone(struct gate *gate, const struct ipc_message *message);
void api_handle_settings_row(struct gate *gate, const struct ipc_message *message);
void api_handle_token_row(struct gate *gate, const struct ipc_message *message);
void api_handle_token_gone(struct gate *gate, const struct ipc_message *message);
void api_handle_state_done(struct gate *gate, const struct ipc_message *message);
void api_handle_upgrade_answer(struct gate *gate, const struct ipc_message *message);

void api_handle_overdue(struct connection *connection);
void api_handle_gone(struct connection *connection);
void api_added_overdue(struct connection *connection);
void api_added_gone(struct connection *connection);
void api_image_overdue(struct connection *connection);
void api_image_gone(struct connection *connection);
bool api_image_more(struct connection *connection);
void api_lobby_overdue(struct connection *connection);
void api_lobby_gone(struct connection *connection);
void api_keys_overdue(struct connection *connection);
void api_keys_gone(struct connection *connection);
void api_input_gone(struct connection *connection);

/* ---- between the handlers ---- */

enum {
	API_ID_SIZE = 21, /* a 64-bit number as text */
};

void api_id_text(uint64_t id, char out[API_ID_SIZE]);

/* The desktop that "desktop_id", "lobby_id" or "session_id" (what that one sees) names; 0: it
 * was answered that there is none. */
uint64_t api_wanted_desktop(struct request *request);
/* The session that a field names; NULL: it was answered that there is none. */
struct web_session *api_wanted_session(struct request *request, const char *name);
/* The fingerprint in "client_id"; false: it was answered that there is none. */
bool api_wanted_client(struct request *request, uint8_t out[32]);

/* A client was paired, or is no more. */
void api_tell_client(struct gate *gate, const uint8_t fingerprint[32], bool paired);

/* Wolf's list of digits, "pin". False when it is too long. */
bool api_read_pin(const struct json_t *body, char *out, size_t size);

/* A command for a shell, as a runner's arguments. False when it does not fit. */
bool api_put_command(const char *command, char *out, size_t size, uint16_t *len);
/* What programs call a runner: how it is run, and its command for a shell as arguments, size
 * bytes of argv at most. NULL, or what is wrong with it in words for a person. */
const char *api_read_runner(const struct json_t *runner, char *argv, size_t size,
		uint16_t *argv_len, struct ipc_app_how *out);
/* False: it was answered that whoever asks may not run that. */
bool api_may_run(const struct request *request, const struct ipc_app_how *how);
/* The same the other way. */
struct json_t *api_runner_json(
		const char *name, const char *argv, size_t len, const struct ipc_app_how *how);

/* LOBBY_WISH: what a door before this one was told. */
void api_handle_wish(struct gate *gate, const struct ipc_message *message);
/* A viewer has its first picture: does as sessions/configure said of its client. */
void api_wish_begins(struct gate *gate, const struct web_session *row);
/* For that session, as the body of sessions/add says. False when nothing more can be kept. */
bool api_wish_add(struct gate *gate, uint64_t session, const struct json_t *body);
bool api_wish_fits(struct gate *gate);
void api_wish_forget(struct gate *gate, uint64_t session);
/* LOBBY_JOIN that nobody waits for: events tell what came of it. False when there are too many. */
bool api_wish_now(struct gate *gate, struct ipc_message *join);
/* LOBBY_DONE that no connection waits for. */
void api_wish_done(struct gate *gate, const struct ipc_message *message);

/* Answers with size bytes of a sealed block of memory (fd, which is taken), which are only
 * carried. */
void api_carry(struct connection *connection, int fd, uint32_t size, const char *type);

/* Closes the channel to a desktop that is gone. */
void api_input_forget(struct gate *gate, uint64_t session);
/* API_DONE of a request that waits for a picture; for an input channel; for keys. True: it
 * was. */
bool api_shot_done(struct gate *gate, const struct ipc_message *message);
bool api_input_done(struct gate *gate, const struct ipc_message *message);
bool api_keys_done(struct gate *gate, const struct ipc_message *message);

#endif
