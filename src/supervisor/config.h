/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_CONFIG_H
#define SUPERVISOR_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "supervisor/config_clients.h"
#include "supervisor/config_profiles.h"
#include "supervisor/config_keys.h"
#include "supervisor/config_runner.h"

/* What people configure: the embedded default, then perigee.yaml, then the environment
 * (PERIGEE_PORTS_HTTP for ports.http, PERIGEE_CONFIG for the file), then flags.
 * The program never writes the file. */

enum {
	CONFIG_APPS_MAX = 128,
	CONFIG_PATH_MAX = 200,
	CONFIG_ERROR_MAX = 1024,
	CONFIG_JSON_MAX = 4096,
	CONFIG_BASE_PORT = 47989,
	CONFIG_WINDOW_DEADLINE_S = 120, /* of an app that does not say */
};

enum config_encryption {
	ENCRYPTION_OFF,      /* plain RTSP and streams for everybody */
	ENCRYPTION_ON,       /* offered; clients that can, do */
	ENCRYPTION_REQUIRED, /* clients that cannot are refused */
};

/* 0 in a port: derived from the base port. */
struct config_ports {
	uint16_t http, https, web, video, control, audio, rtsp;
};

struct config_folders {
	char *state, *data, *runtime; /* owned, NULL: by the rules of paths.h */
	char *log;                    /* owned: a file; NULL: in the state folder */
};

struct config_app {
	char *title;    /* owned */
	char **command; /* owned array of owned strings: program and arguments */
	unsigned command_count;
	char *package; /* owned, NULL: what to install when the program is missing */
	int32_t id;    /* stable; 0: derived from the title */
	bool hdr;
	bool restart;           /* with its desktop, when that dies */
	bool normal_privileges; /* not confined: whatever its user may */
	struct config_runner runner;
	uint32_t window_deadline_s; /* until it must have had a window; 0: never */
};

struct config_keyboard {
	char *layout, *variant, *model, *options; /* owned, xkb names; NULL: xkb's default */
};

struct config_evidence {
	uint32_t incidents;      /* kept */
	uint32_t megabytes;      /* of all of them */
	uint32_t core_megabytes; /* of memory in one; 0: no cores */
	uint32_t snapshots_kept; /* of each process */
	bool hourly;             /* snapshots of healthy processes */
};

struct config {
	char *name; /* owned, shown in Moonlight; NULL: the host name */
	uint16_t base_port;
	struct config_ports ports;
	struct config_folders folders;
	char *bind; /* owned, numeric address; NULL: every address */
	char *user; /* owned: who runs workers and apps when started as root */
	enum config_encryption encryption;
	char *encoders; /* owned: order, comma separated */
	struct config_keyboard keyboard;
	bool discovery;    /* answer mDNS */
	bool home;         /* the launcher, first in the list */
	bool default_apps; /* Desktop, Terminal and Pattern besides `apps` */
	uint32_t sessions_max, per_client_max;
	bool limit_processor; /* by what was measured; false: not at all */
	uint32_t pair_window_s;
	char *preset_pin;           /* owned, secret: pairs clients of this machine; NULL: nobody */
	uint32_t session_memory_mb; /* 0: three quarters of the machine's */
	uint32_t session_processes; /* with threads; 0: as many as there can be */
	struct config_evidence evidence;
	bool keep_hung;              /* on_hang: keep */
	uint32_t lobby_grace_s;      /* left alone, when it stops when everyone leaves */
	uint32_t lobby_max_age_s;    /* 0: it may live for ever */
	uint32_t lobby_calm_s;       /* after which one on a bad line shares an encoding again */
	bool readiness_trial;        /* start a small session now and then, to know that it goes */
	uint32_t readiness_period_s; /* after the newest proof */
	char *container_engine;      /* owned: its socket; NULL: the first usual one */
	char *log_level;             /* owned: error, warning, info, debug */
	struct config_app *apps;     /* owned array */
	unsigned apps_count;
	struct config_client *clients; /* owned array */
	unsigned clients_count;
	struct config_profile *profiles; /* owned array */
	unsigned profiles_count;
	char *libexec;                 /* owned: folders with our executables, colon separated */
	char *file;                    /* owned: the file that was read; NULL for none */
	uint8_t from[CONFIG_KEYS_MAX]; /* enum config_from of each key */
	bool only_check;               /* --check */
};

struct config_text {
	char text[CONFIG_ERROR_MAX];
};

/* Reads flags, then the file that they or the environment name. On failure
 * out_error says what is wrong, where, and what to do. -ECANCELED when help or
 * the version was printed and the program should leave with success. */
int config_load(int argc, char **argv, struct config *out, struct config_text *out_error) NODISCARD;

/* The same, with another file instead of the one that is named: a copy of what a
 * predecessor read. NULL for config_load(). */
int config_load_copy(const char *copy, int argc, char **argv, struct config *out,
		struct config_text *out_error) NODISCARD;

/* A memfd with what the file holds now, for config_load_copy(); -ENOENT without one. */
int config_copy(const struct config *config) NODISCARD;

/* The file alone, over a config with defaults; for `config check` and tests. */
int config_read_file(
		const char *path, struct config *config, struct config_text *out_error) NODISCARD;

void config_apps_free(struct config_app *apps, unsigned count);
void config_defaults(struct config *out);
void config_finish(struct config *config);

/* Fills every port that was not given from the base (protocol: B-5 ... B+21). */
void config_derive_ports(struct config *config);

/* Writes why, for a person, and returns -EINVAL. */
int config_refuse(struct config_text *error, const char *format, ...)
		__attribute__((format(printf, 2, 3)));

/* A positive id that stays the same for a title across restarts. */
int32_t config_app_id(const char *title);

#endif
