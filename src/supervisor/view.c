/* SPDX-License-Identifier: MIT */
#include "supervisor/view.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/page.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"
#include "supervisor/view_inside.h"

enum {
	SOUND_SETTLES_MS = 4000, /* a server that was started on a busy machine */
};

/* An encoder's reader: the eventfd that wakes it and the channel it asks by. */
struct view_reader {
	int event, requests[2];
};

static int make_reader(struct view_reader *out) {
	*out = (struct view_reader){ eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), { -1, -1 } };
	return out->event < 0 ? -errno : channel_pair(out->requests);
}

static void close_reader(struct view_reader *reader) {
	fd_close(reader->event);
	fd_close(reader->requests[0]);
	fd_close(reader->requests[1]);
}

/* A reader of the same number, of a stream before this one, is replaced. */
static void introduce(struct view *view, enum view_part part, const struct view_reader *reader) {
	struct ipc_message message = { .kind = IPC_ENCODER_READER,
		.encoder_reader.reader = view->id };
	child_post(view->worker[part].child, &message,
			(int[]){ reader->event, reader->requests[1] }, 2);
}

static int send_source(struct view *view) {
	view->desktop_gone = false;
	struct view_reader readers[VIEW_RINGS];
	int input[2] = { -1, -1 };
	int rc = make_reader(&readers[VIEW_PICTURES]);
	int also = make_reader(&readers[VIEW_SOUND]);
	rc = rc < 0 ? rc : also;
	rc = rc < 0 ? rc : channel_pair(input);
	if (rc == 0) {
		const struct view_reader *pictures = &readers[VIEW_PICTURES];
		const struct view_reader *sound = &readers[VIEW_SOUND];
		view->source = ++view->session->supervisor->last_view;
		struct ipc_message source = { .kind = IPC_STREAM_SOURCE,
			.stream_source = { view->source, view->invalidation } };
		int fds[7] = { view->ring_fd[VIEW_PICTURES], pictures->event, pictures->requests[0],
			view->ring_fd[VIEW_SOUND], sound->event, sound->requests[0], input[0] };
		child_post(view->worker[VIEW_STREAM].child, &source, fds, 7);
		introduce(view, VIEW_PICTURES, pictures);
		introduce(view, VIEW_SOUND, sound);
		struct ipc_message viewer = { .kind = IPC_DESKTOP_VIEWER,
			.desktop_viewer = { view->id, 1 } };
		child_post(view->session->desk->desktop, &viewer, &input[1], 1);
	}
	close_reader(&readers[VIEW_PICTURES]);
	close_reader(&readers[VIEW_SOUND]);
	fd_close(input[0]);
	fd_close(input[1]);
	return rc;
}

int view_hand_over(struct view *view, enum view_part part) {
	struct view_reader reader;
	int rc = make_reader(&reader);
	if (rc == 0) {
		struct ipc_message message = {
			.kind = part == VIEW_PICTURES ? IPC_STREAM_PICTURES : IPC_STREAM_SOUND,
			.stream_part = { view->source,
					part == VIEW_PICTURES && view->invalidation },
		};
		int fds[3] = { view->ring_fd[part], reader.event, reader.requests[0] };
		child_post(view->worker[VIEW_STREAM].child, &message, fds, 3);
		introduce(view, part, &reader);
	}
	close_reader(&reader);
	return rc;
}

static void send_offer(struct view *view, enum ipc_flow flow, const struct view_offer *offer) {
	struct ipc_message message = {
		.kind = IPC_FLOW,
		.flow = { .session = view->session->id,
				.flow = (uint8_t)flow,
				.peer = offer->peer,
				.counter = offer->counter,
				.datagram_len = offer->datagram_len },
	};
	memcpy(message.flow.datagram, offer->datagram, offer->datagram_len);
	child_post(view->worker[VIEW_STREAM].child, &message, &offer->fd, 1);
}

static void drop_first_offer(struct view_flow *flow) {
	fd_release(&flow->offers[0].fd);
	flow->count--;
	memmove(flow->offers, flow->offers + 1, flow->count * sizeof(flow->offers[0]));
	flow->offers[flow->count].fd = -1;
}

/* What the stream before this one had taken, then what it had not answered. */
static void send_flows(struct view *view) {
	for (enum ipc_flow kind = FLOW_VIDEO; kind < FLOWS; kind++) {
		struct view_flow *flow = &view->flows[kind];
		if (flow->taken.fd >= 0) {
			if (flow->count == VIEW_OFFERS_MAX) {
				flow->count--;
				fd_release(&flow->offers[flow->count].fd);
			}
			memmove(flow->offers + 1, flow->offers,
					flow->count * sizeof(flow->offers[0]));
			flow->offers[0] = flow->taken;
			flow->taken.fd = -1;
			flow->count++;
		}
		for (unsigned i = 0; i < flow->count; i++) {
			send_offer(view, kind, &flow->offers[i]);
		}
	}
	view_keep(view);
}

/* With the page of the one before: nothing in it is ever used twice. */
void view_start_stream(struct view *view) {
	struct session *session = view->session;
	if (view->started || !view->opened || !view->worker[VIEW_STREAM].child ||
			view->ring_fd[VIEW_PICTURES] < 0 || view->ring_fd[VIEW_SOUND] < 0) {
		return;
	}
	struct ipc_message start = { .kind = IPC_STREAM_START };
	start.stream_start.key = session->launch.launch.key;
	start.stream_start.key_id = session->launch.launch.key_id;
	start.stream_start.params = view->params;
	start.stream_start.connect_data = session->answer.launched.connect_data;
	start.stream_start.enet_peer = session->answer.launched.enet_peer;
	start.stream_start.incarnation = view->incarnation++;
	text_copy(start.stream_start.trace, sizeof(start.stream_start.trace), session->trace);
	child_post(view->worker[VIEW_STREAM].child, &start, &view->page.fd, 1);
	secret_wipe(&start.stream_start.key);
	view->started = true;
	int rc = send_source(view);
	if (rc < 0) {
		session_raise(session, LIFE_VIEWER_LOST, REASON_RESOURCES, strerror(-rc));
		return;
	}
	send_flows(view);
	session_raise(session, LIFE_VIEW_READY, REASON_NONE, NULL);
}

static enum view_part part_of(const struct view *view, const struct child *child) {
	enum view_part part = VIEW_PICTURES;
	while (part < VIEW_STREAM && view->worker[part].child != child) {
		part++;
	}
	return part;
}

/* The sound encoder says so; one that has just been started may still be on its way. */
static void handle_deaf(struct child *sound) {
	if (sound && clock_now_ns() - sound->begun_ns > SOUND_SETTLES_MS * NS_PER_MS) {
		child_fence(sound, REASON_SOUND_DEAF, "delivers nothing");
	}
}

static void handle_encoder_message(
		struct child *child, struct ipc_message *message, struct ipc_fds *fds) {
	struct view *view = (struct view *)child->user;
	enum view_part part = part_of(view, child);
	if (message->kind == IPC_SOUND_DEAF) {
		handle_deaf(view->session->desk->sound);
		return;
	}
	if (message->kind != IPC_ENCODER_READY) {
		return;
	}
	if (child->adopted && (view->ring_fd[part] >= 0 || !view->opened)) {
		return; /* said again; or adopt.c opens another view */
	}
	if (view->ring_fd[part] >= 0 || !view->opened) {
		child_fence(child, REASON_WORKER_LIED, "offered a second ring");
		return;
	}
	view->ring_fd[part] = fds_take(fds, 0);
	if (part == VIEW_PICTURES) {
		view->invalidation = message->encoder_ready.reference_invalidation;
		text_copy(view->kind, sizeof(view->kind), message->encoder_ready.name);
	}
	log_info("encoder-ready", "session=%016llx encoder=%u name=%s invalidation=%d",
			(unsigned long long)view->session->id, message->encoder_ready.encoder,
			log_quote(message->encoder_ready.name).text,
			message->encoder_ready.reference_invalidation);
	view_keep(view);
	if (!view->started) {
		view_start_stream(view);
		return;
	}
	int rc = part == VIEW_PICTURES && view->desktop_gone
				 ? send_source(view) /* with the new desktop's input */
				 : view_hand_over(view, part);
	if (rc < 0) {
		session_raise(view->session, LIFE_VIEWER_LOST, REASON_RESOURCES, strerror(-rc));
	} else if (part == VIEW_SOUND) {
		view_part_serves(view, VIEW_SOUND);
	}
}

static void keep_flow(struct view_flow *flow, bool taken) {
	if (flow->count == 0) {
		return;
	}
	if (taken) {
		fd_close(flow->taken.fd);
		flow->taken = flow->offers[0];
		flow->offers[0].fd = -1;
	}
	drop_first_offer(flow);
}

void view_flow_answered(struct view *view, unsigned flow, bool taken) {
	keep_flow(&view->flows[flow], taken);
	view_keep(view);
}

static void handle_active(struct view *view, const struct ipc_message *message) {
	if (message->stream_active.source != view->source) {
		return; /* of one that was replaced meanwhile */
	}
	if (message->stream_active.reason == REASON_NONE) {
		view_part_serves(view, VIEW_PICTURES);
		view_part_serves(view, VIEW_SOUND);
		view_part_serves(view, VIEW_STREAM);
	} else {
		session_raise(view->session, LIFE_VIEWER_LOST, message->stream_active.reason,
				"the source did not become active");
	}
}

static void handle_stream_message(
		struct child *child, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	struct view *view = (struct view *)child->user;
	struct session *session = view->session;
	if (message->kind == IPC_STREAM_FIRST) {
		session_raise(session, LIFE_FIRST_PACKET, REASON_NONE, NULL);
	} else if (message->kind == IPC_STREAM_LOST) {
		session_raise(session, LIFE_VIEWER_LOST, message->stream_lost.reason, NULL);
	} else if (message->kind == IPC_FLOW_PROVEN) {
		message->flow_proven.session = session->id;
		supervisor_post(session->supervisor, SERVICE_GATE, message, NULL, 0);
	} else if (message->kind == IPC_STREAM_STATS) {
		session->stats = *message;
	} else if (message->kind == IPC_STREAM_FLOW) {
		view_flow_answered(view, message->stream_flow.flow, message->stream_flow.taken);
	} else if (message->kind == IPC_STREAM_SOURCE_ACTIVE) {
		handle_active(view, message);
	}
}

static void handle_failure(struct child *child, uint32_t reason, const char *detail) {
	struct view *view = (struct view *)child->user;
	session_raise(view->session, LIFE_VIEWER_LOST, reason, detail);
}

static void handle_ended(struct child *child, const struct child_end *end) {
	struct view *view = (struct view *)child->user;
	struct session *session = view->session;
	enum view_part part = part_of(view, child);
	view->worker[part].child = NULL;
	view_part_ended(view, part, end);
	session_child_gone(session);
}

static const struct child_owner encoder_owner = {
	.message = handle_encoder_message,
	.failure = handle_failure,
	.ended = handle_ended,
};

static const struct child_owner stream_owner = {
	.message = handle_stream_message,
	.failure = handle_failure,
	.ended = handle_ended,
};

static void handle_closing_ended(struct child *child, const struct child_end *end) {
	(void)end;
	session_child_gone((struct session *)child->user);
}

static const struct child_owner closing_owner = {
	.ended = handle_closing_ended,
};

/* What sends on a clock and computes little runs before everybody else. What
 * renders or encodes does not: a few of those would starve the doors. */
static const struct part_row {
	enum ipc_peer kind;
	const char *program, *role;
	const struct child_owner *owner;
	bool clockwork;
} rows[VIEW_PARTS] = {
	[VIEW_PICTURES] = { PEER_ENCODER, "perigee-encoder", "pictures", &encoder_owner, false },
	[VIEW_SOUND] = { PEER_ENCODER, "perigee-encoder", "sound", &encoder_owner, true },
	[VIEW_STREAM] = { PEER_STREAM, "perigee-stream", NULL, &stream_owner, true },
};

const char *view_part_name(enum view_part part) {
	return rows[part].role ? rows[part].role : "stream";
}

int view_spawn(struct view *view, enum view_part part) {
	const struct part_row *row = &rows[part];
	struct child_spec spec = {
		.kind = row->kind,
		.program = row->program,
		.args = { row->role, NULL },
		.session = view->session->id,
		.view = view->id,
		.name = row->role ? row->role : "viewer",
		.prompt = !row->clockwork,
		.realtime = row->clockwork,
	};
	int rc = child_spawn(&view->session->supervisor->nursery, &spec, row->owner, view,
			&view->worker[part].child);
	if (rc == 0) {
		view->session->children++;
	}
	return rc;
}

struct view *view_make(struct session *session, uint32_t id) {
	struct view *view = calloc(1, sizeof(*view));
	if (!view) {
		return NULL;
	}
	*view = (struct view){
		.session = session,
		.id = id,
		.page = SHM_NONE,
		.ring_fd = { -1, -1 },
		.incarnation = 1,
	};
	for (int flow = 0; flow < FLOWS; flow++) {
		view->flows[flow].taken.fd = -1;
	}
	for (enum view_part part = VIEW_PICTURES; part < VIEW_PARTS; part++) {
		view->worker[part].view = view;
	}
	return view;
}

int view_create(struct session *session, struct view **out) {
	struct view *view = view_make(session, ++session->supervisor->last_view);
	if (!view) {
		return -ENOMEM;
	}
	int rc = page_create(&view->page);
	for (enum view_part part = VIEW_PICTURES; part < VIEW_PARTS; part++) {
		rc = rc < 0 ? rc : view_spawn(view, part);
	}
	if (rc < 0) {
		view_close(view, REASON_SPAWN_FAILED, reason_termination(REASON_SPAWN_FAILED));
		return rc;
	}
	view_keep(view);
	*out = view;
	return 0;
}

int view_adopt(struct session *session, struct child_left *left) {
	struct nursery *nursery = &session->supervisor->nursery;
	struct view *view = session->view;
	struct child *closing = NULL;
	bool sound = strcmp(left->name, rows[VIEW_SOUND].role) == 0;
	enum view_part part = left->kind == PEER_STREAM ? VIEW_STREAM
			      : sound                   ? VIEW_SOUND
							: VIEW_PICTURES;
	int rc;
	if (!view || view->id != left->view || left->stopping) {
		rc = child_adopt(nursery, left, &closing_owner, session, &closing);
	} else {
		rc = child_adopt(nursery, left, rows[part].owner, view, &view->worker[part].child);
	}
	session->children += rc == 0;
	child_stop(closing, REASON_ASKED, VIEW_STREAM_GRACE_MS);
	return rc;
}

/* The desktop takes the viewer's size; a single-app session has one viewer. */
static void fit_desktop(struct view *view) {
	struct session *session = view->session;
	desk_resize(session->desk, view->params.width, view->params.height,
			view->params.rate_x100 * 10);
}

static int attach_pictures(struct view *view) {
	int pair[2];
	int rc = channel_pair(pair);
	if (rc < 0) {
		return rc;
	}
	const struct ipc_stream_params *params = &view->params;
	view->encoder = ++view->session->supervisor->last_view;
	view->kind[0] = '\0';
	struct ipc_message attach = {
		.kind = IPC_DESKTOP_ENCODER,
		.desktop_encoder = { .encoder = view->encoder,
				.format = { .width = params->width,
						.height = params->height,
						.chroma = params->chroma,
						.matrix = params->matrix,
						.full_range = params->full_range } },
	};
	child_post(view->session->desk->desktop, &attach, &pair[0], 1);
	view_order_pictures(view, pair[1]);
	fd_close(pair[0]);
	fd_close(pair[1]);
	return 0;
}

int view_order(struct view *view, enum view_part part) {
	if (!view->opened) {
		return 0;
	}
	if (part == VIEW_PICTURES) {
		return attach_pictures(view);
	}
	if (part == VIEW_SOUND) {
		view_order_sound(view);
	} else {
		view_start_stream(view);
	}
	return 0;
}

int view_open(struct view *view, const struct ipc_stream_params *params) {
	view->params = *params;
	view->opened = true;
	fit_desktop(view);
	int rc = view_order(view, VIEW_PICTURES);
	return rc < 0 ? rc : view_order(view, VIEW_SOUND);
}

void view_flow(struct view *view, const struct ipc_message *message, int fd) {
	struct view_flow *flow = &view->flows[message->flow.flow];
	if (!view->started && flow->count == VIEW_OFFERS_MAX) {
		drop_first_offer(flow); /* nobody has seen it; newer is better */
	}
	if (flow->count == VIEW_OFFERS_MAX) {
		fd_close(fd); /* the client's next datagram comes to the gate again */
		return;
	}
	struct view_offer *offer = &flow->offers[flow->count++];
	*offer = (struct view_offer){
		.fd = fd,
		.peer = message->flow.peer,
		.counter = message->flow.counter,
		.datagram_len = message->flow.datagram_len,
	};
	memcpy(offer->datagram, message->flow.datagram, offer->datagram_len);
	view_keep(view);
	if (view->started) {
		send_offer(view, (enum ipc_flow)message->flow.flow, offer);
	}
}

void view_encoder_lost(struct view *view, uint32_t encoder, uint32_t reason) {
	if (view->opened && encoder == view->encoder) {
		child_fence(view->worker[VIEW_PICTURES].child, reason, "the desktop gave it up");
	}
}

static void release(struct view_worker *worker, uint32_t reason, uint32_t grace_ms) {
	worker->retry = sd_event_source_disable_unref(worker->retry);
	if (worker->child) {
		worker->child->owner = &closing_owner;
		worker->child->user = worker->view->session;
		child_stop(worker->child, reason, grace_ms);
	}
}

void view_desktop_gone(struct view *view) {
	if (!view || !view->opened) {
		return;
	}
	struct view_worker *worker = &view->worker[VIEW_PICTURES];
	release(worker, REASON_DESKTOP_AGAIN, VIEW_ENCODER_GRACE_MS);
	worker->child = NULL;
	worker->down_ms = worker->down_ms ? worker->down_ms : clock_now_ms();
	fd_release(&view->ring_fd[VIEW_PICTURES]);
	view_keep(view);
	view->desktop_gone = true;
}

void view_desktop_back(struct view *view) {
	if (view && view->desktop_gone && !view->worker[VIEW_PICTURES].child) {
		view_start_part(view, VIEW_PICTURES);
	}
}

void view_close(struct view *view, uint32_t reason, uint32_t code) {
	if (!view) {
		return;
	}
	struct session *session = view->session;
	if (view->started) {
		struct ipc_message end = { .kind = IPC_STREAM_END, .stream_end = { reason, code } };
		child_post(view->worker[VIEW_STREAM].child, &end, NULL, 0);
	}
	if (session->desk->desktop && view->opened) {
		struct ipc_message viewer = { .kind = IPC_DESKTOP_VIEWER_GONE,
			.desktop_viewer.viewer = view->id };
		struct ipc_message encoder = { .kind = IPC_DESKTOP_ENCODER_GONE,
			.desktop_encoder.encoder = view->encoder };
		child_post(session->desk->desktop, &viewer, NULL, 0);
		child_post(session->desk->desktop, &encoder, NULL, 0);
	}
	view_forget(view);
	for (enum view_part part = VIEW_PICTURES; part < VIEW_PARTS; part++) {
		release(&view->worker[part], reason,
				part == VIEW_STREAM ? VIEW_STREAM_GRACE_MS : VIEW_ENCODER_GRACE_MS);
	}
	fd_close(view->ring_fd[VIEW_PICTURES]);
	fd_close(view->ring_fd[VIEW_SOUND]);
	for (int flow = 0; flow < FLOWS; flow++) {
		fd_close(view->flows[flow].taken.fd);
		while (view->flows[flow].count > 0) {
			drop_first_offer(&view->flows[flow]);
		}
	}
	if (view->page.map) {
		explicit_bzero(view->page.map, view->page.size);
	}
	shm_finish(&view->page);
	free(view);
}
