/* SPDX-License-Identifier: MIT */
#include "supervisor/status_line.h"

#include <stdarg.h>
#include <stdio.h>

#include "supervisor/supervisor.h"

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

void status_line(struct supervisor *supervisor, uint32_t request, const char *format, ...) {
	struct ipc_message line = { .kind = IPC_STATUS_LINE, .status_line.request = request };
	va_list args;
	va_start(args, format);
	int len = vsnprintf(line.status_line.line, sizeof(line.status_line.line), format, args);
	va_end(args);
	if (len > 0 && (size_t)len < sizeof(line.status_line.line)) {
		supervisor_post(supervisor, SERVICE_WEB, &line, NULL, 0);
	}
}

void status_end(struct supervisor *supervisor, uint32_t request) {
	struct ipc_message end = { .kind = IPC_STATUS_END, .status_line.request = request };
	supervisor_post(supervisor, SERVICE_WEB, &end, NULL, 0);
}
