/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROBE_SESSION_H
#define CLI_PROBE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/probe.h"
#include "cli/probe_audio.h"
#include "cli/probe_check.h"
#include "cli/probe_control.h"
#include "cli/probe_follow.h"
#include "cli/probe_impair.h"
#include "cli/probe_rtsp.h"
#include "cli/probe_script.h"
#include "cli/probe_video.h"

/* One stream, from RTSP to leaving, in one loop. */
enum probe_flow {
	PROBE_FLOW_CONTROL,
	PROBE_FLOW_VIDEO,
	PROBE_FLOW_AUDIO,
	PROBE_FLOWS,
};

enum probe_end {
	PROBE_END_NONE,
	PROBE_END_TIME,       /* --seconds or --frames */
	PROBE_END_TERMINATED, /* the host ended it, and said why */
	PROBE_END_DISCONNECTED,
	PROBE_END_INTERRUPTED, /* by a signal */
	PROBE_END_FAILED,
};

struct probe_session {
	struct probe *probe; /* borrowed */
	struct probe_terms terms;
	struct probe_control control;
	struct probe_video video;
	struct probe_audio audio;
	int video_fd, audio_fd; /* owned, -1 before */
	uint32_t video_pings, audio_pings;
	uint32_t moves;        /* to new addresses, by SIGUSR1 */
	struct impair *impair; /* owned; NULL: datagrams pass as they come */
	struct script script;
	size_t script_next;
	struct follow follow;
	bool follows; /* standard input has more of the script */
	struct probe_check check;
	uint64_t last_ns; /* when SIGUSR2 asked for the last keys, 0 before */
	bool last_pressed;
	uint32_t shots, shots_failed;

	uint64_t launch_ns;  /* when /launch was sent */
	uint64_t begin_ns;   /* control stands: the script's zero; 0 before */
	uint64_t end_ns;     /* when the stream was left */
	uint64_t ping_ns;    /* the next ones on the media sockets */
	uint64_t control_ns; /* the next one on control */
	uint64_t progress_ns;
	uint64_t connect_limit_ns;
	enum probe_end end;
};

/* Streams until the end, leaves, and fills the report. begin: when /launch was sent. */
int probe_session_run(struct probe *probe, const struct secret *key, uint32_t key_id,
		const char *url, uint64_t launch_ns) NODISCARD;

/* The numbers of a session, into the report. */
void probe_session_report(struct probe_session *session, json_t *report);

#endif
