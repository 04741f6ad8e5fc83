/* SPDX-License-Identifier: MIT */
#include "proto/rtsp.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"

static const char *const methods[RTSP_METHODS] = {
	[RTSP_OPTIONS] = "OPTIONS",
	[RTSP_DESCRIBE] = "DESCRIBE",
	[RTSP_SETUP] = "SETUP",
	[RTSP_ANNOUNCE] = "ANNOUNCE",
	[RTSP_PLAY] = "PLAY",
};

static int method_parse(struct span text, enum rtsp_method *out) {
	for (size_t i = 0; i < RTSP_METHODS; i++) {
		if (span_is(text, methods[i])) {
			*out = (enum rtsp_method)i;
			return 0;
		}
	}
	return -ENOTSUP;
}

static const struct {
	const char *prefix;
	enum rtsp_stream stream;
} streams[] = {
	{ "streamid=audio", RTSP_STREAM_AUDIO },
	{ "streamid=video", RTSP_STREAM_VIDEO },
	{ "streamid=control", RTSP_STREAM_CONTROL },
};

/* "streamid=audio/0/0": the numbers differ between client generations. */
static enum rtsp_stream stream_of(struct span target) {
	for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
		size_t n = strlen(streams[i].prefix);
		bool begins = target.len >= n && memcmp(target.at, streams[i].prefix, n) == 0;
		if (begins && (target.len == n || target.at[n] == '/')) {
			return streams[i].stream;
		}
	}
	return RTSP_STREAM_NONE;
}

static int start_parse(struct span start, struct rtsp_request *request) {
	struct span parts[3];
	int rc = head_split_start(start, parts);
	if (rc < 0) {
		return rc;
	}
	if (!span_is(parts[2], "RTSP/1.0")) {
		bool rtsp = parts[2].len > 5 && memcmp(parts[2].at, "RTSP/", 5) == 0;
		return rtsp ? -ENOTSUP : -EBADMSG;
	}
	rc = method_parse(parts[0], &request->method);
	if (rc < 0) {
		return rc;
	}
	request->target = parts[1];
	request->stream = stream_of(parts[1]);
	bool lost = request->method == RTSP_SETUP && request->stream == RTSP_STREAM_NONE;
	return lost ? -ENOTSUP : 0;
}

/* A field that may be missing. */
static int optional(const struct head *head, const char *name, struct span *out) {
	int rc = head_find(head, name, out);
	if (rc == -ENOENT) {
		*out = (struct span){ head->start.at, 0 };
		return 0;
	}
	return rc;
}

static struct span before(struct span text, char mark) {
	const char *at = text.len ? memchr(text.at, mark, text.len) : NULL;
	return span_trim((struct span){ text.at, at ? (size_t)(at - text.at) : text.len });
}

static int number_find(const struct head *head, const char *name, size_t max, size_t *out) {
	struct span text;
	int rc = head_find(head, name, &text);
	return rc < 0 ? rc : head_number(text, max, out);
}

static int head_read(const char *data, size_t head_len, struct rtsp_request *request) {
	size_t cseq, body_len;
	int rc = head_parse(data, head_len, &request->head);
	rc = rc < 0 ? rc : start_parse(request->head.start, request);
	rc = rc < 0 ? rc : number_find(&request->head, "CSeq", UINT32_MAX, &cseq);
	if (rc < 0) {
		return rc == -ENOENT ? -EBADMSG : rc;
	}
	rc = optional(&request->head, "Session", &request->session);
	if (rc < 0) {
		return rc;
	}
	rc = number_find(&request->head, "Content-length", RTSP_BODY_MAX, &body_len);
	if (rc < 0 && rc != -ENOENT) {
		return rc;
	}
	request->session = before(request->session, ';');
	request->cseq = (uint32_t)cseq;
	request->body = (struct span){ data + head_len, rc == -ENOENT ? 0 : body_len };
	return 0;
}

int rtsp_request_parse(struct rtsp_progress *progress, const char *data, size_t len,
		struct rtsp_request *out) {
	if (progress->head_len == 0) {
		int rc = head_scan(data, len, progress->scanned, RTSP_HEAD_MAX);
		if (rc == -EAGAIN) {
			progress->scanned = len;
		}
		if (rc < 0) {
			return rc;
		}
		progress->head_len = (size_t)rc;
		progress->scanned = 0;
	} else if (len < progress->scanned) {
		return -EAGAIN;
	}
	/* A head is read twice at most: when it is complete, for the body's length,
	 * and when that many bytes are there. */
	struct rtsp_request request = { 0 };
	int rc = head_read(data, progress->head_len, &request);
	if (rc < 0) {
		return rc;
	}
	progress->scanned = progress->head_len + request.body.len;
	if (len < progress->scanned) {
		return -EAGAIN;
	}
	*out = request;
	return (int)progress->scanned;
}

int rtsp_status_of(int rc) {
	switch (rc) {
	case -EBADMSG:
		return 400;
	case -ENOSPC:
		return 413;
	case -ENOTSUP:
		return 501;
	default:
		return 500;
	}
}

static const struct head_phrase phrases[] = {
	{ 200, "OK" },
	{ 400, "BAD REQUEST" },
	{ 401, "UNAUTHORIZED" },
	{ 403, "FORBIDDEN" },
	{ 404, "NOT FOUND" },
	{ 413, "REQUEST ENTITY TOO LARGE" },
	{ 454, "SESSION NOT FOUND" },
	{ 455, "METHOD NOT VALID IN THIS STATE" },
	{ 500, "INTERNAL SERVER ERROR" },
	{ 501, "NOT IMPLEMENTED" },
	{ 503, "SERVICE UNAVAILABLE" },
};

int rtsp_answer_write(const struct rtsp_answer *answer, char *buf, size_t size) {
	assert(!answer->session || head_value_is_safe(answer->session));
	assert(!answer->ping_payload || strlen(answer->ping_payload) == RTSP_PING_PAYLOAD_SIZE);
	struct writer w = writer_over(buf, size);
	text_putf(&w, "RTSP/1.0 %d %s\r\n", answer->status,
			head_phrase(phrases, ARRAY_LEN(phrases), answer->status, "STATUS"));
	text_putf(&w, "CSeq: %u\r\n", answer->cseq);
	if (answer->session) {
		text_putf(&w, "Session: %s;timeout = 90\r\n", answer->session);
	}
	if (answer->server_port) {
		text_putf(&w, "Transport: server_port=%u\r\n", answer->server_port);
	}
	if (answer->ping_payload) {
		text_putf(&w, "X-SS-Ping-Payload: %s\r\n", answer->ping_payload);
	}
	if (answer->has_connect_data) {
		text_putf(&w, "X-SS-Connect-Data: %u\r\n", answer->connect_data);
	}
	if (answer->body.len) {
		text_putf(&w, "Content-type: application/sdp\r\nContent-length: %zu\r\n",
				answer->body.len);
	}
	text_put(&w, "\r\n");
	text_put_span(&w, answer->body);
	return w.failed ? -ENOSPC : (int)(size - w.left);
}

/* What each request carries besides CSeq, version, Host and Session
 * (RtspConnection.c:521-651). */
static const char *const extras[RTSP_METHODS] = {
	[RTSP_OPTIONS] = "",
	[RTSP_DESCRIBE] = "Accept: application/sdp\r\n"
			  "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n",
	[RTSP_SETUP] = "Transport: unicast;X-GS-ClientPort=50000-50001\r\n"
		       "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n",
	[RTSP_ANNOUNCE] = "Content-type: application/sdp\r\n",
	[RTSP_PLAY] = "",
};

int rtsp_request_write(const struct rtsp_question *question, char *buf, size_t size) {
	struct writer w = writer_over(buf, size);
	text_putf(&w, "%s %s RTSP/1.0\r\n", methods[question->method], question->target);
	text_putf(&w, "CSeq: %u\r\nX-GS-ClientVersion: 14\r\nHost: %s\r\n", question->cseq,
			question->host);
	if (question->session) {
		text_putf(&w, "Session: %s\r\n", question->session);
	}
	text_put(&w, extras[question->method]);
	if (question->body.len) {
		text_putf(&w, "Content-length: %zu\r\n", question->body.len);
	}
	text_put(&w, "\r\n");
	text_put_span(&w, question->body);
	return w.failed ? -ENOSPC : (int)(size - w.left);
}

static int port_parse(struct span transport, uint16_t *out) {
	static const char mark[] = "server_port=";
	const char *at = transport.len ? memmem(transport.at, transport.len, mark, sizeof(mark) - 1)
				       : NULL;
	if (!at) {
		*out = 0;
		return 0;
	}
	at += sizeof(mark) - 1;
	struct span rest = { at, transport.len - (size_t)(at - transport.at) };
	size_t port;
	int rc = head_number(before(rest, ';'), UINT16_MAX, &port);
	if (rc < 0) {
		return -EBADMSG;
	}
	*out = (uint16_t)port;
	return 0;
}

static int response_fields(const struct head *head, struct rtsp_response *response) {
	struct span transport;
	size_t cseq, connect_data = 0;
	int rc = number_find(head, "CSeq", UINT32_MAX, &cseq);
	rc = rc < 0 ? rc : optional(head, "Session", &response->session);
	rc = rc < 0 ? rc : optional(head, "Transport", &transport);
	rc = rc < 0 ? rc : optional(head, "X-SS-Ping-Payload", &response->ping_payload);
	rc = rc < 0 ? rc : port_parse(transport, &response->server_port);
	if (rc < 0) {
		return -EBADMSG;
	}
	rc = number_find(head, "X-SS-Connect-Data", UINT32_MAX, &connect_data);
	if (rc < 0 && rc != -ENOENT) {
		return -EBADMSG;
	}
	if (response->ping_payload.len != RTSP_PING_PAYLOAD_SIZE) {
		response->ping_payload.len = 0;
	}
	response->session = before(response->session, ';');
	response->cseq = (uint32_t)cseq;
	response->connect_data = (uint32_t)connect_data;
	return 0;
}

int rtsp_response_parse(const char *data, size_t len, struct rtsp_response *out) {
	int head_len = head_scan(data, len, 0, RTSP_HEAD_MAX);
	struct head head;
	if (head_len < 0 || head_parse(data, (size_t)head_len, &head) < 0) {
		return -EBADMSG;
	}
	struct rtsp_response response = { 0 };
	static const char version[] = "RTSP/1.0 ";
	size_t status;
	if (head.start.len < 12 || memcmp(head.start.at, version, 9) != 0 ||
			head_number((struct span){ head.start.at + 9, 3 }, 999, &status) < 0 ||
			response_fields(&head, &response) < 0) {
		return -EBADMSG;
	}
	response.status = (int)status;
	response.body = (struct span){ data + head_len, len - (size_t)head_len };
	*out = response;
	return 0;
}
