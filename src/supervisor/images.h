/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_IMAGES_H
#define SUPERVISOR_IMAGES_H

struct image_job;
struct ipc_message;
struct supervisor;

/* What programs ask of the container engine's images. A process of its own asks for each,
 * on a connection that it is given; neither a session nor the supervisor waits for it. */

enum {
	IMAGES_MAX = 4, /* at a time */
};

/* IMAGE_ASK of the web door; answered by IMAGE_PIECEs and one IMAGE_DONE. */
void images_ask(struct supervisor *supervisor, const struct ipc_message *message);

#endif
