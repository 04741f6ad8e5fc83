/* SPDX-License-Identifier: MIT */
/* The clipboard as text for who is no app of the desktop: read from whoever has it, set as if
 * an app had copied it. What the apps do meanwhile is theirs: a pipe that is not read or
 * written in time is closed. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <wlr/types/wlr_data_device.h>

#include "desktop/clip_text.h"
#include "desktop/state.h"
#include "ipc/message.h"

enum {
	CLIP_MS = 2000, /* for an app to give or take it */
	CLIP_TRANSFERS_MAX = 32,
	CLIP_CHUNK = 16 * 1024,
	FORMS_MAX = 64,
};

struct clip_text {
	unsigned count;
	size_t len;
	char text[];
};

struct clip_source {
	struct wlr_data_source base;
	struct desktop *desktop; /* borrowed */
	struct clip_text *text;  /* counted */
};

/* A pipe to or from an app, until it is through or late. */
struct clip_transfer {
	struct wl_list link;
	struct desktop *desktop;       /* borrowed */
	int fd;                        /* owned */
	struct wl_event_source *io;    /* owned */
	struct wl_event_source *timer; /* owned */
	struct clip_text *text;        /* counted: what is written; NULL: it is read */
	size_t done;                   /* of it; or so much was read */
	uint32_t request;              /* of a reading one */
	uint8_t *got;                  /* owned */
	size_t got_size;
};

static void drop_text(struct clip_text *text) {
	if (text && --text->count == 0) {
		free(text);
	}
}

static void transfer_destroy(struct clip_transfer *transfer) {
	wl_list_remove(&transfer->link);
	transfer->desktop->clip_transfers_count--;
	if (transfer->io) {
		wl_event_source_remove(transfer->io);
	}
	if (transfer->timer) {
		wl_event_source_remove(transfer->timer);
	}
	fd_close(transfer->fd);
	drop_text(transfer->text);
	free(transfer->got);
	free(transfer);
}

/* Tells what was read, or why nothing was, once. */
static void finish(struct clip_transfer *transfer, int rc) {
	struct desktop *desktop = transfer->desktop;
	if (!transfer->text && desktop->events->clip) {
		desktop->events->clip(desktop->user, transfer->request, rc, transfer->got,
				rc < 0 ? 0 : transfer->done);
	}
	transfer_destroy(transfer);
}

static int handle_late(void *data) {
	struct clip_transfer *transfer = data;
	finish(transfer, -ETIMEDOUT);
	return 0;
}

static int make_room(struct clip_transfer *transfer) {
	if (transfer->got_size - transfer->done >= CLIP_CHUNK) {
		return 0;
	}
	size_t size = transfer->got_size ? 2 * transfer->got_size : 2 * CLIP_CHUNK;
	uint8_t *bigger = realloc(transfer->got, size);
	if (!bigger) {
		return -ENOMEM;
	}
	transfer->got = bigger;
	transfer->got_size = size;
	return 0;
}

static int handle_readable(int fd, uint32_t mask, void *data) {
	(void)mask;
	struct clip_transfer *transfer = data;
	for (;;) {
		int rc = make_room(transfer);
		ssize_t n = rc < 0 ? -1
				   : read(fd, transfer->got + transfer->done,
						     transfer->got_size - transfer->done);
		if (n > 0) {
			transfer->done += (size_t)n;
			if (transfer->done > IPC_CLIPBOARD_MAX) {
				finish(transfer, -EFBIG);
				return 0;
			}
			continue;
		}
		if (n < 0 && rc == 0 && (errno == EAGAIN || errno == EINTR)) {
			return 0;
		}
		if (n == 0 && !clip_text_is_valid(transfer->got, transfer->done)) {
			rc = -ENOENT; /* it is called text and is none */
		}
		finish(transfer, rc < 0 ? rc : n < 0 ? -EIO : 0);
		return 0;
	}
}

static int handle_writable(int fd, uint32_t mask, void *data) {
	(void)mask;
	struct clip_transfer *transfer = data;
	while (transfer->done < transfer->text->len) {
		ssize_t n = write(fd, transfer->text->text + transfer->done,
				transfer->text->len - transfer->done);
		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			return 0;
		}
		if (n <= 0) {
			break; /* it does not want it any more */
		}
		transfer->done += (size_t)n;
	}
	finish(transfer, 0);
	return 0;
}

/* Takes fd, also on failure. */
static int transfer_begin(
		struct desktop *desktop, int fd, struct clip_text *text, uint32_t request) {
	OWN(fd_close) int owned = fd;
	int flags = fcntl(owned, F_GETFL);
	if (desktop->clip_transfers_count >= CLIP_TRANSFERS_MAX) {
		return -EBUSY;
	}
	if (flags < 0 || fcntl(owned, F_SETFL, flags | O_NONBLOCK) < 0) {
		return -errno;
	}
	struct clip_transfer *transfer = calloc(1, sizeof(*transfer));
	if (!transfer) {
		return -ENOMEM;
	}
	*transfer = (struct clip_transfer){
		.desktop = desktop, .fd = TAKE(owned, -1), .text = text, .request = request
	};
	wl_list_insert(&desktop->clip_transfers, &transfer->link);
	desktop->clip_transfers_count++;
	if (text) {
		text->count++;
	}
	transfer->io = wl_event_loop_add_fd(desktop->loop, transfer->fd,
			text ? WL_EVENT_WRITABLE : WL_EVENT_READABLE,
			text ? handle_writable : handle_readable, transfer);
	transfer->timer = wl_event_loop_add_timer(desktop->loop, handle_late, transfer);
	if (!transfer->io || !transfer->timer) {
		transfer_destroy(transfer);
		return -ENOMEM;
	}
	wl_event_source_timer_update(transfer->timer, CLIP_MS);
	return 0;
}

/* ---- ours for the apps ---- */

static void handle_send(struct wlr_data_source *base, const char *form, int32_t fd) {
	(void)form; /* all of them are the same text */
	struct clip_source *source = wl_container_of(base, source, base);
	(void)!transfer_begin(source->desktop, fd, source->text, 0);
}

static void handle_destroy(struct wlr_data_source *base) {
	struct clip_source *source = wl_container_of(base, source, base);
	drop_text(source->text);
	free(source);
}

static const struct wlr_data_source_impl source_impl = {
	.send = handle_send,
	.destroy = handle_destroy,
};

static bool offer(struct wlr_data_source *source) {
	for (unsigned i = 0; i < CLIP_TEXT_OFFERED; i++) {
		char **place = wl_array_add(&source->mime_types, sizeof(*place));
		char *name = strdup(clip_text_form(i));
		if (!place || !name) {
			free(name);
			if (place) {
				source->mime_types.size -= sizeof(*place);
			}
			return false;
		}
		*place = name;
	}
	return true;
}

int desktop_clip_set(struct desktop *desktop, const void *text, size_t len) {
	uint32_t serial = wl_display_next_serial(desktop->display);
	if (!clip_text_is_valid(text, len)) {
		return -EBADMSG;
	}
	if (len == 0) {
		wlr_seat_set_selection(desktop->seat, NULL, serial);
		return 0;
	}
	struct clip_source *source = calloc(1, sizeof(*source));
	struct clip_text *kept = malloc(sizeof(*kept) + len);
	if (!source || !kept) {
		free(source);
		free(kept);
		return -ENOMEM;
	}
	*kept = (struct clip_text){ .count = 1, .len = len };
	memcpy(kept->text, text, len);
	wlr_data_source_init(&source->base, &source_impl);
	source->desktop = desktop;
	source->text = kept;
	if (!offer(&source->base)) {
		wlr_data_source_destroy(&source->base);
		return -ENOMEM;
	}
	wlr_seat_set_selection(desktop->seat, &source->base, serial);
	return 0;
}

/* ---- the apps' for us ---- */

static const char *choose(const struct wlr_data_source *source) {
	const char *forms[FORMS_MAX];
	size_t count = 0;
	char **form;
	wl_array_for_each(form, &source->mime_types) {
		if (count < FORMS_MAX) {
			forms[count++] = *form;
		}
	}
	int best = clip_text_choose(forms, count);
	return best < 0 ? NULL : forms[best];
}

static int ask(struct desktop *desktop, uint32_t request) {
	struct wlr_data_source *source = desktop->seat->selection_source;
	const char *form = source ? choose(source) : NULL;
	int pair[2];
	if (!form) {
		return -ENOENT;
	}
	if (pipe2(pair, O_CLOEXEC) < 0) {
		return -errno;
	}
	int rc = transfer_begin(desktop, pair[0], NULL, request);
	if (rc < 0) {
		fd_close(pair[1]);
		return rc;
	}
	wlr_data_source_send(source, form, pair[1]); /* which is the source's now */
	return 0;
}

void desktop_clip_get(struct desktop *desktop, uint32_t request) {
	int rc = ask(desktop, request);
	if (rc < 0 && desktop->events->clip) {
		desktop->events->clip(desktop->user, request, rc, NULL, 0);
	}
}

void clipboard_begin(struct desktop *desktop) {
	wl_list_init(&desktop->clip_transfers);
}

void clipboard_end(struct desktop *desktop) {
	struct clip_transfer *transfer, *next;
	wl_list_for_each_safe(transfer, next, &desktop->clip_transfers, link) {
		transfer_destroy(transfer);
	}
}
