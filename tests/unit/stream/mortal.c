/* SPDX-License-Identifier: MIT */

/* perigee-stream that dies by SIGKILL where a test wants it: before, in or after any
 * commit of the takeover page, before any datagram, before any message. The linker
 * puts these functions in the place of the real ones (--wrap). */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/page.h"
#include "mortal.h"
#include "proto/gcm.h"

int __real_page_commit(struct shm *page, const void *content, size_t size);
ssize_t __real_send(int fd, const void *bytes, size_t len, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
int __real_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);
void __real_gcm_seal(struct gcm *gcm, const uint8_t iv[GCM_IV_SIZE], const void *plain, size_t len,
		uint8_t *out, uint8_t tag[GCM_TAG_SIZE]);

int __wrap_page_commit(struct shm *page, const void *content, size_t size);
ssize_t __wrap_send(int fd, const void *bytes, size_t len, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);
void __wrap_gcm_seal(struct gcm *gcm, const uint8_t iv[GCM_IV_SIZE], const void *plain, size_t len,
		uint8_t *out, uint8_t tag[GCM_TAG_SIZE]);

static struct mortal *shared(void) {
	static struct mortal *mortal;
	if (!mortal) {
		int fd = open(getenv(MORTAL_FILE), O_RDWR | O_CLOEXEC);
		mortal = mmap(NULL, sizeof(*mortal), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (mortal == MAP_FAILED) {
			abort();
		}
		close(fd);
	}
	return mortal;
}

/* True when it is to die here. */
static int is_time(void) {
	const char *at = getenv(MORTAL_AT);
	return at && ++shared()->occasions == strtoull(at, NULL, 10);
}

static void die(void) {
	raise(SIGKILL);
}

/* As if the power of SIGKILL had come between two words of the newer place. */
static void tear(struct shm *page) {
	uint64_t first, second;
	memcpy(&first, page->map, sizeof(first));
	memcpy(&second, page->map + PAGE_PLACE_SIZE, sizeof(second));
	memset(page->map + (first > second ? 0 : PAGE_PLACE_SIZE) + 100, 0x5a, 30);
}

int __wrap_page_commit(struct shm *page, const void *content, size_t size) {
	if (is_time()) {
		die();
	}
	int rc = __real_page_commit(page, content, size);
	if (is_time()) {
		tear(page);
		die();
	}
	return rc;
}

ssize_t __wrap_send(int fd, const void *bytes, size_t len, int flags) {
	if (is_time()) {
		die();
	}
	return __real_send(fd, bytes, len, flags);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags) {
	if (shared()->occasions && is_time()) { /* not before its first commit */
		die();
	}
	return __real_sendmsg(fd, message, flags);
}

int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) {
	if (is_time()) {
		die();
	}
	return __real_sendmmsg(fd, messages, count, flags);
}

void __wrap_gcm_seal(struct gcm *gcm, const uint8_t iv[GCM_IV_SIZE], const void *plain, size_t len,
		uint8_t *out, uint8_t tag[GCM_TAG_SIZE]) {
	struct mortal *mortal = shared();
	if (mortal->ivs < MORTAL_IVS_MAX) {
		memcpy(mortal->iv[mortal->ivs++], iv, MORTAL_IV_SIZE);
	}
	__real_gcm_seal(gcm, iv, plain, len, out, tag);
}
