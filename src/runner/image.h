/* SPDX-License-Identifier: MIT */
#ifndef RUNNER_IMAGE_H
#define RUNNER_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "ipc/message.h"
#include "runner/container_json.h"

struct engine;
struct worker;

/* One image that a program asks a container engine about, or has it pull. What the engine
 * says goes on in IMAGE_PIECEs: of a pull line by line, each an object. Loop thread only. */
struct image {
	struct engine *engine; /* borrowed */
	struct worker *worker; /* borrowed: it ends with the last word */
	char name[sizeof(((struct ipc_message *)NULL)->image.name)];
	char line[CONTAINER_LINE_MAX];
	size_t line_len;
	struct container_pull pull;
};

/* IMAGE_ASK. Ends the worker once it is answered by IMAGE_DONE. */
void image_begin(struct image *image, struct engine *engine, struct worker *worker,
		const struct ipc_message *message);

/* "/images/..." for it, without a tag the newest: an engine would pull all there are. False
 * when the name is too long. */
bool image_inspect_target(const char *name, char *out, size_t size);
bool image_pull_target(const char *name, char *out, size_t size);

#endif
