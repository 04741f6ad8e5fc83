/* SPDX-License-Identifier: MIT */
#include "stream/takeover.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/bytes.h"
#include "ipc/page.h"

_Static_assert(sizeof(struct takeover) <= PAGE_CONTENT_MAX, "it fits the page");

enum {
	HEAD_SIZE = offsetof(struct takeover, enet),
};

void takeover_put_enet(struct takeover *takeover, const struct enet_peer *peer) {
	struct writer w = writer_over(takeover->enet, sizeof(takeover->enet));
	if (enet_peer_save(peer, &w) == 0) {
		takeover->enet_len = (uint32_t)(sizeof(takeover->enet) - w.left);
	}
}

size_t takeover_size(const struct takeover *takeover) {
	return HEAD_SIZE + takeover->enet_len;
}

int takeover_decode(const void *content, size_t size, struct takeover *out) {
	struct reader r = reader_over(content, size);
	struct takeover head;
	memset(&head, 0, sizeof(head));
	reader_copy(&r, &head, HEAD_SIZE);
	if (size >= sizeof(head.version) && head.version && head.version != TAKEOVER_VERSION) {
		return -ENOTSUP;
	}
	if (r.failed || head.version != TAKEOVER_VERSION || head.size != HEAD_SIZE ||
			head.enet_len != r.left || head.enet_len > sizeof(head.enet)) {
		return -EBADMSG;
	}
	reader_copy(&r, head.enet, head.enet_len);
	*out = head;
	return 0;
}
