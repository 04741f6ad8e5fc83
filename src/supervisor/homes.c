/* SPDX-License-Identifier: MIT */
#include "supervisor/homes.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "supervisor/app_plan.h"
#include "supervisor/desk.h"
#include "supervisor/supervisor.h"

static uint32_t hash_of(const char *text) {
	uint32_t hash = 2166136261u;
	for (const char *at = text; *at; at++) {
		hash = (hash ^ (uint8_t)*at) * 16777619u;
	}
	return hash;
}

void homes_name(const char *text, bool apart, char *out, size_t size) {
	enum { MARK = 9 }; /* "-" and eight digits */
	bool changed = !text_copy(out, size, text);
	for (char *at = out; *at; at++) {
		bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
			     (*at >= '0' && *at <= '9') || *at == '-';
		if (!plain) {
			changed = true;
			*at = '_';
		}
	}
	if (changed && apart && size > MARK) {
		size_t len = strlen(out);
		size_t at = len + MARK < size ? len : size - MARK - 1;
		text_format(out + at, size - at, "-%08x", hash_of(text));
	}
}

/* Whose it is: a profile's, its client's, or any lobby's that names the same. The client's
 * settings may say that it shares another's. */
static void name_owner(const struct desk *desk, char *out, size_t size) {
	if (desk->profile[0]) {
		char name[64];
		homes_name(desk->profile, true, name, sizeof(name));
		text_format(out, size, "profile-%s", name);
		return;
	}
	if (desk->shared && !desk->of_client) {
		text_copy(out, size, "shared");
		return;
	}
	const client_settings *settings = permits_of(&desk->supervisor->permits, desk->client);
	if (settings && settings->folder[0]) {
		text_copy(out, size, settings->folder);
		return;
	}
	const uint8_t *c = desk->client;
	text_format(out, size, "%02x%02x%02x%02x%02x%02x%02x%02x", c[0], c[1], c[2], c[3], c[4],
			c[5], c[6], c[7]);
}

int homes_make(const struct desk *desk, char *out, size_t size) {
	const struct paths *paths = &desk->supervisor->paths;
	if (desk->internal || desk->guest || (desk->shared && !desk->state_folder[0])) {
		/* It goes with the desk. */
		text_format(out, size, "%s/home", desk->runtime);
		return paths_make(out, paths->uid, paths->gid);
	}
	char app[64], owner[sizeof(((client_settings *)NULL)->folder)];
	homes_name(desk->shared ? desk->state_folder : desk->app->title,
			desk->shared && !desk->of_client, app, sizeof(app));
	name_owner(desk, owner, sizeof(owner));
	if (!text_format(out, size, "%s/homes/%s/%s", paths->data, owner, app)) {
		return -ENAMETOOLONG;
	}
	/* Each level belongs to the apps' user, so that it can be passed. */
	for (char *at = out + strlen(paths->data) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		int rc = paths_make(out, paths->uid, paths->gid);
		*at = '/';
		if (rc < 0) {
			return rc;
		}
	}
	uint32_t uid, gid;
	app_plan_user(desk, &uid, &gid);
	int rc = paths_make(out, uid, gid);
	/* What an image has made somebody else's is so for good: it will know what to do with it.
	 */
	return rc == -EPERM && app_plan_is_container(desk) ? 0 : rc;
}
