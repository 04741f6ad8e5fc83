/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "ipc/page.h"
#include "stream/takeover.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A connection that was read from nonsense may be nonsense, but stays in its bounds. */
static void use(struct enet_peer *peer) {
	uint8_t bytes[ENET_MTU];
	struct enet_event event;
	for (uint64_t now_ms = 1000; now_ms < 4000; now_ms += 500) {
		enet_peer_receive(peer, "\x8f\xff\0\1\5\xff\0\1", 8, now_ms);
		while (enet_peer_next_event(peer, &event)) {
		}
		for (unsigned i = 0; i < 8; i++) {
			size_t len = enet_peer_transmit(peer, now_ms, bytes, sizeof(bytes));
			assert(len <= sizeof(bytes));
		}
		(void)enet_peer_next_deadline(peer);
	}
}

static void load(const void *content, size_t size) {
	struct takeover *takeover = malloc(sizeof(*takeover));
	struct enet_peer *peer = calloc(1, sizeof(*peer));
	assert(takeover && peer);
	if (takeover_decode(content, size, takeover) == 0) {
		assert(takeover_size(takeover) == size);
		struct reader r = reader_over(takeover->enet, takeover->enet_len);
		if (enet_peer_load(peer, &r) == 0) {
			use(peer);
		}
	}
	free(peer);
	free(takeover);
}

/* The input as a connection's state behind a head that is right, whatever its layout is by now. */
static void load_enet(const uint8_t *data, size_t size) {
	struct takeover *takeover = calloc(1, sizeof(*takeover));
	assert(takeover);
	if (size <= sizeof(takeover->enet)) {
		takeover->version = TAKEOVER_VERSION;
		takeover->size = offsetof(struct takeover, enet);
		takeover->enet_len = (uint32_t)size;
		memcpy(takeover->enet, data, size);
		load(takeover, takeover_size(takeover));
	}
	free(takeover);
}

/* The page's content, a connection in it, and the page as such with the input all over it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	load(data, size);
	load_enet(data, size);
	static struct shm page = SHM_NONE;
	static uint8_t content[PAGE_CONTENT_MAX];
	if (page.fd < 0) {
		int rc = page_create(&page);
		assert(rc == 0);
	}
	if (size <= PAGE_CONTENT_MAX) {
		int rc = page_commit(&page, data, size);
		assert(rc == 0);
		rc = page_read(&page, content, sizeof(content));
		assert(rc == (int)size && memcmp(content, data, size) == 0);
	}
	memcpy(page.map, data, size < page.size ? size : page.size);
	int rc = page_read(&page, content, sizeof(content));
	if (rc > 0) {
		assert((size_t)rc <= sizeof(content));
		load(content, (size_t)rc);
	}
	memset(page.map, 0, 64);
	return 0;
}
