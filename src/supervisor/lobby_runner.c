/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "ipc/reason.h"
#include "supervisor/app_made.h"
#include "supervisor/desk.h"
#include "supervisor/lobby_inside.h"
#include "supervisor/supervisor.h"

/* What runs in a lobby, where it is no app of the list. It is longer than a record of the
 * ledger: it lies in a block of its own, which the holder keeps. */

static int make_app(
		struct lobby *lobby, const struct ipc_message *runner, struct config_text *error) {
	const struct app_words words = { .title = lobby->name,
		.argv = runner->lobby_runner.argv,
		.argv_len = runner->lobby_runner.argv_len,
		.how = &runner->lobby_runner.how };
	return app_make_own(&words, lobby->supervisor->nursery.libexec, &lobby->own_app, error);
}

static int keep(struct lobby *lobby, const struct ipc_message *runner) {
	uint8_t bytes[IPC_MESSAGE_MAX];
	int len = ipc_encode(runner, bytes, sizeof(bytes));
	int rc = len < 0 ? len : shm_create("runner", (size_t)len, false, &lobby->runner);
	if (rc < 0) {
		return rc;
	}
	memcpy(lobby->runner.map, bytes, (size_t)len);
	keep_put(&lobby->supervisor->keep, lobby->runner.fd, "s%016llx.runner",
			(unsigned long long)lobby->desk->id);
	return 0;
}

/* The words that LOBBY_CREATE has of it. */
static void extract(const struct lobby *lobby, const struct ipc_message *create,
		struct ipc_message *out) {
	const typeof(create->lobby_create) *from = &create->lobby_create;
	*out = (struct ipc_message){ .kind = IPC_LOBBY_RUNNER,
		.lobby_runner = { .argv_len = from->argv_len, .how = from->how } };
	text_copy(out->lobby_runner.lobby, sizeof(out->lobby_runner.lobby), lobby->id);
	memcpy(out->lobby_runner.argv, from->argv, from->argv_len);
}

uint32_t lobby_runner_make(
		struct lobby *lobby, const struct ipc_message *create, char *detail, size_t size) {
	struct ipc_message runner;
	struct config_text error = { "" };
	extract(lobby, create, &runner);
	int rc = make_app(lobby, &runner, &error);
	rc = rc < 0 ? rc : keep(lobby, &runner);
	if (rc < 0) {
		text_format(detail, size, "%.*s", (int)size - 1,
				error.text[0] ? error.text : strerror(-rc));
	}
	return rc == 0 ? REASON_NONE : rc == -EINVAL ? REASON_RUNNER_REFUSED : REASON_RESOURCES;
}

static int read_back(const struct lobby *lobby, struct ipc_message *out) {
	int rc = ipc_decode_own(lobby->runner.map, lobby->runner.size, out);
	return rc == 0 && out->kind != IPC_LOBBY_RUNNER ? -EBADMSG : rc;
}

bool lobby_runner_restore(struct lobby *lobby, const struct ipc_message *create) {
	struct ipc_message runner;
	struct config_text error = { "" };
	int fd = keep_take(&lobby->supervisor->keep, "s%016llx.runner",
			(unsigned long long)lobby->desk->id);
	if (fd >= 0 && shm_adopt(fd, 1, false, &lobby->runner) < 0) {
		fd_close(fd);
		return false;
	}
	/* The release before wrote it into LOBBY_CREATE. */
	if (fd < 0) {
		extract(lobby, create, &runner);
		return make_app(lobby, &runner, &error) == 0 && keep(lobby, &runner) == 0;
	}
	return read_back(lobby, &runner) == 0 && make_app(lobby, &runner, &error) == 0;
}

void lobby_runner_tell(const struct lobby *lobby) {
	struct ipc_message runner;
	if (lobby->runner.map && read_back(lobby, &runner) == 0) {
		supervisor_post(lobby->supervisor, SERVICE_WEB, &runner, NULL, 0);
	}
}

void lobby_runner_finish(struct lobby *lobby) {
	app_finish_own(&lobby->own_app);
	shm_finish(&lobby->runner);
}
