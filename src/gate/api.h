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
struct json_t;

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

void api_handle_status(struct request *request);
void api_handle_restart(struct request *request);
void api_handle_openapi(struct request *request);

/* ---- pages, which are in the same table ---- */

void web_handle_page(struct request *request);
void web_handle_asset(struct request *request);

/* ---- what is awaited, from the supervisor and the store ---- */

void api_handle_waiting(struct gate *gate, const struct ipc_message *message);
void api_handle_pair_gone(struct gate *gate, const struct ipc_message *message);
void api_handle_pair_answer(struct gate *gate, const struct ipc_message *message);
void api_handle_removed(struct gate *gate, const struct ipc_message *message);
void api_handle_status_line(struct gate *gate, const struct ipc_message *message);
void api_handle_status_end(struct gate *gate, const struct ipc_message *message);
void api_handle_restarted(struct gate *gate, const struct ipc_message *message);

void api_handle_overdue(struct connection *connection);
void api_handle_gone(struct connection *connection);

#endif
