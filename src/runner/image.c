/* SPDX-License-Identifier: MIT */
#include "runner/image.h"

#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "base/log.h"
#include "ipc/reason.h"
#include "ipc/worker.h"
#include "runner/engine.h"

enum {
	INSPECT_MS = 10000,
	PULL_IDLE_MS = 120000,
	TARGET_MAX = 1280,
};

bool image_inspect_target(const char *name, char *out, size_t size) {
	char encoded[TARGET_MAX - 64];
	return container_encode(name, encoded, sizeof(encoded)) &&
	       text_format(out, size, "/images/%s/json", encoded);
}

bool image_pull_target(const char *name, char *out, size_t size) {
	char encoded[TARGET_MAX - 64];
	const char *last = strrchr(name, '/');
	bool tagged = strchr(last ? last : name, ':') || strchr(name, '@');
	return container_encode(name, encoded, sizeof(encoded)) &&
	       text_format(out, size, "/images/create?fromImage=%s%s", encoded,
			       tagged ? "" : "&tag=latest");
}

static void send_piece(struct image *image, const char *bytes, size_t len) {
	struct ipc_message message = { .kind = IPC_IMAGE_PIECE };
	while (len > 0) {
		size_t n = len < sizeof(message.image_piece.bytes)
					   ? len
					   : sizeof(message.image_piece.bytes);
		memcpy(message.image_piece.bytes, bytes, n);
		message.image_piece.len = (uint16_t)n;
		worker_post(image->worker, &message, NULL, 0);
		bytes += n;
		len -= n;
	}
}

static void finish(struct image *image, int status, const char *detail) {
	struct ipc_message message = { .kind = IPC_IMAGE_DONE, .image_done.status = status };
	text_copy(message.image_done.detail, sizeof(message.image_done.detail), detail);
	worker_post(image->worker, &message, NULL, 0);
	log_info("image-done", "image=%s status=%d detail=%s", log_quote(image->name).text, status,
			log_quote(detail).text);
	worker_end(image->worker, REASON_ASKED, "answered");
}

/* An engine is believed nothing that is no object. */
static void handle_inspected(void *user, int status, const char *text, size_t len) {
	struct image *image = user;
	char said[200] = "";
	json_t *object = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	if (status == 200 && json_is_object(object)) {
		send_piece(image, text, len);
	} else if (status == 200) {
		status = -EPROTO;
	} else if (status >= 0) {
		container_parse_message(text, len, said, sizeof(said));
	} else {
		text_copy(said, sizeof(said), strerror(-status));
	}
	json_decref(object);
	finish(image, status, said);
}

static void take_line(struct image *image) {
	json_t *object = json_loadb(image->line, image->line_len, JSON_REJECT_DUPLICATES, NULL);
	char *text = json_is_object(object) ? json_dumps(object, JSON_COMPACT) : NULL;
	if (text) {
		char line[CONTAINER_LINE_MAX + 3];
		if (text_format(line, sizeof(line), "%s\r\n", text)) {
			send_piece(image, line, strlen(line));
		}
	}
	free(text);
	json_decref(object);
}

/* Lines longer than any that an engine sends are left out. */
static void take_pull(void *user, struct span bytes) {
	struct image *image = user;
	(void)container_pull_add(&image->pull, bytes);
	for (size_t i = 0; i < bytes.len; i++) {
		if (bytes.at[i] == '\n') {
			if (image->line_len > 0 && image->line_len < sizeof(image->line)) {
				take_line(image);
			}
			image->line_len = 0;
		} else if (image->line_len < sizeof(image->line)) {
			image->line[image->line_len++] = bytes.at[i];
		}
	}
}

static void handle_pulled(void *user, int status, const char *text, size_t len) {
	struct image *image = user;
	char said[200] = "";
	if (status == 200 && image->pull.error[0]) {
		finish(image, 502, image->pull.error);
		return;
	}
	if (status < 0) {
		text_copy(said, sizeof(said), strerror(-status));
	} else if (status != 200) {
		container_parse_message(text, len, said, sizeof(said));
	}
	finish(image, status, said);
}

void image_begin(struct image *image, struct engine *engine, struct worker *worker,
		const struct ipc_message *message) {
	char target[TARGET_MAX];
	bool pull = message->image.what == IMAGE_PULL;
	*image = (struct image){ .engine = engine, .worker = worker };
	text_copy(image->name, sizeof(image->name), message->image.name);
	bool fits = pull ? image_pull_target(image->name, target, sizeof(target))
			 : image_inspect_target(image->name, target, sizeof(target));
	struct engine_request request = {
		.method = pull ? "POST" : "GET",
		.target = target,
		.deadline_ms = pull ? PULL_IDLE_MS : INSPECT_MS,
		.idle = pull,
		.piece = pull ? take_pull : NULL,
		.done = pull ? handle_pulled : handle_inspected,
		.user = image,
	};
	if (!fits) {
		finish(image, 400, "the image's name is too long");
	} else if (!engine_call(engine, &request)) {
		finish(image, -ENOMEM, strerror(ENOMEM));
	}
}
