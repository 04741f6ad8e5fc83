/* SPDX-License-Identifier: MIT */
#include "supervisor/pads.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/log.h"
#include "base/own.h"
#include "ipc/reason.h"
#include "supervisor/desk.h"
#include "supervisor/supervisor.h"

static const struct {
	const char *path, *missing;
} nodes[PAD_DEVICES] = {
	[PAD_UINPUT] = { "/dev/uinput", "gamepads do nothing, everything else works" },
};

static void say_missing(struct supervisor *supervisor, enum ipc_pad_device device, int error) {
	if (supervisor->pads_told[device]) {
		return;
	}
	supervisor->pads_told[device] = true;
	log_warning("pads-missing", "reason=%s device=%s error=%s effect=%s remedy=%s",
			reason_row(REASON_PADS_MISSING)->name, nodes[device].path,
			log_quote(strerror(error)).text, log_quote(nodes[device].missing).text,
			log_quote(reason_row(REASON_PADS_MISSING)->remedy).text);
}

void pads_open(struct desk *desk, const struct ipc_message *message) {
	enum ipc_pad_device device = (enum ipc_pad_device)message->pad_device.device;
	OWN(fd_close) int fd = open(nodes[device].path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	struct ipc_message answer = { .kind = fd >= 0 ? IPC_PAD_DEVICE : IPC_PAD_DEVICE_NONE,
		.pad_device = { message->pad_device.request, (uint8_t)device, 0 } };
	if (fd < 0) {
		answer.pad_device.error = errno;
		say_missing(desk->supervisor, device, errno);
	}
	child_post(desk->desktop, &answer, &fd, fd >= 0);
}
