/* SPDX-License-Identifier: MIT */
#include "apps/home_link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

void home_link_init(struct home_link *link, const char *path) {
	*link = (struct home_link){ .path = path, .fd = -1 };
}

void home_link_finish(struct home_link *link) {
	fd_release(&link->fd);
	free(TAKE(link->answer, NULL));
	link->len = 0;
}

int home_link_ask(struct home_link *link, const struct home_request *request) {
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char text[HOME_REQUEST_MAX];
	if (link->fd >= 0) {
		return -EBUSY;
	}
	home_link_finish(link);
	if (!text_copy(address.sun_path, sizeof(address.sun_path), link->path)) {
		return -ENAMETOOLONG;
	}
	int len = home_link_write(request, text, sizeof(text));
	link->answer = malloc(HOME_ANSWER_MAX);
	OWN(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (len < 0 || !link->answer || fd < 0) {
		return len < 0 ? len : -ENOMEM;
	}
	/* Both are done at once, or not at all: the socket's buffer is larger than a request. */
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
			send(fd, text, (size_t)len, MSG_NOSIGNAL) != len) {
		return errno ? -errno : -EIO;
	}
	explicit_bzero(text, sizeof(text));
	link->fd = TAKE(fd, -1);
	link->deadline_ms = clock_now_ms() + HOME_LINK_MS;
	return 0;
}

int home_link_look(struct home_link *link) {
	const struct home_request nothing = { .want = HOME_NOTHING };
	return home_link_ask(link, &nothing);
}

int home_link_take(struct home_link *link, uint64_t now_ms) {
	ssize_t n = recv(link->fd, link->answer + link->len, HOME_ANSWER_MAX - link->len,
			MSG_DONTWAIT);
	if (n > 0) {
		link->len += (size_t)n;
		if (link->len < HOME_ANSWER_MAX) {
			return -EAGAIN;
		}
		errno = EMSGSIZE;
	} else if (n < 0 && errno == EAGAIN && now_ms < link->deadline_ms) {
		return -EAGAIN;
	}
	int rc = n == 0 ? 0 : n < 0 && errno == EAGAIN ? -ETIMEDOUT : -errno;
	fd_release(&link->fd);
	return rc;
}
