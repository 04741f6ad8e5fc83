/* SPDX-License-Identifier: MIT */
#ifndef APPS_HOME_LINK_H
#define APPS_HOME_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/home_model.h"
#include "base/own.h"

/* Home's calls over the socket that its desktop has for it (PERIGEE_SOCKET): one at a time, each
 * on a connection of its own, none waited for. Main thread only. */

enum {
	HOME_LINK_MS = 35000, /* the host's own deadlines are shorter */
	HOME_ANSWER_MAX = 1 << 18,
	HOME_REQUEST_MAX = 1024,
};

struct home_link {
	const char *path; /* borrowed */
	int fd;           /* owned; -1: nothing is asked */
	uint64_t deadline_ms;
	char *answer; /* owned */
	size_t len;
};

void home_link_init(struct home_link *link, const char *path);
void home_link_finish(struct home_link *link);

/* Asks what there is, or for what a person wants. -EBUSY while another is asked, -errno when
 * the host is not there. */
int home_link_look(struct home_link *link) NODISCARD;
int home_link_ask(struct home_link *link, const struct home_request *request) NODISCARD;

/* To be called when fd is readable, or the deadline has passed. 0: the answer is here, in
 * answer; -EAGAIN: not yet; -errno: there is none. */
int home_link_take(struct home_link *link, uint64_t now_ms) NODISCARD;

/* ---- pure ---- */

/* A whole request; HOME_NOTHING looks. -ENOSPC. Returns its length. */
int home_link_write(const struct home_request *request, char *out, size_t size) NODISCARD;

/* What an answer says: done or not with words (of HOME_WORDS_SIZE), the id of a lobby that was
 * made (of HOME_ID_SIZE, "" for none), and what there is. -EBADMSG when it is no answer. */
struct home_said {
	bool done;
	char words[HOME_WORDS_SIZE], lobby[HOME_ID_SIZE];
	bool has_world;
	struct home_world world;
};

int home_link_read(const char *answer, size_t len, struct home_said *out) NODISCARD;

#endif
