/* SPDX-License-Identifier: MIT */
#include "gate/api.h"

#include <string.h>

#include <jansson.h>

#include "base/text.h"
#include "gate/gate.h"

/* The door of one desktop: a socket that lies where its programs alone are. What they ask is
 * about that desktop and nothing else, whatever they say; no address or body of theirs names
 * one. What costs other processes something is limited, so that the others do not feel a
 * desktop that asks without end (also budget.h, places.h). */

enum {
	DESK_SHOTS_MAX = 2, /* at once, by all desktops of themselves: the host takes four */
};

/* ---- what it is, and who looks at it ---- */

void api_desk_filter(const struct connection *connection, char *out, size_t size) {
	text_format(out, size, "desk %016llx", (unsigned long long)connection->desk);
}

/* Of rows "desktop" and "viewer"; NULL: the desktop is no more. */
json_t *api_desk_make(struct gate *gate, json_t *rows) {
	json_t *desktop = NULL, *viewers = json_array();
	(void)gate;
	for (size_t i = 0; i < json_array_size(rows); i++) {
		json_t *row = json_array_get(rows, i);
		bool is_viewer = strcmp(schema_text(row, "what", ""), "viewer") == 0;
		json_object_del(row, "what");
		if (is_viewer) {
			json_array_append(viewers, row);
		} else {
			desktop = row;
		}
	}
	if (!desktop) {
		json_decref(viewers);
		return NULL;
	}
	return json_pack("{s:b,s:O,s:o}", "success", 1, "desktop", desktop, "viewers", viewers);
}

/* ---- a picture ---- */

/* One at a time of each, and never all of those that the host takes. */
bool api_desk_may_shoot(const struct connection *connection) {
	unsigned own = 0, all = 0;
	for (size_t i = 0; i < PLACES_MAX; i++) {
		const struct connection *at = &connection->pool->slots[i];
		if (at->open && at->phase == PHASE_PENDING && at->awaits == AWAITS_SHOT &&
				connection_is_desk(at)) {
			all++;
			own += at->desk == connection->desk;
		}
	}
	return own == 0 && all < DESK_SHOTS_MAX;
}

/* ---- the socket itself ---- */

void api_handle_desk_gone(struct gate *gate, const struct ipc_message *message) {
	if (message->gate_desk.desk == GATE_DESK_ALL) {
		connections_forget_desks(&gate->connections);
	} else {
		connections_drop_desk(&gate->connections, message->gate_desk.desk);
	}
}
