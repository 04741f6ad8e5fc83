/* SPDX-License-Identifier: MIT */
#include "supervisor/view.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/log.h"
#include "base/text.h"
#include "ipc/page.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"

enum {
	FEC_PERCENT = 20,      /* parity for data, protocol.md 6.2 */
	HEADER_PERMILLE = 970, /* what headers leave of a datagram */
	KBPS_MIN = 300,
};

/* Rates of protocol.md section 7. */
struct sound_row {
	uint8_t channels, high;
	uint8_t streams, coupled;
	uint32_t bitrate_bps;
};

static const struct sound_row sound_rows[] = {
	{ 2, 0, 1, 1, 96000 },
	{ 2, 1, 1, 1, 512000 },
	{ 6, 0, 4, 2, 256000 },
	{ 6, 1, 6, 0, 1536000 },
	{ 8, 0, 5, 3, 450000 },
	{ 8, 1, 8, 0, 2048000 },
};

static const struct sound_row *sound_row(const struct ipc_stream_params *params) {
	for (size_t i = 0; i < ARRAY_LEN(sound_rows); i++) {
		if (sound_rows[i].channels == params->channels &&
				sound_rows[i].high == params->sound_high) {
			return &sound_rows[i];
		}
	}
	return &sound_rows[0];
}

uint32_t view_video_kbps(const struct ipc_stream_params *params) {
	/* Sound goes out with half as much parity again. */
	uint32_t sound = sound_row(params)->bitrate_bps / 1000 * 3 / 2;
	uint32_t left = params->bitrate_kbps > sound ? params->bitrate_kbps - sound : 0;
	uint64_t video = (uint64_t)left * HEADER_PERMILLE / 1000 * 100 / (100 + FEC_PERCENT);
	return video > KBPS_MIN ? (uint32_t)video : KBPS_MIN;
}

static void forget(struct view *view, struct child *child) {
	struct child **members[] = { &view->stream, &view->pictures, &view->sound };
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		if (*members[i] == child) {
			*members[i] = NULL;
		}
	}
}

static int send_source(struct view *view) {
	struct session *session = view->session;
	int picture_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int sound_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int picture_requests[2] = { -1, -1 }, sound_requests[2] = { -1, -1 }, input[2] = { -1, -1 };
	int rc = picture_event < 0 || sound_event < 0 ? -errno : 0;
	if (rc == 0 && (rc = channel_pair(picture_requests)) == 0 &&
			(rc = channel_pair(sound_requests)) == 0) {
		rc = channel_pair(input);
	}
	if (rc == 0) {
		struct ipc_message source = { .kind = IPC_STREAM_SOURCE,
			.stream_source = { view->id, view->invalidation } };
		int fds[7] = { view->picture_ring, picture_event, picture_requests[0],
			view->sound_ring, sound_event, sound_requests[0], input[0] };
		child_post(view->stream, &source, fds, 7);
		struct ipc_message reader = { .kind = IPC_ENCODER_READER,
			.encoder_reader.reader = view->id };
		child_post(view->pictures, &reader, (int[]){ picture_event, picture_requests[1] },
				2);
		child_post(view->sound, &reader, (int[]){ sound_event, sound_requests[1] }, 2);
		struct ipc_message viewer = { .kind = IPC_DESKTOP_VIEWER,
			.desktop_viewer = { view->id, 1 } };
		child_post(session->desktop, &viewer, &input[1], 1);
	}
	int all[] = { picture_event, sound_event, picture_requests[0], picture_requests[1],
		sound_requests[0], sound_requests[1], input[0], input[1] };
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		fd_close(all[i]);
	}
	return rc;
}

static void forward_flow(struct view *view, const struct ipc_message *message, int fd) {
	child_post(view->stream, message, &fd, 1);
}

/* Both rings are there: the stream gets everything it needs. */
static void start_stream(struct view *view) {
	struct session *session = view->session;
	struct ipc_message start = { .kind = IPC_STREAM_START };
	start.stream_start.key = session->launch.launch.key;
	start.stream_start.key_id = session->launch.launch.key_id;
	start.stream_start.params = view->params;
	start.stream_start.connect_data = session->answer.launched.connect_data;
	start.stream_start.enet_peer = session->answer.launched.enet_peer;
	text_copy(start.stream_start.trace, sizeof(start.stream_start.trace), session->trace);
	child_post(view->stream, &start, &view->page.fd, 1);
	secret_wipe(&start.stream_start.key);
	view->started = true;
	int rc = send_source(view);
	if (rc < 0) {
		session_raise(session, LIFE_VIEWER_LOST, REASON_RESOURCES, strerror(-rc));
		return;
	}
	for (int flow = 0; flow < FLOWS; flow++) {
		if (view->flow_fd[flow] >= 0) {
			forward_flow(view, &view->flow[flow], view->flow_fd[flow]);
			fd_release(&view->flow_fd[flow]);
		}
	}
	session_raise(session, LIFE_VIEW_READY, REASON_NONE, NULL);
}

static void handle_encoder_message(
		struct child *child, struct ipc_message *message, struct ipc_fds *fds) {
	struct view *view = (struct view *)child->user;
	if (message->kind != IPC_ENCODER_READY) {
		return;
	}
	int *ring = child == view->pictures ? &view->picture_ring : &view->sound_ring;
	if (*ring >= 0 || !view->opened) {
		child_fence(child, REASON_WORKER_LIED, "offered a second ring");
		return;
	}
	*ring = fds_take(fds, 0);
	if (child == view->pictures) {
		view->invalidation = message->encoder_ready.reference_invalidation;
		text_copy(view->encoder_name, sizeof(view->encoder_name),
				message->encoder_ready.name);
		log_info("encoder-ready", "session=%016llx encoder=%u name=%s invalidation=%d",
				(unsigned long long)view->session->id,
				message->encoder_ready.encoder,
				log_quote(message->encoder_ready.name).text, view->invalidation);
	}
	if (view->picture_ring >= 0 && view->sound_ring >= 0) {
		start_stream(view);
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
	} else if (message->kind == IPC_STREAM_STATS) {
		session->stats = *message;
	} else if (message->kind == IPC_STREAM_SOURCE_ACTIVE && message->stream_active.reason) {
		session_raise(session, LIFE_VIEWER_LOST, message->stream_active.reason,
				"the source did not become active");
	}
}

static void handle_failure(struct child *child, uint32_t reason, const char *detail) {
	struct view *view = (struct view *)child->user;
	session_raise(view->session, LIFE_VIEWER_LOST, reason, detail);
}

/* A part of a view that is still wanted died: the view ends, the app goes on. */
static void handle_ended(struct child *child, const struct child_end *end) {
	struct view *view = (struct view *)child->user;
	struct session *session = view->session;
	forget(view, child);
	session_raise(session, LIFE_VIEWER_LOST, end->reason, end->detail);
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
static bool is_clockwork(enum ipc_peer kind, const char *role) {
	return kind == PEER_STREAM || (role && strcmp(role, "sound") == 0);
}

static int spawn_part(struct view *view, enum ipc_peer kind, const char *program, const char *role,
		const struct child_owner *owner, struct child **out) {
	struct child_spec spec = {
		.kind = kind,
		.program = program,
		.args = { role, NULL },
		.session = view->session->id,
		.name = role ? role : "viewer",
		.prompt = !is_clockwork(kind, role),
		.realtime = is_clockwork(kind, role),
	};
	int rc = child_spawn(&view->session->supervisor->nursery, &spec, owner, view, out);
	if (rc == 0) {
		view->session->children++;
	}
	return rc;
}

int view_create(struct session *session, struct view **out) {
	struct view *view = calloc(1, sizeof(*view));
	if (!view) {
		return -ENOMEM;
	}
	*view = (struct view){
		.session = session,
		.id = ++session->supervisor->last_view,
		.page = SHM_NONE,
		.picture_ring = -1,
		.sound_ring = -1,
		.flow_fd = { -1, -1, -1 },
	};
	int rc = page_create(&view->page);
	if (rc == 0) {
		rc = spawn_part(view, PEER_ENCODER, "perigee-encoder", "pictures", &encoder_owner,
				&view->pictures);
	}
	if (rc == 0) {
		rc = spawn_part(view, PEER_ENCODER, "perigee-encoder", "sound", &encoder_owner,
				&view->sound);
	}
	if (rc == 0) {
		rc = spawn_part(view, PEER_STREAM, "perigee-stream", NULL, &stream_owner,
				&view->stream);
	}
	if (rc < 0) {
		view_close(view, REASON_SPAWN_FAILED, REASON_TERMINATE_CONVERSION);
		return rc;
	}
	*out = view;
	return 0;
}

static void order_pictures(struct view *view, int channel) {
	const struct ipc_stream_params *params = &view->params;
	struct ipc_message start = {
		.kind = IPC_PICTURE_ENCODER_START,
		.picture_encoder = {
			.encoder = view->id,
			.encoding = {
				.codec = params->codec,
				.width = params->width,
				.height = params->height,
				.rate_x100 = params->rate_x100,
				.bitrate_kbps = view_video_kbps(params),
				.chroma = params->chroma,
				.matrix = params->matrix,
				.full_range = params->full_range,
				.depth = 8,
				.slices = params->slices,
				.references = params->references,
				.intra_refresh = params->intra_refresh,
			},
		},
	};
	/* What the probe saw working, in the configured order. */
	const struct supervisor *supervisor = view->session->supervisor;
	char *order = start.picture_encoder.encoding.order;
	size_t size = sizeof(start.picture_encoder.encoding.order), used = 0;
	for (unsigned i = 0; i < supervisor->probed_count; i++) {
		const struct ipc_message *probed = &supervisor->probed[i];
		if (probed->encoder_probed.mask && used + 34 < size) {
			text_format(order + used, size - used, "%s%s", used ? "," : "",
					probed->encoder_probed.name);
			used = strlen(order);
		}
	}
	child_post(view->pictures, &start, &channel, 1);
}

static void order_sound(struct view *view) {
	const struct sound_row *row = sound_row(&view->params);
	struct ipc_message start = {
		.kind = IPC_SOUND_ENCODER_START,
		.sound_encoder = { .encoder = view->id,
				.channels = row->channels,
				.streams = row->streams,
				.coupled = row->coupled,
				.frame_ms = view->params.sound_ms,
				.mapping = { 0, 1, 2, 3, 4, 5, 6, 7 },
				.bitrate_bps = row->bitrate_bps },
	};
	text_copy(start.sound_encoder.server, sizeof(start.sound_encoder.server),
			view->session->sound_server);
	child_post(view->sound, &start, NULL, 0);
}

/* The desktop takes the viewer's size; a single-app session has one viewer. */
static void fit_desktop(struct view *view) {
	struct session *session = view->session;
	uint32_t rate_mhz = view->params.rate_x100 * 10;
	if (session->width == view->params.width && session->height == view->params.height &&
			session->rate_mhz == rate_mhz) {
		return;
	}
	session->width = view->params.width;
	session->height = view->params.height;
	session->rate_mhz = rate_mhz;
	struct ipc_message resize = { .kind = IPC_DESKTOP_RESIZE,
		.desktop_size = { session->width, session->height, rate_mhz } };
	child_post(session->desktop, &resize, NULL, 0);
}

int view_open(struct view *view, const struct ipc_stream_params *params) {
	int pair[2];
	int rc = channel_pair(pair);
	if (rc < 0) {
		return rc;
	}
	view->params = *params;
	view->opened = true;
	fit_desktop(view);
	struct ipc_message attach = {
		.kind = IPC_DESKTOP_ENCODER,
		.desktop_encoder = { .encoder = view->id,
				.format = { .width = params->width,
						.height = params->height,
						.chroma = params->chroma,
						.matrix = params->matrix,
						.full_range = params->full_range } },
	};
	child_post(view->session->desktop, &attach, &pair[0], 1);
	order_pictures(view, pair[1]);
	order_sound(view);
	fd_close(pair[0]);
	fd_close(pair[1]);
	return 0;
}

void view_flow(struct view *view, const struct ipc_message *message, int fd) {
	unsigned flow = message->flow.flow;
	if (view->started) {
		forward_flow(view, message, fd);
		fd_close(fd);
		return;
	}
	fd_close(view->flow_fd[flow]);
	view->flow[flow] = *message;
	view->flow_fd[flow] = fd;
}

static void release(
		struct child *child, struct session *session, uint32_t reason, uint32_t grace_ms) {
	if (child) {
		child->owner = &closing_owner;
		child->user = session;
		child_stop(child, reason, grace_ms);
	}
}

void view_close(struct view *view, uint32_t reason, uint32_t code) {
	if (!view) {
		return;
	}
	struct session *session = view->session;
	if (view->stream && view->started) {
		struct ipc_message end = { .kind = IPC_STREAM_END, .stream_end = { reason, code } };
		child_post(view->stream, &end, NULL, 0);
	}
	if (session->desktop && view->opened) {
		struct ipc_message viewer = { .kind = IPC_DESKTOP_VIEWER_GONE,
			.desktop_viewer.viewer = view->id };
		struct ipc_message encoder = { .kind = IPC_DESKTOP_ENCODER_GONE,
			.desktop_encoder.encoder = view->id };
		child_post(session->desktop, &viewer, NULL, 0);
		child_post(session->desktop, &encoder, NULL, 0);
	}
	release(view->stream, session, reason, VIEW_STREAM_GRACE_MS);
	release(view->pictures, session, reason, VIEW_ENCODER_GRACE_MS);
	release(view->sound, session, reason, VIEW_ENCODER_GRACE_MS);
	fd_close(view->picture_ring);
	fd_close(view->sound_ring);
	for (int flow = 0; flow < FLOWS; flow++) {
		fd_close(view->flow_fd[flow]);
	}
	if (view->page.map) {
		explicit_bzero(view->page.map, view->page.size);
	}
	shm_finish(&view->page);
	free(view);
}

void view_kill(struct view *view) {
	if (view) {
		child_kill(view->stream, REASON_ASKED, "the session ends");
		child_kill(view->pictures, REASON_ASKED, "the session ends");
		child_kill(view->sound, REASON_ASKED, "the session ends");
	}
}
