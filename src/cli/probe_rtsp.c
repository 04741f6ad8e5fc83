/* SPDX-License-Identifier: MIT */
#include "cli/probe_rtsp.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"
#include "base/text.h"
#include "cli/net.h"
#include "proto/rtsp.h"
#include "proto/rtsp_seal.h"
#include "proto/sdp.h"

enum {
	READ_MS = 15000, /* RtspConnection.c: between bytes */
	RETRY_MS = 500,  /* after a refused connection */
	ANSWER_MAX = 64 * 1024,
	VIDEO_CRYPT_SHARE = 32, /* what encryption takes of a packet */
};

struct handshake {
	struct probe *probe;
	const char *url;
	struct address address;
	struct rtsp_seal seal;
	struct probe_terms *terms;
	uint32_t cseq;
	char session[64];
	char request[RTSP_REQUEST_MAX + RTSP_SEAL_HEADER];
	char answer[ANSWER_MAX];
};

static const char *const names[RTSP_METHODS] = {
	[RTSP_OPTIONS] = "rtsp_options",
	[RTSP_DESCRIBE] = "rtsp_describe",
	[RTSP_SETUP] = "rtsp_setup",
	[RTSP_ANNOUNCE] = "rtsp_announce",
	[RTSP_PLAY] = "rtsp_play",
};

/* A host that is not there yet is asked again. */
static int connect_patiently(struct handshake *handshake, int *out_fd) {
	uint64_t deadline_ns = net_deadline_ns(NET_LIMIT_MS);
	for (;;) {
		int rc = net_connect_tcp(&handshake->address, deadline_ns, out_fd);
		uint64_t again_ns = net_deadline_ns(RETRY_MS);
		if (rc != -ECONNREFUSED || again_ns >= deadline_ns) {
			return rc;
		}
		(void)!net_wait(-1, 0, again_ns);
	}
}

static int read_to_end(int fd, char *buf, size_t size, size_t *out_len) {
	size_t len = 0;
	while (len < size) {
		int got = net_read(fd, buf + len, size - len, net_deadline_ns(READ_MS));
		if (got < 0) {
			return got;
		}
		if (got == 0) {
			*out_len = len;
			return 0;
		}
		len += (size_t)got;
	}
	return -ENOSPC;
}

/* Sends request and waits for the answer's text in handshake->answer. */
static int exchange(struct handshake *handshake, const char *text, size_t len, size_t *out_len) {
	struct probe_transcript *transcript = &handshake->probe->transcript;
	probe_transcript_add(transcript, 'r', 'C', text, len);
	const void *bytes = text;
	uint8_t sealed[RTSP_SEAL_MAX];
	if (handshake->terms->sealed) {
		int sealed_len = rtsp_seal_close(&handshake->seal, text, len, sealed);
		if (sealed_len < 0) {
			return sealed_len;
		}
		bytes = sealed;
		len = (size_t)sealed_len;
	}
	OWN(fd_close) int fd = -1;
	int rc = connect_patiently(handshake, &fd);
	rc = rc < 0 ? rc : net_write(fd, bytes, len, net_deadline_ns(NET_LIMIT_MS));
	rc = rc < 0 ? rc : read_to_end(fd, handshake->answer, ANSWER_MAX, out_len);
	if (rc == 0 && handshake->terms->sealed) {
		uint8_t opened[RTSP_SEAL_PLAIN_MAX];
		rc = *out_len == 0 ? -EPIPE
				   : rtsp_seal_open(&handshake->seal, handshake->answer, *out_len,
						     opened);
		if (rc >= 0) {
			memcpy(handshake->answer, opened, (size_t)rc);
			*out_len = (size_t)rc;
		}
	}
	if (rc >= 0) {
		probe_transcript_add(transcript, 'r', 'H', handshake->answer, *out_len);
	}
	return rc < 0 ? rc : 0;
}

static int ask(struct handshake *handshake, enum rtsp_method method, const char *target,
		struct span body, struct rtsp_response *out) {
	struct probe *probe = handshake->probe;
	char host[ADDRESS_TEXT_MAX];
	address_ip_text(&handshake->address, host);
	struct rtsp_question question = { .method = method,
		.target = target,
		.cseq = ++handshake->cseq,
		.host = host,
		.session = handshake->session[0] ? handshake->session : NULL,
		.body = body };
	int len = rtsp_request_write(&question, handshake->request, RTSP_REQUEST_MAX);
	if (len < 0) {
		return probe_fail_transport(probe, names[method], "the request", len);
	}
	uint64_t begin_ns = clock_now_ns();
	size_t answer_len = 0;
	int rc = exchange(handshake, handshake->request, (size_t)len, &answer_len);
	char name[32];
	text_format(name, sizeof(name), "%s_ms", names[method]);
	probe_note_ms(probe->report, name, begin_ns, clock_now_ns());
	if (rc < 0) {
		return probe_fail_transport(probe, names[method], "RTSP", rc);
	}
	if (rtsp_response_parse(handshake->answer, answer_len, out) < 0 ||
			out->cseq != question.cseq) {
		return probe_fail(probe, PROBE_FAILED, names[method], "a malformed answer");
	}
	if (out->status != 200) {
		return probe_fail(
				probe, PROBE_REFUSED, names[method], "RTSP status %d", out->status);
	}
	return 0;
}

static int setup(struct handshake *handshake, const char *target, uint16_t *out_port,
		uint8_t *out_ping) {
	struct rtsp_response response;
	int rc = ask(handshake, RTSP_SETUP, target, (struct span){ 0 }, &response);
	if (rc < 0) {
		return rc;
	}
	struct probe *probe = handshake->probe;
	if (!handshake->session[0]) {
		if (response.session.len == 0 ||
				response.session.len >= sizeof(handshake->session)) {
			return probe_fail(probe, PROBE_FAILED, "rtsp_setup", "no session");
		}
		memcpy(handshake->session, response.session.at, response.session.len);
	}
	if (response.server_port == 0 ||
			(out_ping && response.ping_payload.len != PING_SECRET_SIZE)) {
		return probe_fail(probe, PROBE_FAILED, "rtsp_setup", "%s: no port or ping payload",
				target);
	}
	*out_port = response.server_port;
	if (out_ping) {
		memcpy(out_ping, response.ping_payload.at, PING_SECRET_SIZE);
	} else {
		handshake->terms->connect_data = response.connect_data;
	}
	return 0;
}

/* SdpGenerator.c:272-300: control always; the others if the host supports it and we want
 * it, or if the host insists. */
static uint32_t choose_encryption(const struct probe *probe, const struct rtsp_describe *describe) {
	uint32_t wanted = RTSP_ENCRYPT_CONTROL;
	int64_t option = probe->options.encryption;
	if (option == PROBE_ENCRYPT_ALL || option == PROBE_ENCRYPT_AUDIO) {
		wanted |= RTSP_ENCRYPT_AUDIO;
	}
	if (option == PROBE_ENCRYPT_ALL || option == PROBE_ENCRYPT_VIDEO) {
		wanted |= RTSP_ENCRYPT_VIDEO;
	}
	return (describe->encryption_supported & wanted) | describe->encryption_requested;
}

static int describe(struct handshake *handshake) {
	struct rtsp_response response;
	int rc = ask(handshake, RTSP_DESCRIBE, handshake->url, (struct span){ 0 }, &response);
	if (rc < 0) {
		return rc;
	}
	struct probe *probe = handshake->probe;
	struct rtsp_describe describe;
	if (rtsp_describe_parse(response.body, &describe) < 0) {
		return probe_fail(probe, PROBE_FAILED, "rtsp_describe", "a malformed description");
	}
	if (probe->options.codec == SDP_HEVC && !describe.hevc) {
		return probe_fail(probe, PROBE_FAILED, "rtsp_describe", "the host has no HEVC");
	}
	struct probe_terms *terms = handshake->terms;
	terms->encryption = choose_encryption(probe, &describe);
	terms->can_invalidate = describe.rfi && probe->options.rfi;
	terms->packet_size = (uint16_t)probe->options.packet_size;
	if (terms->encryption & RTSP_ENCRYPT_VIDEO) {
		terms->packet_size = (uint16_t)(terms->packet_size - VIDEO_CRYPT_SHARE);
	}
	json_object_update_new(probe->report,
			json_pack("{s:i,s:i,s:i,s:b,s:b}", "encryption_supported",
					(int)describe.encryption_supported, "encryption_requested",
					(int)describe.encryption_requested, "encryption",
					(int)terms->encryption, "host_rfi", describe.rfi,
					"rtsp_sealed", terms->sealed));
	return 0;
}

static int announce(struct handshake *handshake) {
	const struct probe_options *options = &handshake->probe->options;
	const struct probe_terms *terms = handshake->terms;
	struct sdp_announce sdp = {
		.codec = (enum sdp_codec)options->codec,
		.width = (uint16_t)options->width,
		.height = (uint16_t)options->height,
		.fps_x100 = (uint32_t)options->fps * 100,
		.bitrate_kbps = (uint32_t)options->kbps,
		.packet_size = terms->packet_size,
		.slices = (uint8_t)options->slices,
		.max_reference_frames = (uint8_t)options->references,
		.colorspace = (enum sdp_colorspace)options->matrix,
		.full_range = options->range,
		.min_fec_packets = 2,
		.fec = true,
		.channels = (uint8_t)options->audio,
		.channel_mask = options->audio == 8   ? 0x63f
				: options->audio == 6 ? 0x3f
						      : 0x3,
		.audio_ms = (uint8_t)options->audio_ms,
		.client_features = SDP_CLIENT_FEC_STATUS | SDP_CLIENT_SESSION_ID,
		.encryption = terms->encryption,
		.audio_encrypted = terms->encryption & RTSP_ENCRYPT_AUDIO,
		.control_encrypted = true,
	};
	char ip[ADDRESS_TEXT_MAX], body[SDP_ANNOUNCE_MAX];
	address_ip_text(&handshake->address, ip);
	int len = sdp_announce_write(
			&sdp, ip, !address_is_v4(&handshake->address), body, sizeof(body));
	if (len < 0) {
		return probe_fail_transport(handshake->probe, "rtsp_announce", "the request", len);
	}
	struct rtsp_response response;
	return ask(handshake, RTSP_ANNOUNCE, "streamid=control/13/0",
			(struct span){ body, (size_t)len }, &response);
}

static int run(struct handshake *handshake, const struct probe_rtsp_events *events) {
	struct probe_terms *terms = handshake->terms;
	struct rtsp_response response;
	int rc = ask(handshake, RTSP_OPTIONS, handshake->url, (struct span){ 0 }, &response);
	rc = rc < 0 ? rc : describe(handshake);
	rc = rc < 0 ? rc
		    : setup(handshake, "streamid=audio/0/0", &terms->audio_port, terms->audio_ping);
	rc = rc < 0 ? rc : events->audio_known(events->user, terms);
	rc = rc < 0 ? rc
		    : setup(handshake, "streamid=video/0/0", &terms->video_port, terms->video_ping);
	rc = rc < 0 ? rc : setup(handshake, "streamid=control/13/0", &terms->control_port, NULL);
	rc = rc < 0 ? rc : announce(handshake);
	return rc < 0 ? rc : ask(handshake, RTSP_PLAY, "/", (struct span){ 0 }, &response);
}

/* Clients use the address they know and only the port of the URL (Connection.c:182-206). */
static int url_read(struct handshake *handshake) {
	const char *port = strrchr(handshake->url, ':');
	int64_t number;
	bool sealed = strncmp(handshake->url, "rtspenc://", 10) == 0;
	if (!port || (!sealed && strncmp(handshake->url, "rtsp://", 7) != 0) ||
			number_parse(port + 1, strlen(port + 1), 1, UINT16_MAX, &number) < 0) {
		return probe_fail(handshake->probe, PROBE_FAILED, "launch", "no such URL: %s",
				handshake->url);
	}
	handshake->address = handshake->probe->address;
	handshake->address.port = (uint16_t)number;
	handshake->terms->sealed = sealed;
	return 0;
}

int probe_rtsp_run(struct probe *probe, const char *url, const struct probe_rtsp_events *events,
		struct probe_terms *terms) {
	OWN(free) void *memory = calloc(1, sizeof(struct handshake));
	struct handshake *handshake = memory;
	if (!handshake) {
		return probe_fail_transport(probe, "rtsp", "memory", -ENOMEM);
	}
	*handshake = (struct handshake){ .probe = probe, .url = url, .terms = terms };
	int rc = url_read(handshake);
	if (rc < 0) {
		return rc;
	}
	if (rtsp_seal_init(&handshake->seal, RTSP_SEAL_CLIENT, &terms->key) < 0) {
		return probe_fail_transport(probe, "rtsp", "memory", -ENOMEM);
	}
	rc = run(handshake, events);
	rtsp_seal_finish(&handshake->seal);
	return rc;
}
