/* SPDX-License-Identifier: MIT */
#include "supervisor/status_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/shm.h"
#include "supervisor/supervisor.h"

enum {
	FIRST_SIZE = 64 * 1024, /* bytes; more than the longest row */
};

struct status_text status_json(const char *text) {
	struct status_text out;
	char *at = out.text, *end = out.text + sizeof(out.text) - 4;
	*at++ = '"';
	for (; *text && at < end; text++) {
		if (*text == '"' || *text == '\\') {
			*at++ = '\\';
			*at++ = *text;
		} else {
			if (*text == '\n') {
				*at++ = '\\';
			}
			*at++ = *text == '\n' ? 'n' : (unsigned char)*text < 0x20 ? '?' : *text;
		}
	}
	*at++ = '"';
	*at = '\0';
	return out;
}

/* One of a release before knows lines alone. */
static bool knows_rows(const struct supervisor *supervisor) {
	const struct child *web = supervisor->services[SERVICE_WEB].child;
	const struct programs *current = supervisor->versions.current;
	return !web || !current || web->version == current->number;
}

/* False without memory: then it goes by itself. */
static bool collect(struct status_rows *rows, const char *line, size_t len) {
	if (rows->len + len + 1 > rows->size) {
		size_t size = rows->size ? 2 * rows->size : FIRST_SIZE;
		char *text = realloc(rows->text, size);
		if (!text) {
			return false;
		}
		rows->text = text;
		rows->size = size;
	}
	memcpy(rows->text + rows->len, line, len);
	rows->text[rows->len + len] = '\n';
	rows->len += len + 1;
	return true;
}

void status_line(struct supervisor *supervisor, uint32_t request, const char *format, ...) {
	struct ipc_message line = { .kind = IPC_STATUS_LINE, .status_line.request = request };
	va_list args;
	va_start(args, format);
	int len = vsnprintf(line.status_line.line, sizeof(line.status_line.line), format, args);
	va_end(args);
	bool fits = len > 0 && (size_t)len < sizeof(line.status_line.line);
	if (fits && (!knows_rows(supervisor) ||
				    !collect(&supervisor->status_rows, line.status_line.line,
						    (size_t)len))) {
		supervisor_post(supervisor, SERVICE_WEB, &line, NULL, 0);
	}
}

static int send_rows(struct supervisor *supervisor, uint32_t request) {
	const struct status_rows *rows = &supervisor->status_rows;
	struct shm shm;
	int rc = shm_create("status", rows->len, true, &shm);
	if (rc < 0) {
		return rc;
	}
	memcpy(shm.map, rows->text, rows->len);
	struct ipc_message message = { .kind = IPC_STATUS_ROWS,
		.status_rows = { .request = request, .size = (uint32_t)rows->len } };
	supervisor_post(supervisor, SERVICE_WEB, &message, &shm.fd, 1);
	shm_finish(&shm);
	return 0;
}

void status_end(struct supervisor *supervisor, uint32_t request) {
	struct status_rows *rows = &supervisor->status_rows;
	struct ipc_message end = { .kind = IPC_STATUS_END, .status_line.request = request };
	int rc = rows->len ? send_rows(supervisor, request) : 0;
	if (rc < 0) { /* who asks hears from its own deadline that there is no answer */
		log_error("status-lost", "rows_bytes=%zu error=%s", rows->len,
				log_quote(strerror(-rc)).text);
	} else {
		supervisor_post(supervisor, SERVICE_WEB, &end, NULL, 0);
	}
	free(rows->text);
	*rows = (struct status_rows){ .text = NULL };
}
