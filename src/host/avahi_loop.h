/* SPDX-License-Identifier: MIT */
#ifndef HOST_AVAHI_LOOP_H
#define HOST_AVAHI_LOOP_H

#include <avahi-common/watch.h>

struct sd_event;

/* Avahi's idea of an event loop, on ours: fill api and hand it to
 * avahi_server_new(). Lives as long as the server. */
void avahi_loop_init(AvahiPoll *api, struct sd_event *event);

#endif
