/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "ipc/page.h"
#include "stream/stream.h"

/* Taking over from a stream process that died or stands still for good, under the
 * same key, with its sockets (docs/architecture.md, section 6). What the page says
 * is used may have been used: numbers go on behind it, video's IVs under another
 * incarnation, control's behind what was reserved. The client sees a frame that may
 * lack packets, then a key frame with the next index.
 *
 * A predecessor that could not even be stopped (in a driver, in a full disk's
 * write) has SIGKILL waiting for it and does not come back to its own code; what it
 * may still do is finish one system call, whose bytes were committed before. */

int stream_adopt_page(struct stream *stream, int fd, uint32_t incarnation) {
	int rc = page_open(fd, &stream->page);
	if (rc < 0) {
		fd_close(fd);
		return rc;
	}
	OWN(free) void *content = malloc(PAGE_CONTENT_MAX);
	OWN(free) void *decoded = malloc(sizeof(struct takeover));
	if (!content || !decoded) {
		return -ENOMEM;
	}
	struct takeover *before = (struct takeover *)decoded;
	rc = page_read(&stream->page, content, PAGE_CONTENT_MAX);
	if (rc > 0 && takeover_decode(content, (size_t)rc, before) == 0) {
		if (before->incarnation >= incarnation) {
			return -EPROTO;
		}
		stream->takeover = *before;
		stream->takeover.video.next_iv = 0;
		stream->succeeds = true;
	} else if (rc > 0) {
		return -EPROTO; /* nothing is known of what was used: better none than twice */
	}
	struct takeover *takeover = &stream->takeover;
	takeover->version = TAKEOVER_VERSION;
	takeover->size = offsetof(struct takeover, enet);
	takeover->incarnation = takeover->video.incarnation = incarnation;
	if (takeover->video.next_frame == 0) {
		takeover->video.next_frame = 1;
	}
	stream->inputs = takeover->inputs;
	stream->first_told = takeover->flags & TAKEOVER_FIRST_SENT;
	explicit_bzero(content, PAGE_CONTENT_MAX);
	return 0;
}

int stream_adopt_control(struct stream *stream, uint64_t now_ms) {
	const struct takeover *takeover = &stream->takeover;
	if (takeover->enet_len == 0) {
		return 0; /* the client had not come */
	}
	struct reader enet = reader_over(takeover->enet, takeover->enet_len);
	struct stream_control_past past = {
		.enet = &enet,
		.seen = takeover->control_seen,
		.proven = takeover->flags & TAKEOVER_PROVEN,
		.started = takeover->flags & TAKEOVER_STARTED,
	};
	return stream_control_go_on(&stream->control, &past, now_ms);
}

bool stream_waits_for_flow(const struct stream *stream, const struct flow *flow) {
	bool known = stream->takeover.flows[flow->kind].peer.port != 0;
	if (flow->kind == FLOW_CONTROL) {
		known = known && stream->control.accepted;
	}
	return stream->succeeds && known && !flow_is_here(flow);
}

bool stream_adopt_flow(struct stream *stream, struct flow *flow, const struct address *peer,
		uint64_t now_ns) {
	const struct takeover_flow *saved = &stream->takeover.flows[flow->kind];
	if (!address_same(&saved->peer, peer)) {
		return false;
	}
	memcpy(flow->secret, saved->secret, sizeof(flow->secret));
	flow->counter = saved->counter;
	flow->heard_ns = now_ns;
	return true;
}
