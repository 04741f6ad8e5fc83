/* SPDX-License-Identifier: MIT */
#include "supervisor/pads.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/own.h"
#include "base/text.h"
#include "ipc/reason.h"
#include "supervisor/app_plan.h"
#include "supervisor/desk.h"
#include "supervisor/pad_announce.h"
#include "supervisor/pad_links.h"
#include "supervisor/supervisor.h"
#include "supervisor/tell.h"

static const struct {
	const char *path, *missing, *remedy;
} nodes[PAD_DEVICES] = {
	[PAD_UINPUT] = { "/dev/uinput", "gamepads do nothing, everything else works",
			"modprobe uinput, and let Perigee's user write /dev/uinput." },
	[PAD_UHID] = { "/dev/uhid",
			"PlayStation pads are without touchpad, motion, light and trigger effects",
			"modprobe uhid hid-playstation, and let Perigee's user write /dev/uhid." },
};

static void say_missing(struct supervisor *supervisor, enum ipc_pad_device device, int error) {
	if (supervisor->pads_told[device]) {
		return;
	}
	supervisor->pads_told[device] = true;
	log_warning("pads-missing", "reason=%s device=%s error=%s effect=%s remedy=%s",
			reason_row(REASON_PADS_MISSING)->name, nodes[device].path,
			log_quote(strerror(error)).text, log_quote(nodes[device].missing).text,
			log_quote(nodes[device].remedy).text);
}

void pads_open(struct desk *desk, const struct ipc_message *message) {
	enum ipc_pad_device device = (enum ipc_pad_device)message->pad_device.device;
	OWN(fd_close) int fd = open(nodes[device].path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	struct ipc_message answer = { .kind = fd >= 0 ? IPC_PAD_DEVICE : IPC_PAD_DEVICE_NONE,
		.pad_device = { message->pad_device.request, (uint8_t)device, 0 } };
	if (fd < 0) {
		desk->supervisor->metrics.pads_missing[device]++;
		answer.pad_device.error = errno;
		say_missing(desk->supervisor, device, errno);
	}
	child_post(desk->desktop, &answer, &fd, fd >= 0);
}

/* Below /dev, where nodes may be opened: /run is mostly mounted without. Several hosts on a
 * machine have runtime folders of their own. */
static bool host_folder(const struct paths *paths, char *out, size_t size) {
	bool fits = text_format(out, size, "/dev/perigee%s", paths->runtime);
	for (char *at = out + strlen("/dev/perigee"); *at; at++) {
		*at = *at == '/' ? '-' : *at;
	}
	return fits;
}

/* An app that is a mere process has the machine's own /dev. */
static bool find_tree(const struct desk *desk, struct pad_tree *out) {
	const struct paths *paths = &desk->supervisor->paths;
	char host[PAD_TREE_PATH_MAX];
	*out = (struct pad_tree){ .sys = "/sys", .desk = desk->id };
	app_plan_user(desk, &out->uid, &out->gid);
	return paths->is_root && app_plan_type(desk) != RUNNER_PROCESS &&
	       host_folder(paths, host, sizeof(host)) &&
	       text_format(out->folder, sizeof(out->folder), "%s/s-%016llx", host,
			       (unsigned long long)desk->id);
}

bool pads_folder(const struct desk *desk, char *out, size_t size) {
	struct pad_tree tree;
	return find_tree(desk, &tree) && access(tree.folder, F_OK) == 0 &&
	       text_copy(out, size, tree.folder);
}

static void say_hidden(struct supervisor *supervisor, const char *what, int error) {
	if (supervisor->pads_hidden_told) {
		return;
	}
	supervisor->pads_hidden_told = true;
	log_warning("pads-hidden", "reason=%s what=%s error=%s remedy=%s",
			reason_row(REASON_PADS_HIDDEN)->name, what, log_quote(strerror(error)).text,
			log_quote(reason_row(REASON_PADS_HIDDEN)->remedy).text);
}

void pads_prepare(const struct desk *desk) {
	struct pad_tree tree;
	int rc = find_tree(desk, &tree) ? pad_tree_make(&tree) : 0;
	if (rc < 0) {
		paths_remove_tree(tree.folder);
		say_hidden(desk->supervisor, "folder", -rc);
	}
}

void pads_finish(struct desk *desk) {
	struct pad_tree tree;
	fd_release(&desk->udev_fd);
	if (find_tree(desk, &tree)) {
		paths_remove_tree(tree.folder);
	}
}

/* A container without a network of its own hears the machine's udev. */
static void announce(struct desk *desk, const struct udev_device *device, bool added) {
	uint64_t now = clock_now_us();
	int rc = desk->udev_fd >= 0 ? pad_announce(desk->udev_fd, device, added, now, now) : 0;
	if (rc < 0) {
		say_hidden(desk->supervisor, "announcement", -rc);
		fd_release(&desk->udev_fd);
	}
}

static void handle_node(void *user, const struct udev_device *device, bool added) {
	struct desk *desk = (struct desk *)user;
	log_info(added ? "pad-node" : "pad-node-gone", "session=%016llx node=%s device=%u:%u",
			(unsigned long long)desk->id, device->node, device->major, device->minor);
	announce(desk, device, added);
	tell_pad(desk, device, added);
}

void pads_made(struct desk *desk, const char *name) {
	struct pad_tree tree;
	if (app_plan_type(desk) == RUNNER_PROCESS) {
		return;
	}
	int rc = -EPERM;
	if (find_tree(desk, &tree)) {
		rc = pad_tree_add(&tree, name, clock_now_us(), handle_node, desk);
	}
	if (rc < 0) {
		desk->supervisor->metrics.pads_hidden++;
		say_hidden(desk->supervisor, "node", -rc);
	}
}

void pads_gone(struct desk *desk) {
	struct pad_tree tree;
	if (find_tree(desk, &tree)) {
		pad_tree_sweep(&tree, handle_node, desk);
	}
}

static void introduce_node(void *user, const struct udev_device *device, bool added) {
	announce((struct desk *)user, device, added);
}

void pads_introduce(struct desk *desk, uint32_t pid) {
	struct pad_tree tree;
	fd_release(&desk->udev_fd);
	if (pid == 0 || !find_tree(desk, &tree)) {
		return;
	}
	desk->udev_fd = pad_announce_open(pid);
	int rc = pad_links_make(pid);
	log_info("pads-told", "session=%016llx pid=%u error=%d links_error=%d",
			(unsigned long long)desk->id, pid, desk->udev_fd < 0 ? -desk->udev_fd : 0,
			-rc);
	/* It may have looked before they were there. */
	pad_tree_each(&tree, introduce_node, desk);
}

void pads_sweep(const struct paths *paths, bool (*stays)(const char *name, void *user),
		void *user) {
	char host[PAD_TREE_PATH_MAX];
	if (paths->is_root && host_folder(paths, host, sizeof(host))) {
		paths_remove_matching(host, "s-", stays, user);
		paths_remove_empty(host);
		paths_remove_empty("/dev/perigee");
	}
}
