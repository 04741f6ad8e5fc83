/* SPDX-License-Identifier: MIT */
#include "supervisor/config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/address.h"
#include "base/log.h"
#include "base/text.h"
#include "base/version.h"
#include "supervisor/config_check.h"
#include "supervisor/config_schema.h"
#include "supervisor/line.h"

int config_refuse(struct config_text *error, const char *format, ...) {
	va_list args;
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return -EINVAL;
}

void config_defaults(struct config *out) {
	*out = (struct config){
		.base_port = CONFIG_BASE_PORT,
		.encryption = ENCRYPTION_ON,
		.discovery = true,
		.home = true,
		.default_apps = true,
		.sessions_max = 32,
		.per_client_max = 4,
		.limit_processor = true,
		.pair_window_s = 300,
		.session_processes = 4096,
		.evidence = { .incidents = 64,
				.megabytes = 512,
				.core_megabytes = 32,
				.snapshots_kept = 48 },
		.lobby_grace_s = 10,
		.lobby_calm_s = LINE_CALM_MS / 1000,
		.readiness_trial = true,
		.readiness_period_s = 300,
	};
}

static void set_text(char **member, const char *text) {
	free(*member);
	*member = strdup(text);
}

void config_apps_free(struct config_app *apps, unsigned count) {
	for (unsigned i = 0; i < count; i++) {
		struct config_app *app = &apps[i];
		for (unsigned j = 0; j < app->command_count; j++) {
			free(app->command[j]);
		}
		free(app->command);
		free(app->title);
		free(app->package);
		config_runner_finish(&app->runner);
	}
	free(apps);
}

void config_finish(struct config *config) {
	config_schema_free(config);
	free(config->file);
	*config = (struct config){ 0 };
}

struct port_row {
	size_t offset;
	int from_base;
};

/* Offsets as every Moonlight client expects them (docs/protocol/http.md). */
static const struct port_row port_rows[] = {
	{ offsetof(struct config_ports, https), -5 },
	{ offsetof(struct config_ports, http), 0 },
	{ offsetof(struct config_ports, web), 1 },
	{ offsetof(struct config_ports, video), 9 },
	{ offsetof(struct config_ports, control), 10 },
	{ offsetof(struct config_ports, audio), 11 },
	{ offsetof(struct config_ports, rtsp), 21 },
};

void config_derive_ports(struct config *config) {
	for (size_t i = 0; i < ARRAY_LEN(port_rows); i++) {
		uint16_t port;
		uint8_t *at = (uint8_t *)&config->ports + port_rows[i].offset;
		memcpy(&port, at, sizeof(port));
		if (port == 0) {
			port = (uint16_t)(config->base_port + port_rows[i].from_base);
			memcpy(at, &port, sizeof(port));
		}
	}
}

int32_t config_app_id(const char *title) {
	uint32_t hash = 2166136261u;
	for (; *title; title++) {
		hash = (hash ^ (uint8_t)*title) * 16777619u;
	}
	hash &= 0x7fffffff;
	return hash ? (int32_t)hash : 1;
}

enum flag {
	FLAG_HELP = 'h',
	FLAG_VERSION = 'V',
	FLAG_CONFIG = 256,
	FLAG_PORT,
	FLAG_HTTP_PORT,
	FLAG_HTTPS_PORT,
	FLAG_WEB_PORT,
	FLAG_VIDEO_PORT,
	FLAG_CONTROL_PORT,
	FLAG_AUDIO_PORT,
	FLAG_RTSP_PORT,
	FLAG_NAME,
	FLAG_STATE,
	FLAG_DATA,
	FLAG_RUNTIME,
	FLAG_LOG,
	FLAG_BIND,
	FLAG_USER,
	FLAG_ENCRYPTION,
	FLAG_ENCODERS,
	FLAG_KEYBOARD,
	FLAG_NO_DISCOVERY,
	FLAG_NO_TRIAL,
	FLAG_LIMIT_PROCESSOR,
	FLAG_LOG_LEVEL,
	FLAG_LIBEXEC,
	FLAG_SET,
	FLAG_CHECK,
};

static const struct option options[] = {
	{ "help", no_argument, NULL, FLAG_HELP },
	{ "version", no_argument, NULL, FLAG_VERSION },
	{ "config", required_argument, NULL, FLAG_CONFIG },
	{ "port", required_argument, NULL, FLAG_PORT },
	{ "http-port", required_argument, NULL, FLAG_HTTP_PORT },
	{ "https-port", required_argument, NULL, FLAG_HTTPS_PORT },
	{ "web-port", required_argument, NULL, FLAG_WEB_PORT },
	{ "video-port", required_argument, NULL, FLAG_VIDEO_PORT },
	{ "control-port", required_argument, NULL, FLAG_CONTROL_PORT },
	{ "audio-port", required_argument, NULL, FLAG_AUDIO_PORT },
	{ "rtsp-port", required_argument, NULL, FLAG_RTSP_PORT },
	{ "name", required_argument, NULL, FLAG_NAME },
	{ "state", required_argument, NULL, FLAG_STATE },
	{ "data", required_argument, NULL, FLAG_DATA },
	{ "runtime", required_argument, NULL, FLAG_RUNTIME },
	{ "log", required_argument, NULL, FLAG_LOG },
	{ "bind", required_argument, NULL, FLAG_BIND },
	{ "user", required_argument, NULL, FLAG_USER },
	{ "encryption", required_argument, NULL, FLAG_ENCRYPTION },
	{ "encoders", required_argument, NULL, FLAG_ENCODERS },
	{ "keyboard", required_argument, NULL, FLAG_KEYBOARD },
	{ "no-discovery", no_argument, NULL, FLAG_NO_DISCOVERY },
	{ "no-trial", no_argument, NULL, FLAG_NO_TRIAL },
	{ "limit-processor", required_argument, NULL, FLAG_LIMIT_PROCESSOR },
	{ "log-level", required_argument, NULL, FLAG_LOG_LEVEL },
	{ "libexec", required_argument, NULL, FLAG_LIBEXEC },
	{ "set", required_argument, NULL, FLAG_SET },
	{ "check", no_argument, NULL, FLAG_CHECK },
	{ NULL, 0, NULL, 0 },
};

static const char help_text[] =
		"Usage: perigee-hold [OPTION]...\n"
		"A Moonlight host: a desktop or game for everybody, on one machine.\n\n"
		"  --config FILE       read FILE instead of the usual perigee.yaml\n"
		"  --port N            base port (47989); the others follow from it\n"
		"  --http-port N, --https-port N, --web-port N, --rtsp-port N,\n"
		"  --video-port N, --control-port N, --audio-port N\n"
		"  --bind ADDRESS      listen on this address only\n"
		"  --name NAME         what Moonlight shows\n"
		"  --state DIR         identity, paired clients\n"
		"  --data DIR          homes of the apps\n"
		"  --runtime DIR       sockets while it runs\n"
		"  --log FILE          log file\n"
		"  --user NAME         who runs apps when started as root\n"
		"  --encryption MODE   off, on or required\n"
		"  --encoders LIST     order, for example nvenc,vaapi,qsv,x264\n"
		"  --keyboard LAYOUT   xkb layout of the desktops\n"
		"  --no-discovery      do not answer mDNS\n"
		"  --no-trial          do not try by itself whether a session can start\n"
		"  --limit-processor MEASURED  measured or off: refuse what cannot keep up\n"
		"  --log-level LEVEL   error, warning, info or debug\n"
		"  --libexec DIRS      where perigee's executables are\n"
		"  --set KEY=VALUE     any key of perigee.yaml, for example limits.sessions=4\n"
		"  --check             say whether the configuration is good, and leave\n"
		"See perigeed(8) and perigee.yaml(5).\n";

/* Which key a flag is; those without a value say one. */
static const struct flag_key {
	int flag;
	const char *key, *value;
} flag_keys[] = {
	{ FLAG_PORT, "ports.base", NULL },
	{ FLAG_HTTP_PORT, "ports.http", NULL },
	{ FLAG_HTTPS_PORT, "ports.https", NULL },
	{ FLAG_WEB_PORT, "ports.web", NULL },
	{ FLAG_VIDEO_PORT, "ports.video", NULL },
	{ FLAG_CONTROL_PORT, "ports.control", NULL },
	{ FLAG_AUDIO_PORT, "ports.audio", NULL },
	{ FLAG_RTSP_PORT, "ports.rtsp", NULL },
	{ FLAG_NAME, "name", NULL },
	{ FLAG_STATE, "folders.state", NULL },
	{ FLAG_DATA, "folders.data", NULL },
	{ FLAG_RUNTIME, "folders.runtime", NULL },
	{ FLAG_LOG, "folders.log", NULL },
	{ FLAG_BIND, "bind", NULL },
	{ FLAG_USER, "user", NULL },
	{ FLAG_ENCODERS, "encoders", NULL },
	{ FLAG_KEYBOARD, "keyboard.layout", NULL },
	{ FLAG_LOG_LEVEL, "log_level", NULL },
	{ FLAG_ENCRYPTION, "encryption", NULL },
	{ FLAG_LIMIT_PROCESSOR, "limits.processor", NULL },
	{ FLAG_NO_DISCOVERY, "discovery", "false" },
	{ FLAG_NO_TRIAL, "readiness.trial", "false" },
};

static int set_by_flag(struct config *config, const char *flag, const char *key, const char *value,
		struct config_text *error) {
	size_t index;
	struct config_text found = { "" };
	if (config_key_find(key, &index) < 0) {
		return config_refuse(error,
				"--%s: there is no key \"%s\"; perigee.yaml(5) has them all", flag,
				key);
	}
	int rc = config_key_set(config, index, value, &found);
	if (rc < 0) {
		return config_refuse(error, "--%s: %.900s", flag, found.text);
	}
	config->from[index] = CONFIG_FROM_FLAG;
	return 0;
}

/* --set KEY=VALUE */
static int set_any(struct config *config, const char *text, struct config_text *error) {
	char key[64];
	const char *equals = strchr(text, '=');
	if (!equals || (size_t)(equals - text) >= sizeof(key)) {
		return config_refuse(error,
				"--set \"%.200s\": say KEY=VALUE, for example limits.sessions=4",
				text);
	}
	text_format(key, sizeof(key), "%.*s", (int)(equals - text), text);
	return set_by_flag(config, "set", key, equals + 1, error);
}

static int apply_flag(struct config *config, int flag, const char *name, const char *value,
		struct config_text *error) {
	if (flag == FLAG_LIBEXEC) {
		set_text(&config->libexec, value);
	} else if (flag == FLAG_CHECK) {
		config->only_check = true;
	} else if (flag == FLAG_SET) {
		return set_any(config, value, error);
	}
	for (size_t i = 0; i < ARRAY_LEN(flag_keys); i++) {
		if (flag_keys[i].flag == flag) {
			return set_by_flag(config, name, flag_keys[i].key,
					flag_keys[i].value ? flag_keys[i].value : value, error);
		}
	}
	return 0;
}

/* Goes over the flags; with only_config just looks for --config and the like. */
static int read_flags(int argc, char **argv, bool only_config, struct config *config, char **file,
		struct config_text *error) {
	optind = 0;
	opterr = 0;
	int index = 0;
	for (int flag; (flag = getopt_long(argc, argv, "hV", options, &index)) != -1;) {
		if (flag == '?') {
			return config_refuse(error, "%s: unknown or incomplete option; see --help",
					argv[optind - 1]);
		}
		if (flag == FLAG_HELP || flag == FLAG_VERSION) {
			if (flag == FLAG_HELP) {
				fputs(help_text, stdout);
			} else {
				printf("perigee %s\n", perigee_version());
			}
			return -ECANCELED;
		}
		if (flag == FLAG_CONFIG) {
			set_text(file, optarg);
		} else if (!only_config) {
			int rc = apply_flag(config, flag, options[index].name, optarg, error);
			if (rc < 0) {
				return rc;
			}
		}
	}
	return optind < argc ? config_refuse(error, "%s: nothing is expected here; see --help",
					       argv[optind])
			     : 0;
}

int config_copy(const struct config *config) {
	char bytes[4096];
	OWN(fd_close) int from = config->file ? open(config->file, O_RDONLY | O_CLOEXEC) : -1;
	OWN(fd_close) int to = memfd_create("config", MFD_CLOEXEC);
	if (!config->file || from < 0 || to < 0) {
		return config->file ? -errno : -ENOENT;
	}
	ssize_t len;
	while ((len = read(from, bytes, sizeof(bytes))) > 0) {
		if (write(to, bytes, (size_t)len) != len) {
			return -ENOSPC;
		}
	}
	return len < 0 ? -errno : TAKE(to, -1);
}

static int read_environment(struct config *config, struct config_text *error) {
	struct config_trace *trace = malloc(sizeof(*trace));
	if (!trace) {
		return -ENOMEM;
	}
	config_trace_begin(trace, config);
	int rc = config_keys_environment(config, error);
	config_trace_end(trace, config, CONFIG_FROM_ENVIRONMENT);
	free(trace);
	return rc;
}

int config_load(int argc, char **argv, struct config *out, struct config_text *error) {
	return config_load_copy(NULL, argc, argv, out, error);
}

int config_load_copy(const char *copy, int argc, char **argv, struct config *out,
		struct config_text *error) {
	config_defaults(out);
	OWN(free) void *file = NULL;
	int rc = read_flags(argc, argv, true, out, (char **)&file, error);
	if (rc == 0 && !file && getenv("PERIGEE_CONFIG")) {
		set_text((char **)&file, getenv("PERIGEE_CONFIG"));
	}
	if (rc == 0) {
		rc = config_read_file(copy ? copy : (const char *)file, out, error);
	}
	if (rc == 0) {
		rc = read_environment(out, error);
	}
	if (rc == 0) {
		rc = read_flags(argc, argv, false, out, (char **)&file, error);
	}
	if (rc == 0) {
		rc = config_check(out, error);
		if (rc < 0) {
			config_add_place(out, error);
		}
	}
	if (rc == 0) {
		config_derive_ports(out);
	} else {
		config_finish(out);
	}
	return rc;
}
