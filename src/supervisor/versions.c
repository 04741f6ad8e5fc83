/* SPDX-License-Identifier: MIT */
#include "supervisor/versions.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "base/version.h"
#include "supervisor/record.h"
#include "supervisor/supervisor.h"

static struct programs *link_new(struct versions *versions, const struct programs *programs) {
	struct programs *made = calloc(1, sizeof(*made));
	if (made) {
		*made = *programs;
		made->next = versions->first;
		versions->first = made;
	}
	return made;
}

static void leave(struct supervisor *supervisor, const struct programs *programs) {
	struct ipc_message message = { .kind = IPC_LEDGER_VERSION,
		.ledger_version.number = programs->number };
	for (size_t i = 0; programs_name(i); i++) {
		keep_put(&supervisor->keep, programs->fd[i], "v%u.%s", programs->number,
				programs_name(i));
	}
	text_copy(message.ledger_version.version, sizeof(message.ledger_version.version),
			programs->version);
	text_copy(message.ledger_version.folders, sizeof(message.ledger_version.folders),
			programs->folders);
	record_note(supervisor, programs->number, &message);
}

/* A predecessor's. */
static int take(struct supervisor *supervisor, const struct ipc_message *message) {
	struct programs programs = { .number = message->ledger_version.number };
	text_copy(programs.version, sizeof(programs.version), message->ledger_version.version);
	text_copy(programs.folders, sizeof(programs.folders), message->ledger_version.folders);
	for (size_t i = 0; i < PROGRAMS_MAX; i++) {
		const char *name = programs_name(i);
		OWN(fd_close)
		int fd = name ? keep_take(&supervisor->keep, "v%u.%s", programs.number, name) : -1;
		programs.fd[i] = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, PROGRAMS_FD_FIRST);
	}
	if (!link_new(&supervisor->versions, &programs)) {
		programs_finish(&programs);
		return -ENOMEM;
	}
	return 0;
}

/* What lies under our name by now may be another file than the one that we are. */
static void open_self(struct programs *programs) {
	OWN(fd_close) int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int fd = self < 0 ? -1 : fcntl(self, F_DUPFD_CLOEXEC, PROGRAMS_FD_FIRST);
	if (fd >= 0) {
		fd_close(TAKE(programs->fd[0], fd));
	}
}

static int open_own(struct supervisor *supervisor, const char *folders) {
	struct programs programs;
	int rc = programs_open(folders, &programs);
	if (rc < 0) {
		return rc;
	}
	open_self(&programs);
	programs.number = supervisor->keep.version;
	text_copy(programs.version, sizeof(programs.version), perigee_version());
	if (!link_new(&supervisor->versions, &programs)) {
		programs_finish(&programs);
		return -ENOMEM;
	}
	return 0;
}

static struct programs *find(const struct versions *versions, uint32_t number) {
	struct programs *at = versions->first;
	while (at && at->number != number) {
		at = at->next;
	}
	return at;
}

int versions_begin(struct supervisor *supervisor, const char *folders) {
	struct versions *versions = &supervisor->versions;
	struct ipc_message message;
	uint64_t id;
	int rc = 0;
	for (size_t at = 0; rc == 0 && ledger_next(&supervisor->ledger, IPC_LEDGER_VERSION, &at,
						       &id, &message) == 0;) {
		rc = take(supervisor, &message);
	}
	versions->current = find(versions, supervisor->keep.version);
	if (rc == 0 && !versions->current) {
		rc = open_own(supervisor, folders);
		versions->current = find(versions, supervisor->keep.version);
	}
	return rc;
}

void versions_record(struct supervisor *supervisor) {
	for (const struct programs *at = supervisor->versions.first; at; at = at->next) {
		leave(supervisor, at);
	}
}

struct programs *versions_add(struct supervisor *supervisor, struct programs *programs) {
	struct versions *versions = &supervisor->versions;
	programs->number = 0;
	for (const struct programs *at = versions->first; at; at = at->next) {
		programs->number = at->number > programs->number ? at->number : programs->number;
	}
	programs->number++;
	struct programs *made = link_new(versions, programs);
	if (!made) {
		programs_finish(programs);
		return NULL;
	}
	leave(supervisor, made);
	return made;
}

const struct programs *versions_find(const struct versions *versions, uint32_t number) {
	return find(versions, number);
}

static uint32_t version_among(const struct child *list, uint64_t session) {
	while (list && (list->session != session || !list->version)) {
		list = list->next;
	}
	return list ? list->version : 0;
}

const struct programs *versions_for(const struct nursery *nursery, uint64_t session) {
	const struct versions *versions = nursery->versions;
	if (!versions) {
		return NULL;
	}
	uint32_t number = session ? version_among(nursery->first, session) : 0;
	if (session && !number) {
		number = version_among(nursery->corpses, session);
	}
	const struct programs *found = number ? find(versions, number) : NULL;
	return found ? found : versions->current;
}

static unsigned count(const struct child *list, uint32_t number) {
	unsigned found = 0;
	for (; list; list = list->next) {
		found += list->version == number;
	}
	return found;
}

unsigned versions_count(const struct nursery *nursery, uint32_t number) {
	return count(nursery->first, number) + count(nursery->corpses, number);
}

void versions_sweep(struct supervisor *supervisor) {
	for (struct programs **at = &supervisor->versions.first; *at;) {
		struct programs *programs = *at;
		if (programs == supervisor->versions.current ||
				versions_count(&supervisor->nursery, programs->number)) {
			at = &programs->next;
			continue;
		}
		log_info("version-gone", "number=%u version=%s", programs->number,
				log_quote(programs->version).text);
		record_drop(supervisor, IPC_LEDGER_VERSION, programs->number);
		keep_drop(&supervisor->keep, "v%u.", programs->number);
		*at = programs->next;
		programs_finish(programs);
		free(programs);
	}
}
