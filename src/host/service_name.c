/* SPDX-License-Identifier: MIT */
#include "host/service_name.h"

#include <stdbool.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"

static bool is_plain(char c) {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

void service_name_make(const char *text, char *out) {
	size_t len = 0;
	for (; *text && len < SERVICE_NAME_MAX - 1; text++) {
		if (is_plain(*text)) {
			out[len++] = *text;
		} else if (len > 0 && out[len - 1] != '-') {
			out[len++] = '-';
		}
	}
	while (len > 0 && out[len - 1] == '-') {
		len--;
	}
	out[len] = '\0';
	if (len == 0) {
		text_copy(out, SERVICE_NAME_MAX, "Perigee");
	}
}

void service_name_next(const char *name, char *out) {
	size_t len = strlen(name);
	const char *dash = strrchr(name, '-');
	int64_t number = 1;
	if (dash && dash > name &&
			number_parse(dash + 1, strlen(dash + 1), 2, 9999, &number) == 0) {
		len = (size_t)(dash - name);
	}
	char suffix[16];
	text_format(suffix, sizeof(suffix), "-%d", (int)number + 1);
	size_t room = SERVICE_NAME_MAX - 1 - strlen(suffix);
	if (len > room) {
		len = room;
	}
	memmove(out, name, len);
	text_copy(out + len, SERVICE_NAME_MAX - len, suffix);
}
