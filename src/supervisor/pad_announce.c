/* SPDX-License-Identifier: MIT */
#include "supervisor/pad_announce.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/text.h"
#include "supervisor/udev.h"

int pad_announce_open(uint32_t pid) {
	char path[48];
	struct stat ours, theirs;
	text_format(path, sizeof(path), "/proc/%u/ns/net", pid);
	OWN(fd_close) int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	OWN(fd_close) int other = own >= 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (other < 0 || fstat(own, &ours) < 0 || fstat(other, &theirs) < 0) {
		return -errno;
	}
	if (ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino) {
		return -EEXIST;
	}
	/* A socket stays in the network that it was made in. */
	if (setns(other, CLONE_NEWNET) < 0) {
		return -errno;
	}
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT);
	int rc = fd < 0 ? -errno : fd;
	if (setns(own, CLONE_NEWNET) < 0) {
		abort(); /* every later socket would be in the container's network */
	}
	return rc;
}

int pad_announce(int fd, const struct udev_device *device, bool added, uint64_t sequence,
		uint64_t since_us) {
	char words[UDEV_WORDS_MAX];
	uint8_t message[UDEV_MESSAGE_MAX];
	const struct sockaddr_nl everybody = { .nl_family = AF_NETLINK, .nl_groups = UDEV_GROUP };
	size_t len = udev_words(
			device, added ? "add" : "remove", sequence, since_us, words, sizeof(words));
	size_t total = udev_message(device, words, len, message, sizeof(message));
	if (len == 0 || total == 0) {
		return -ENOSPC;
	}
	ssize_t sent = sendto(fd, message, total, 0, (const struct sockaddr *)&everybody,
			sizeof(everybody));
	return sent >= 0 || errno == ECONNREFUSED ? 0 : -errno; /* refused: nobody listens */
}
