/* SPDX-License-Identifier: MIT */
#include "cli/health.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/show.h"

/* One line of text; true for status 200. */
static bool ask(const struct api *api, const char *path, char *words, size_t size) {
	int status = 0;
	int rc = api_get_text(api, path, words, size, &status);
	words[strcspn(words, "\n")] = '\0';
	if (rc < 0) {
		text_format(words, size, "%s: %s", path, strerror(-rc));
	} else if (status == 404) {
		text_format(words, size, "%s: this host is too old to say", path);
	}
	return rc == 0 && status == 200;
}

void health_look(const char *runtime, struct health_view *out) {
	struct api api;
	*out = (struct health_view){ 0 };
	int rc = api_find(runtime, &api);
	if (rc < 0) {
		text_format(out->alive_words, sizeof(out->alive_words),
				"dead: no host answers at %s", api.socket);
		return;
	}
	out->alive = ask(&api, "/healthz", out->alive_words, sizeof(out->alive_words));
	out->ready = ask(&api, "/readyz", out->ready_words, sizeof(out->ready_words));
	out->answers = out->alive || strncmp(out->alive_words, "/healthz", 8) != 0;
	if (!out->answers) {
		text_format(out->alive_words, sizeof(out->alive_words),
				"dead: the host at %s does not answer", api.socket);
	}
}

void health_leg(const struct health_view *view, char *leg, size_t leg_size, char *words,
		size_t words_size) {
	static const char prefix[] = "not ready: ";
	leg[0] = words[0] = '\0';
	if (view->ready || strncmp(view->ready_words, prefix, sizeof(prefix) - 1) != 0) {
		return;
	}
	const char *at = view->ready_words + sizeof(prefix) - 1;
	size_t len = strcspn(at, ":");
	text_format(leg, leg_size, "%.*s", (int)len, at);
	at += len;
	text_copy(words, words_size, at + strspn(at, ": "));
}

int health_command(const char *runtime, bool ready) {
	struct health_view view;
	health_look(runtime, &view);
	show_text(stdout, view.alive_words);
	if (view.answers) {
		fputs(", ", stdout);
		show_text(stdout, view.ready_words);
	}
	putchar('\n');
	return (ready ? view.alive && view.ready : view.alive) ? 0 : 1;
}
