/* SPDX-License-Identifier: MIT */
#include "supervisor/images.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "supervisor/child.h"
#include "supervisor/container.h"
#include "supervisor/supervisor.h"
#include "supervisor/tell.h"

struct image_job {
	struct supervisor *supervisor; /* borrowed */
	struct image_job *next;
	struct ipc_message ask;
	bool answered;
};

static void answer(struct image_job *job, int32_t status, const char *detail) {
	struct ipc_message done = { .kind = IPC_IMAGE_DONE,
		.image_done = { .request = job->ask.image.request, .status = status } };
	text_copy(done.image_done.detail, sizeof(done.image_done.detail), detail);
	if (job->answered) {
		return;
	}
	job->answered = true;
	supervisor_post(job->supervisor, SERVICE_WEB, &done, NULL, 0);
	if (job->ask.image.what == IMAGE_PULL) {
		tell_pull(job->supervisor, 0, TOLD_PULL_ENDED, status == 200, job->ask.image.name);
	}
}

static void handle_message(struct child *child, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	struct image_job *job = (struct image_job *)child->user;
	if (message->kind == IPC_RUNNER_ENGINE_ASK) {
		container_connect(job->supervisor, child);
	} else if (message->kind == IPC_IMAGE_PIECE) {
		message->image_piece.request = job->ask.image.request;
		supervisor_post(job->supervisor, SERVICE_WEB, message, NULL, 0);
	} else if (message->kind == IPC_IMAGE_DONE) {
		answer(job, message->image_done.status, message->image_done.detail);
	}
}

static void handle_ended(struct child *child, const struct child_end *end) {
	struct image_job *job = (struct image_job *)child->user;
	answer(job, -EPIPE, end->detail);
	for (struct image_job **at = &job->supervisor->images; *at; at = &(*at)->next) {
		if (*at == job) {
			*at = job->next;
			break;
		}
	}
	free(job);
}

static const struct child_owner owner = { .message = handle_message, .ended = handle_ended };

static int begin(struct image_job *job) {
	struct child *child = NULL;
	struct child_spec spec = {
		.kind = PEER_RUNNER,
		.program = "perigee-container",
		.confine = "runner-container",
		.name = "image",
		.die_with_us = true,
	};
	int rc = child_spawn(&job->supervisor->nursery, &spec, &owner, job, &child);
	if (rc == 0) {
		child_post(child, &job->ask, NULL, 0);
	}
	return rc;
}

void images_ask(struct supervisor *supervisor, const struct ipc_message *message) {
	unsigned count = 0;
	for (const struct image_job *at = supervisor->images; at; at = at->next) {
		count++;
	}
	struct image_job few = { .supervisor = supervisor, .ask = *message };
	struct image_job *job = count < IMAGES_MAX ? malloc(sizeof(*job)) : NULL;
	if (!job) {
		answer(&few, -EBUSY, "four images are asked for already");
		return;
	}
	*job = few;
	log_info("image-asked", "image=%s pull=%d", log_quote(message->image.name).text,
			message->image.what == IMAGE_PULL);
	if (message->image.what == IMAGE_PULL) {
		tell_pull(supervisor, 0, TOLD_PULL_BEGAN, 0, message->image.name);
	}
	int rc = begin(job);
	if (rc < 0) {
		answer(job, rc, strerror(-rc));
		free(job);
		return;
	}
	job->next = supervisor->images;
	supervisor->images = job;
}
