/* SPDX-License-Identifier: MIT */
#ifndef CLI_NAMED_H
#define CLI_NAMED_H

#include <stdbool.h>
#include <stddef.h>

/* What people call things by: an app by its title, a lobby by its name, a session by the
 * number that `perigee top` and the log show. */

enum {
	NAMED_ID_MAX = 64,
};

/* Each writes the id that the API knows it by, or what was said, where nothing fits: the host
 * then says what is wrong with it. runtime may be NULL. False when a lobby's name fits several,
 * which was said on stderr. */
void named_app(const char *runtime, const char *said, char out[NAMED_ID_MAX]);
void named_session(const char *runtime, const char *said, char out[NAMED_ID_MAX]);
bool named_lobby(const char *runtime, const char *said, char out[NAMED_ID_MAX]);

/* What a session sees, or a lobby shows: *out_field (static) is the name that the API has for
 * such an id, "session_id" or "lobby_id"; both are fit for an address. False when it can be
 * neither, which was said. */
bool named_desktop(const char *runtime, const char *said, const char **out_field,
		char out[NAMED_ID_MAX]);

#endif
