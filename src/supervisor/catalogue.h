/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_CATALOGUE_H
#define SUPERVISOR_CATALOGUE_H

struct ipc_message;
struct supervisor;

/* What follows when the apps (apps.h) change: doors hear of it, pictures are drawn. */

/* The store's words about apps and profiles, and that its list has begun or ended. */
void catalogue_handle(struct supervisor *supervisor, const struct ipc_message *message);
void catalogue_begin_listing(struct supervisor *supervisor);

/* Has the store keep the profiles of perigee.yaml; nothing follows where it has them so. */
void catalogue_declare(struct supervisor *supervisor);

/* After apps were changed. */
void catalogue_changed(struct supervisor *supervisor);

#endif
