/* SPDX-License-Identifier: MIT */
#include "supervisor/groups.h"

#include <string.h>
#include <sys/sysinfo.h>

#include "base/log.h"
#include "base/text.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"

enum {
	WEIGHT = 100, /* every session has the same */
	MEGABYTE = 1 << 20,
};

void groups_open(struct supervisor *supervisor) {
	char name[32];
	/* Several hosts on one machine have other ports; a successor has the same. */
	text_format(name, sizeof(name), "perigee-%u", supervisor->config.ports.http);
	cgroups_open("", name, &supervisor->cgroups);
	supervisor->nursery.cgroups = &supervisor->cgroups;
	if (supervisor->cgroups.missing[0]) {
		log_warning("cgroups-incomplete", "version=%d detail=%s",
				supervisor->cgroups.version,
				log_quote(supervisor->cgroups.missing).text);
	}
}

/* Unless the configuration says how much: three quarters of the machine's, so that one
 * that eats without end dies of it before the others. */
static uint64_t memory_limit(const struct supervisor *supervisor) {
	struct sysinfo info;
	if (supervisor->config.session_memory_mb) {
		return (uint64_t)supervisor->config.session_memory_mb * MEGABYTE;
	}
	return sysinfo(&info) < 0 ? 0 : (uint64_t)info.totalram * info.mem_unit / 4 * 3;
}

void groups_make(struct desk *desk) {
	struct supervisor *supervisor = desk->supervisor;
	struct cgroup_limits limits = {
		.cpu_weight = WEIGHT,
		.memory = memory_limit(supervisor),
		.processes = supervisor->config.session_processes,
	};
	if (supervisor->cgroups.version == 0) {
		return;
	}
	int rc = cgroup_create(&supervisor->cgroups, desk->id, &limits);
	if (rc < 0) {
		log_warning("cgroup-failed", "session=%016llx error=%s",
				(unsigned long long)desk->id, log_quote(strerror(-rc)).text);
	}
}

static bool is_alive(void *user, uint64_t id) {
	struct supervisor *supervisor = (struct supervisor *)user;
	return session_find(supervisor, id) || desk_find(supervisor, id);
}

void groups_sweep(struct supervisor *supervisor) {
	cgroups_sweep(&supervisor->cgroups, is_alive, supervisor);
}

/* A session that is gone may still have a corpse that is looked at. */
static bool is_known(void *user, uint64_t id) {
	const struct supervisor *supervisor = (const struct supervisor *)user;
	const struct child *lists[] = { supervisor->nursery.first, supervisor->nursery.corpses };
	bool known = is_alive(user, id);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		for (const struct child *at = lists[i]; at && !known; at = at->next) {
			known = at->session == id;
		}
	}
	return known;
}

unsigned groups_kill_strangers(struct supervisor *supervisor) {
	return cgroups_kill(&supervisor->cgroups, is_known, supervisor);
}

void groups_close(struct supervisor *supervisor) {
	cgroups_close(&supervisor->cgroups);
}
