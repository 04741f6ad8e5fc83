/* SPDX-License-Identifier: MIT */
#include "supervisor/encoding.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "supervisor/desk.h"
#include "supervisor/encoding_inside.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"
#include "supervisor/view.h"

enum {
	SOUND_SETTLES_MS = 4000, /* a server that was started on a busy machine */
};

/* The sound encoder says so, and says it again when it has tried anew. One that has just been
 * started may still be on its way, and one that gets no processor cannot deliver. */
static void handle_deaf(struct child *sound) {
	if (sound && clock_now_ns() - sound->begun_ns > SOUND_SETTLES_MS * NS_PER_MS &&
			!child_is_kept_waiting(sound)) {
		child_fence(sound, REASON_SOUND_DEAF, "delivers nothing");
	}
}

/* What is told may end a view, and with it the encoding: it is not looked at again. */
static void tell_views(const struct encoding *encoding, struct supervisor *supervisor,
		void (*tell)(struct view *view, struct encoding *encoding, uint32_t reason,
				const char *detail),
		uint32_t reason, const char *detail) {
	for (struct session *at = supervisor->sessions; at; at = at->next) {
		if (at->view && view_uses(at->view, encoding)) {
			tell(at->view, (struct encoding *)(uintptr_t)encoding, reason, detail);
		}
	}
}

static void handle_message(struct child *child, struct ipc_message *message, struct ipc_fds *fds) {
	struct encoding *encoding = (struct encoding *)child->user;
	if (message->kind == IPC_SOUND_DEAF) {
		handle_deaf(encoding->desk->sound);
		return;
	}
	if (message->kind == IPC_ENCODER_RATED) {
		encoding_rated(encoding, message->encoder_rate.bitrate_kbps);
		return;
	}
	if (message->kind != IPC_ENCODER_READY) {
		return;
	}
	if (encoding->ring_fd >= 0 || !encoding->opened) {
		if (!child->adopted) { /* else: said again, or its view is opened anew */
			child_fence(child, REASON_WORKER_LIED, "offered a second ring");
		}
		return;
	}
	encoding->ring_fd = fds_take(fds, 0);
	if (encoding->kind == ENCODING_PICTURES) {
		encoding->invalidation = message->encoder_ready.reference_invalidation;
		text_copy(encoding->name, sizeof(encoding->name), message->encoder_ready.name);
	}
	log_info("encoder-ready", "session=%016llx encoder=%u name=%s invalidation=%d",
			(unsigned long long)encoding->desk->id, message->encoder_ready.encoder,
			log_quote(message->encoder_ready.name).text,
			message->encoder_ready.reference_invalidation);
	encoding->desktop_gone = false;
	encoding_keep(encoding);
	tell_views(encoding, encoding->desk->supervisor, view_encoding_ready, 0, NULL);
}

void encoding_trouble(struct encoding *encoding, uint32_t reason, const char *detail) {
	tell_views(encoding, encoding->desk->supervisor, view_encoding_failed, reason, detail);
}

static void handle_failure(struct child *child, uint32_t reason, const char *detail) {
	encoding_trouble((struct encoding *)child->user, reason, detail);
}

static void handle_ended(struct child *child, const struct child_end *end) {
	struct encoding *encoding = (struct encoding *)child->user;
	struct desk *desk = encoding->desk;
	encoding->place.child = NULL;
	encoding_ended(encoding, end);
	desk_child_gone(desk);
}

static const struct child_owner owner = {
	.message = handle_message,
	.failure = handle_failure,
	.ended = handle_ended,
};

static void handle_closing_ended(struct child *child, const struct child_end *end) {
	(void)end;
	desk_child_gone((struct desk *)child->user);
}

static const struct child_owner closing_owner = {
	.ended = handle_closing_ended,
};

const char *encoding_part(enum encoding_kind kind) {
	return kind == ENCODING_PICTURES ? "pictures" : "sound";
}

/* What sends on a clock and computes little runs before everybody else. What
 * encodes pictures does not: a few of those would starve the doors. */
int encoding_spawn(struct encoding *encoding) {
	struct desk *desk = encoding->desk;
	const char *part = encoding_part(encoding->kind);
	struct child_spec spec = {
		.kind = PEER_ENCODER,
		.program = "perigee-encoder",
		.args = { part, NULL },
		.session = desk->id,
		.view = encoding->id,
		.name = part,
		.prompt = encoding->kind == ENCODING_PICTURES,
		.realtime = encoding->kind == ENCODING_SOUND,
	};
	int rc = child_spawn(&desk->supervisor->nursery, &spec, &owner, encoding,
			&encoding->place.child);
	if (rc == 0) {
		desk->children++;
	}
	return rc;
}

struct encoding *encoding_make(struct desk *desk, enum encoding_kind kind, uint32_t id) {
	struct encoding *encoding = calloc(1, sizeof(*encoding));
	if (encoding) {
		encoding->desk = desk;
		encoding->kind = kind;
		encoding->id = id;
		encoding->ring_fd = -1;
		encoding->next = desk->encodings;
		desk->encodings = encoding;
	}
	return encoding;
}

static void unlink_it(struct encoding *encoding) {
	struct encoding **at = &encoding->desk->encodings;
	while (*at && *at != encoding) {
		at = &(*at)->next;
	}
	*at = encoding->next;
}

static void end(struct encoding *encoding, uint32_t reason) {
	struct desk *desk = encoding->desk;
	if (encoding->kind == ENCODING_PICTURES && encoding->opened && desk->desktop) {
		struct ipc_message gone = { .kind = IPC_DESKTOP_ENCODER_GONE,
			.desktop_encoder.encoder = encoding->encoder };
		child_post(desk->desktop, &gone, NULL, 0);
	}
	place_release(&encoding->place, &closing_owner, desk, reason, ENCODING_GRACE_MS);
	fd_release(&encoding->ring_fd);
	encoding_forget(encoding);
	unlink_it(encoding);
	free(encoding);
}

int encoding_create(struct desk *desk, enum encoding_kind kind, struct encoding **out) {
	struct encoding *encoding = encoding_make(desk, kind, ++desk->supervisor->last_view);
	int rc = encoding ? encoding_spawn(encoding) : -ENOMEM;
	if (rc < 0 && encoding) {
		end(encoding, REASON_SPAWN_FAILED);
		return rc;
	}
	if (rc == 0) {
		encoding_keep(encoding);
		*out = encoding;
	}
	return rc;
}

static bool is_better(const struct encoding *a, const struct encoding *than) {
	return !than || a->form.pictures.bitrate_kbps > than->form.pictures.bitrate_kbps;
}

/* What is on its way to its end, or was given up, is not joined. */
struct encoding *encoding_shared(const struct desk *desk, enum encoding_kind kind,
		const struct encoding_form *wanted) {
	struct encoding *best = NULL;
	for (struct encoding *at = desk->encodings; at; at = at->next) {
		if (at->kind == kind && at->opened && !at->own && !at->place.restarts.given_up &&
				encoding_serves(kind, &at->form, wanted) && is_better(at, best)) {
			best = at;
		}
	}
	return best;
}

static bool is_watched(const struct desk *desk) {
	for (const struct encoding *at = desk->encodings; at; at = at->next) {
		if (at->opened && at->kind == ENCODING_PICTURES) {
			return true;
		}
	}
	return false;
}

int encoding_join(struct desk *desk, enum encoding_kind kind, const struct encoding_form *wanted,
		struct encoding **spare, bool own, struct encoding **out) {
	struct encoding *encoding = own ? NULL : encoding_shared(desk, kind, wanted);
	struct encoding *made = spare ? TAKE(*spare, NULL) : NULL;
	if (encoding) {
		if (made) {
			end(made, REASON_ASKED);
		}
		*out = encoding;
		log_info("encoding-shared", "session=%016llx part=%s encoding=%u members=%u",
				(unsigned long long)desk->id, encoding_part(kind), encoding->id,
				encoding_members(encoding));
		return 0;
	}
	int rc = made ? 0 : encoding_create(desk, kind, &made);
	if (rc < 0) {
		return rc;
	}
	made->form = *wanted;
	made->own = own;
	/* Where others watch, more may come who share it: it is on a step of the ladder. */
	if (kind == ENCODING_PICTURES && is_watched(desk) && !own) {
		made->form.pictures.bitrate_kbps =
				encoding_step_kbps(wanted->pictures.bitrate_kbps);
	}
	made->opened = true;
	rc = encoding_order(made);
	if (rc < 0) {
		end(made, REASON_RESOURCES);
		return rc;
	}
	encoding_keep(made);
	*out = made;
	return 0;
}

void encoding_open_to_all(struct encoding *encoding) {
	encoding->own = false;
	encoding_keep(encoding);
}

unsigned encoding_members(const struct encoding *encoding) {
	unsigned count = 0;
	const struct supervisor *supervisor = encoding->desk->supervisor;
	for (const struct session *at = supervisor->sessions; at; at = at->next) {
		count += at->view && view_uses(at->view, encoding);
	}
	return count;
}

static unsigned viewers_of(const struct desk *desk) {
	unsigned count = 0;
	for (const struct session *at = desk->supervisor->sessions; at; at = at->next) {
		count += at->view && view_is_on(at->view, desk);
	}
	return count;
}

void encoding_leave(struct encoding *encoding, uint32_t reason) {
	if (!encoding) {
		return;
	}
	struct desk *desk = encoding->desk;
	if (encoding_members(encoding) > 0) {
		encoding_raise(encoding);
		return;
	}
	end(encoding, reason);
	encodings_raise(desk);
}

void encodings_raise(struct desk *desk) {
	bool sole = viewers_of(desk) == 1;
	for (struct encoding *at = desk->encodings; at && sole; at = at->next) {
		encoding_raise(at);
	}
}

void encoding_again(struct encoding *encoding) {
	struct desk *desk = encoding->desk;
	struct ipc_message gone = { .kind = IPC_DESKTOP_ENCODER_GONE,
		.desktop_encoder.encoder = encoding->encoder };
	child_post(desk->desktop, &gone, NULL, 0);
	place_release(&encoding->place, &closing_owner, desk, REASON_ASKED, ENCODING_GRACE_MS);
	place_missed(&encoding->place);
	fd_release(&encoding->ring_fd);
	encoding_start(encoding);
}

struct encoding *encoding_find(const struct desk *desk, uint32_t id) {
	struct encoding *at = desk->encodings;
	while (at && at->id != id) {
		at = at->next;
	}
	return at;
}

void encoding_lost(struct desk *desk, uint32_t encoder, uint32_t reason) {
	for (struct encoding *at = desk->encodings; at; at = at->next) {
		if (at->kind == ENCODING_PICTURES && at->opened && at->encoder == encoder) {
			child_fence(at->place.child, reason, "the desktop gave it up");
			return;
		}
	}
}

void encodings_desktop_gone(struct desk *desk) {
	for (struct encoding *at = desk->encodings; at; at = at->next) {
		if (at->kind != ENCODING_PICTURES || !at->opened) {
			continue;
		}
		place_release(&at->place, &closing_owner, desk, REASON_DESKTOP_AGAIN,
				ENCODING_GRACE_MS);
		place_missed(&at->place);
		fd_release(&at->ring_fd);
		at->desktop_gone = true;
		encoding_keep(at);
	}
}

void encodings_desktop_back(struct desk *desk) {
	for (struct encoding *at = desk->encodings; at; at = at->next) {
		if (at->desktop_gone && !at->place.child) {
			encoding_start(at);
		}
	}
}

void encodings_release(struct desk *desk, uint32_t reason) {
	while (desk->encodings) {
		end(desk->encodings, reason);
	}
}

void encodings_kill(struct desk *desk, uint32_t reason) {
	for (struct encoding *at = desk->encodings; at; at = at->next) {
		child_kill(at->place.child, reason, "the session ends");
	}
}

int encoding_adopt(struct desk *desk, struct child_left *left) {
	struct encoding *encoding = encoding_find(desk, left->view);
	struct nursery *nursery = &desk->supervisor->nursery;
	struct child *closing = NULL;
	int rc = !encoding || left->stopping
				 ? child_adopt(nursery, left, &closing_owner, desk, &closing)
				 : child_adopt(nursery, left, &owner, encoding,
						   &encoding->place.child);
	desk->children += rc == 0;
	child_stop(closing, REASON_ASKED, ENCODING_GRACE_MS);
	return rc;
}
