/* SPDX-License-Identifier: MIT */
#include "cli/probe_session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/net.h"
#include "cli/probe_acts.h"
#include "proto/rtsp.h"
#include "proto/sdp.h"

enum {
	CONTROL_PING_MS = 100, /* ControlStream.c:1267 */
	MEDIA_PING_MS = 500,   /* VideoStream.c:55-82 */
	CONNECT_MS = 10000,
	FIRST_VIDEO_MS = 10000, /* -100 and -101 of real clients */
	LEAVE_MS = 2500,
	PROGRESS_MS = 500,
	DATAGRAM_MAX = 2048,
	BATCH = 256, /* datagrams taken from one socket before the others have their turn */
};

static uint64_t sooner(uint64_t a, uint64_t b) {
	return a < b ? a : b;
}

/* ---- what goes out ---- */

static void ping(int fd, const uint8_t *secret, uint32_t *counter) {
	uint8_t datagram[PING_SIZE];
	ping_encode(secret, ++*counter, datagram);
	(void)!send(fd, datagram, sizeof(datagram), MSG_NOSIGNAL);
}

static void ping_media(struct probe_session *session, uint64_t now_ns) {
	if (now_ns < session->ping_ns) {
		return;
	}
	session->ping_ns = now_ns + MEDIA_PING_MS * NS_PER_MS;
	ping(session->audio_fd, session->terms.audio_ping, &session->audio_pings);
	if (session->video_fd >= 0) {
		ping(session->video_fd, session->terms.video_ping, &session->video_pings);
	}
}

static void ping_control(struct probe_session *session, uint64_t now_ns) {
	if (session->begin_ns == 0 || now_ns < session->control_ns) {
		return;
	}
	session->control_ns = now_ns + CONTROL_PING_MS * NS_PER_MS;
	probe_control_say(&session->control, &(struct control_message){ .kind = CONTROL_PING });
}

static void ask_for_pictures(struct probe_session *session) {
	struct control_message message;
	while (probe_video_wants(&session->video, &message)) {
		probe_control_say(&session->control, &message);
	}
}

/* The control connection stands: what clients do next, in their order. */
static void start(struct probe_session *session, uint64_t now_ns) {
	session->begin_ns = now_ns;
	session->control_ns = now_ns;
	session->ping_ns = now_ns;
	probe_control_start(&session->control);
	/* Connection.c:535-538 wakes the screen with it. */
	for (int16_t way = 1; way >= -1; way = (int16_t)(way - 2)) {
		struct input_event wake = { .kind = INPUT_MOUSE_MOVE };
		wake.move.dx = wake.move.dy = way;
		probe_control_input(&session->control, &wake);
	}
}

/* ---- what comes in ---- */

static void take_video(
		struct probe_session *session, const void *bytes, size_t len, uint64_t arrived_ns) {
	struct probe_video *video = &session->video;
	video->may_compare = !session->check.waits;
	uint64_t decoded = video->decoded;
	bool frame = probe_video_take(video, bytes, len, arrived_ns);
	ask_for_pictures(session);
	if (frame && video->decoded != decoded && video->has_scene) {
		probe_check_see(&session->check, video->scene.events, video->scene_arrived_ns,
				video->scene_decoded_ns);
	}
	int64_t limit = session->probe->options.frames;
	if (limit && video->frames >= (uint64_t)limit && session->end == PROBE_END_NONE) {
		session->end = PROBE_END_TIME;
	}
}

static void take(struct probe_session *session, enum probe_flow flow, const void *bytes, size_t len,
		uint64_t arrived_ns) {
	switch (flow) {
	case PROBE_FLOW_CONTROL:
		probe_control_receive(&session->control, bytes, len, clock_now_ns());
		break;
	case PROBE_FLOW_VIDEO:
		take_video(session, bytes, len, arrived_ns);
		break;
	case PROBE_FLOW_AUDIO:
		probe_audio_take(&session->audio, bytes, len, arrived_ns);
		break;
	case PROBE_FLOWS:
		break;
	}
}

static void drain(struct probe_session *session, int fd, enum probe_flow flow) {
	static const char kinds[PROBE_FLOWS] = { 'c', 'v', 'a' };
	uint8_t bytes[DATAGRAM_MAX];
	uint64_t arrived_ns;
	for (int i = 0; i < BATCH; i++) {
		int len = net_receive(fd, bytes, sizeof(bytes), &arrived_ns);
		if (len < 0) {
			return;
		}
		probe_transcript_add(
				&session->probe->transcript, kinds[flow], 'H', bytes, (size_t)len);
		if (session->impair) {
			impair_push(session->impair, flow, bytes, (size_t)len, arrived_ns);
		} else {
			take(session, flow, bytes, (size_t)len, arrived_ns);
		}
	}
}

static void take_impaired(struct probe_session *session, uint64_t now_ns) {
	const struct impair_datagram *datagram;
	while (session->impair && (datagram = impair_pop(session->impair, now_ns))) {
		take(session, (enum probe_flow)datagram->flow, datagram->bytes, datagram->len,
				datagram->arrives_ns);
	}
}

/* ---- the loop ---- */

static void progress(struct probe_session *session, uint64_t now_ns) {
	if (session->probe->options.json || !isatty(STDERR_FILENO) || session->begin_ns == 0 ||
			now_ns < session->progress_ns) {
		return;
	}
	session->progress_ns = now_ns + PROGRESS_MS * NS_PER_MS;
	double seconds = (double)(now_ns - session->begin_ns) / 1e9;
	const struct probe_video *video = &session->video;
	fprintf(stderr,
			"\r%6.1f s  %llu frames  %.1f fps  %.0f kbit/s  %llu missing  %llu sound "
			"\033[K",
			seconds, (unsigned long long)video->frames, (double)video->frames / seconds,
			(double)video->bytes * 8 / 1e3 / seconds,
			(unsigned long long)video->missing,
			(unsigned long long)session->audio.packets);
}

/* Why a client would give up now; NULL while it would not. */
static const char *overdue(const struct probe_session *session, uint64_t now_ns) {
	if (session->begin_ns == 0) {
		return now_ns >= session->connect_limit_ns ? "control does not connect" : NULL;
	}
	if (now_ns < session->begin_ns + FIRST_VIDEO_MS * NS_PER_MS) {
		return NULL;
	}
	return session->video.packets == 0 ? "no video came (what clients call -100)"
	       : session->video.idrs == 0  ? "no whole key frame came (what clients call -101)"
					   : NULL;
}

static void judge(struct probe_session *session, uint64_t now_ns) {
	struct probe *probe = session->probe;
	const struct probe_control *control = &session->control;
	if (session->end != PROBE_END_NONE) {
		return;
	}
	if (control->terminated) {
		session->end = PROBE_END_TERMINATED;
		if (control->termination != CONTROL_END_ORDERLY) {
			probe_fail(probe, PROBE_FAILED, "stream",
					"the host ended it with code 0x%08x", control->termination);
		}
	} else if (control->ended) {
		session->end = PROBE_END_DISCONNECTED;
		probe_fail(probe, PROBE_FAILED, "stream", "the control connection %s",
				control->end == ENET_END_TIMEOUT ? "timed out"
								 : "was ended without a reason");
	} else if (session->begin_ns &&
			((double)(now_ns - session->begin_ns) / 1e9 >= probe->options.seconds ||
					probe_acts_are_over(session))) {
		session->end = PROBE_END_TIME;
	}
	const char *reason = overdue(session, now_ns);
	if (session->end == PROBE_END_NONE && reason) {
		session->end = PROBE_END_FAILED;
		probe_fail(probe, PROBE_FAILED, "stream", "%s", reason);
	}
}

static uint64_t next_deadline_ns(const struct probe_session *session) {
	uint64_t deadline_ns = probe_control_deadline_ns(&session->control);
	deadline_ns = sooner(deadline_ns, session->ping_ns);
	if (session->begin_ns == 0) {
		return sooner(deadline_ns, session->connect_limit_ns);
	}
	deadline_ns = sooner(deadline_ns, session->control_ns);
	deadline_ns = sooner(deadline_ns, probe_acts_deadline_ns(session));
	if (session->video.has_scene) {
		deadline_ns = sooner(deadline_ns, probe_check_deadline_ns(&session->check));
	}
	if (session->impair) {
		deadline_ns = sooner(deadline_ns, impair_next_deadline(session->impair));
	}
	return sooner(deadline_ns,
			session->begin_ns + (uint64_t)(session->probe->options.seconds * 1e9));
}

/* SIGUSR1: from now on this client is somewhere else. */
static void move_away(struct probe_session *session) {
	session->moves++;
	int fds[] = { session->control.fd, session->video_fd, session->audio_fd };
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		if (fds[i] >= 0 && net_move_udp(fds[i], (uint8_t)(1 + session->moves % 200)) < 0) {
			probe_fail(session->probe, PROBE_FAILED, "stream", "cannot move");
		}
	}
}

/* Takes all that are pending: whatever is left would end us once it is unblocked. */
static void handle_signal(struct probe_session *session, int signal_fd) {
	struct signalfd_siginfo info;
	while (read(signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGUSR1) {
			move_away(session);
			continue;
		}
		if (info.ssi_signo == SIGUSR2) {
			session->last_ns = clock_now_ns();
			continue;
		}
		session->end = PROBE_END_INTERRUPTED;
		probe_fail(session->probe, PROBE_FAILED, "stream", "interrupted");
	}
}

/* Waits until something comes or is due, and takes what came. */
static void turn(struct probe_session *session, int signal_fd, uint64_t deadline_ns) {
	struct pollfd fds[] = {
		{ .fd = session->control.fd, .events = POLLIN },
		{ .fd = session->video_fd, .events = POLLIN },
		{ .fd = session->audio_fd, .events = POLLIN },
		{ .fd = signal_fd, .events = POLLIN },
		{ .fd = session->follows && session->begin_ns ? STDIN_FILENO : -1,
				.events = POLLIN },
	};
	uint64_t now_ns = clock_now_ns();
	uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
	struct timespec left = { (time_t)(left_ns / NS_PER_S), (long)(left_ns % NS_PER_S) };
	if (ppoll(fds, ARRAY_LEN(fds), &left, NULL) <= 0) {
		return;
	}
	for (int flow = 0; flow < PROBE_FLOWS; flow++) {
		if (fds[flow].revents) {
			drain(session, fds[flow].fd, (enum probe_flow)flow);
		}
	}
	if (fds[PROBE_FLOWS].revents) {
		handle_signal(session, signal_fd);
	}
	if (fds[PROBE_FLOWS + 1].revents) {
		probe_acts_follow(session);
	}
}

static void loop(struct probe_session *session, int signal_fd) {
	session->connect_limit_ns = clock_now_ns() + CONNECT_MS * NS_PER_MS;
	while (session->end == PROBE_END_NONE) {
		uint64_t now_ns = clock_now_ns();
		if (session->begin_ns == 0 && session->control.connected_ns) {
			start(session, now_ns);
		}
		ping_media(session, now_ns);
		ping_control(session, now_ns);
		probe_acts_run(session, now_ns);
		probe_control_flush(&session->control, now_ns);
		progress(session, now_ns);
		turn(session, signal_fd, next_deadline_ns(session));
		take_impaired(session, clock_now_ns());
		judge(session, clock_now_ns());
	}
}

/* Says goodbye and waits until the host has heard it. */
static void leave(struct probe_session *session) {
	session->end_ns = clock_now_ns();
	uint64_t limit_ns = session->end_ns + LEAVE_MS * NS_PER_MS;
	if (session->begin_ns == 0 || session->control.ended) {
		return;
	}
	probe_control_leave(&session->control, session->end_ns);
	for (;;) {
		uint64_t now_ns = clock_now_ns();
		probe_control_flush(&session->control, now_ns);
		if (now_ns >= limit_ns || session->control.ended) {
			break;
		}
		struct pollfd fd = { .fd = session->control.fd, .events = POLLIN };
		uint64_t deadline_ns =
				sooner(limit_ns, probe_control_deadline_ns(&session->control));
		if (net_wait(fd.fd, POLLIN, deadline_ns) == 0) {
			drain(session, fd.fd, PROBE_FLOW_CONTROL);
			take_impaired(session, UINT64_MAX);
		}
	}
	if (!session->control.ended || session->control.end == ENET_END_TIMEOUT) {
		probe_fail(session->probe, PROBE_FAILED, "leave",
				"the host did not answer the goodbye");
	}
}

/* ---- before and after ---- */

static int handle_audio_known(void *user, const struct probe_terms *terms) {
	struct probe_session *session = user;
	struct address address = session->probe->address;
	address.port = terms->audio_port;
	int rc = net_connect_udp(&address, &session->audio_fd);
	if (rc < 0) {
		return probe_fail_transport(session->probe, "audio", "socket", rc);
	}
	ping(session->audio_fd, terms->audio_ping, &session->audio_pings);
	return 0;
}

static int prepare(struct probe_session *session) {
	const struct probe_options *options = &session->probe->options;
	const struct probe_terms *terms = &session->terms;
	struct probe_video_config video = { .hevc = options->codec == SDP_HEVC,
		.packet_size = terms->packet_size,
		.can_invalidate = terms->can_invalidate,
		.key = terms->encryption & RTSP_ENCRYPT_VIDEO ? &terms->key : NULL,
		.decode = !options->no_decode,
		.colours = { options->matrix == SDP_BT709, options->range },
		.width = (uint32_t)options->width,
		.height = (uint32_t)options->height };
	struct probe_audio_config audio = { .channels = (unsigned)options->audio,
		.packet_ms = (unsigned)options->audio_ms,
		.key = terms->encryption & RTSP_ENCRYPT_AUDIO ? &terms->key : NULL,
		.key_id = terms->key_id,
		.decode = !options->no_decode };
	struct impair_config impair = { .drop = options->drop / 100,
		.duplicate = options->duplicate / 100,
		.reorder = options->reorder / 100,
		.delay_ms = (uint32_t)options->delay_ms,
		.seed = (uint64_t)options->seed };
	int rc = probe_video_init(&session->video, &video);
	rc = rc < 0 ? rc : probe_audio_init(&session->audio, &audio);
	return rc < 0 || !impair_is_needed(&impair) ? rc : impair_create(&impair, &session->impair);
}

/* ENet begins once RTSP is done; the video socket opens with it. */
static int connect_flows(struct probe_session *session) {
	struct address address = session->probe->address;
	address.port = session->terms.video_port;
	int rc = net_connect_udp(&address, &session->video_fd);
	address.port = session->terms.control_port;
	rc = rc < 0 ? rc
		    : probe_control_begin(&session->control, &address, &session->terms.key,
				      session->terms.connect_data, &session->probe->transcript,
				      clock_now_ns());
	return rc < 0 ? probe_fail_transport(session->probe, "connect", "sockets", rc) : 0;
}

static int run(struct probe_session *session, const char *url) {
	struct probe *probe = session->probe;
	struct probe_rtsp_events events = { handle_audio_known, session };
	uint64_t rtsp_ns = clock_now_ns();
	int rc = probe_acts_load(session);
	rc = rc < 0 ? rc : probe_rtsp_run(probe, url, &events, &session->terms);
	if (rc < 0) {
		return rc;
	}
	probe_note_ms(probe->report, "rtsp_ms", rtsp_ns, clock_now_ns());
	rc = prepare(session);
	if (rc < 0) {
		return probe_fail_transport(probe, "decoders", "libraries", rc);
	}
	rc = connect_flows(session);
	if (rc < 0) {
		return rc;
	}
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGUSR2);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	OWN(fd_close) int signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	loop(session, signal_fd);
	leave(session);
	sigprocmask(SIG_UNBLOCK, &signals, NULL);
	if (!probe->options.json && isatty(STDERR_FILENO)) {
		fputs("\r\033[K", stderr);
	}
	if (probe->options.shot) {
		probe_acts_shoot(session, probe->options.shot);
	}
	probe_session_report(session, probe->report);
	return probe->error[0] ? -ECANCELED : 0;
}

static void session_finish(struct probe_session *session) {
	probe_video_finish(&session->video);
	probe_audio_finish(&session->audio);
	probe_control_finish(&session->control);
	probe_check_finish(&session->check);
	script_finish(&session->script);
	impair_destroy(session->impair);
	fd_release(&session->video_fd);
	fd_release(&session->audio_fd);
	secret_wipe(&session->terms.key);
}

int probe_session_run(struct probe *probe, const struct secret *key, uint32_t key_id,
		const char *url, uint64_t launch_ns) {
	OWN(free) void *memory = malloc(sizeof(struct probe_session));
	struct probe_session *session = memory;
	if (!session) {
		return probe_fail_transport(probe, "stream", "memory", -ENOMEM);
	}
	*session = (struct probe_session){ .probe = probe,
		.terms = { .key = *key, .key_id = key_id },
		.control = { .fd = -1 },
		.video_fd = -1,
		.audio_fd = -1,
		.launch_ns = launch_ns };
	int rc = run(session, url);
	session_finish(session);
	return rc;
}
