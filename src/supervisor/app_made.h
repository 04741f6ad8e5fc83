/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_APP_MADE_H
#define SUPERVISOR_APP_MADE_H

#include "base/own.h"
#include "ipc/message.h"
#include "supervisor/config.h"

/* What a program said of an app: kept by the store, or a lobby's own. */
struct app_words {
	int32_t id; /* 0: in no list */
	const char *title, *argv;
	size_t argv_len;
	bool hdr, restart;
	const struct ipc_app_how *how;
};

/* Fills *out, which is zeroed, with copies. -ENOMEM; -EINVAL with the reason in error: then what
 * could be read is there. Either way config_apps_free() frees it. */
int app_made_fill(const struct app_words *words, struct config_app *out,
		struct config_text *error) NODISCARD;

#endif
