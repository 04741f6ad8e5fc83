/* SPDX-License-Identifier: MIT */
#ifndef CLI_NAMED_H
#define CLI_NAMED_H

#include <stdbool.h>
#include <stddef.h>

/* What people call things by: an app by its title, a client or a lobby by its name, a session by
 * the name of its client, or by the number that `perigee top` and the log show; a client also by
 * the beginning of its id. */

enum {
	NAMED_ID_MAX = 72, /* a client's is 64 long */
};

/* Each writes the id that the API knows it by. False when nothing, or more than one, is called
 * so, which was said. runtime may be NULL; said may be NULL for the only session there is. */
bool named_app(const char *runtime, const char *said, char out[NAMED_ID_MAX]);
bool named_session(const char *runtime, const char *said, char out[NAMED_ID_MAX]);
bool named_client(const char *runtime, const char *said, char out[NAMED_ID_MAX]);
bool named_lobby(const char *runtime, const char *said, char out[NAMED_ID_MAX]);

/* What a session sees, or a lobby shows: *out_field (static) is the name that the API has for
 * such an id, "session_id" or "lobby_id"; both are fit for an address. */
bool named_desktop(const char *runtime, const char *said, const char **out_field,
		char out[NAMED_ID_MAX]);

#endif
