/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "cli/api.h"
#include "cli/doctor.h"
#include "cli/health.h"
#include "cli/net.h"
#include "cli/programs.h"
#include "cli/row.h"
#include "ipc/leg.h"

enum {
	READY_MS = 40000, /* a host of our own: to its first picture, on a slow machine */
	STEP_MS = 100,
	STOP_MS = 10000,
	BASE_FIRST = 41000,
	BASE_LAST = 60000,
	BASE_STEP = 50,
	OUTPUT_MAX = 8192,
};

/* What to do about a leg that stalls. */
static const struct {
	enum leg leg;
	const char *name, *works, *remedy;
} legs[] = {
	{ LEG_TLS, "tls identity", "a client met the host over TLS",
			"Look at state.db in the state folder: can it be read and written?" },
	{ LEG_DESKTOP, "compositor", "a desktop came up",
			"The log has its last words (kind=desktop); Xwayland and the xkb data must "
			"be installed." },
	{ LEG_SOUND, "sound server", "a sound server came up",
			"Install pulseaudio; the log has its last words (kind=sound)." },
	{ LEG_APP, "runner: process", "an app was started, confined and ended",
			"The log has its last words (kind=runner)." },
	{ LEG_ENCODER, "encoder in use", "it encoded the desktop's pictures",
			"The rows of encoders say what each lacks; --encoders x264 needs no "
			"device." },
	{ LEG_STREAM, "stream", "pictures were sent", "The log has its last words (kind=stream)." },
	{ LEG_CONTROL, "datagrams", "control messages went both ways",
			"Look at the firewall of this machine: UDP to itself must pass." },
	{ LEG_PICTURE, "one picture", "a client decoded a picture",
			"`perigee probe stream` shows what a client sees." },
};

static enum leg find_leg(const char *name) {
	for (uint32_t leg = LEG_TRIAL; leg < LEGS; leg++) {
		if (strcmp(leg_name(leg), name) == 0) {
			return (enum leg)leg;
		}
	}
	return LEG_NONE;
}

/* Legs before the one that stalls work; what comes after could not be tried. */
static void add_legs(struct doctor *doctor, bool ready, enum leg stalls, const char *words) {
	for (size_t i = 0; i < ARRAY_LEN(legs); i++) {
		if (ready || (stalls != LEG_NONE && legs[i].leg < stalls)) {
			doctor_add(doctor, legs[i].name, DOCTOR_WORKS, NULL, "%s", legs[i].works);
		} else if (legs[i].leg == stalls) {
			doctor_add(doctor, legs[i].name, DOCTOR_FAILS, legs[i].remedy, "%s", words);
		} else {
			doctor_add(doctor, legs[i].name, DOCTOR_UNKNOWN, NULL, "was not reached");
		}
	}
}

static void add_encoder(struct doctor *doctor, const json_t *row) {
	char name[32];
	text_format(name, sizeof(name), "encoder %.20s", row_text(row, "name"));
	if (json_is_true(json_object_get(row, "works"))) {
		doctor_add(doctor, name, DOCTOR_WORKS, NULL,
				"encoded a picture, the first in %lld us",
				(long long)json_integer_value(json_object_get(row, "first_us")));
	} else {
		doctor_add(doctor, name, DOCTOR_POOR,
				"Nothing, if another encoder works; else the driver or library "
				"that it names.",
				"%s", row_text(row, "detail"));
	}
}

static void add_app(struct doctor *doctor, const json_t *row) {
	char name[32];
	bool installed = json_is_true(json_object_get(row, "installed"));
	text_format(name, sizeof(name), "app %.26s", row_text(row, "title"));
	doctor_add(doctor, name, installed ? DOCTOR_WORKS : DOCTOR_POOR,
			"Install what it names, or take the app out of perigee.yaml.", "%s",
			installed ? "is installed" : row_text(row, "why_not"));
}

/* The rows of its status that say what it found when it started. */
static void add_status(struct doctor *doctor, const struct api *api, bool ours) {
	struct api_answer answer = { 0 };
	if (api_call(api, "/api/v1/status", NULL, &answer) < 0) {
		return;
	}
	size_t i;
	json_t *row;
	json_array_foreach(json_object_get(answer.json, "status"), i, row) {
		const char *what = row_text(row, "what");
		if (strcmp(what, "encoder") == 0) {
			add_encoder(doctor, row);
		} else if (strcmp(what, "app") == 0) {
			add_app(doctor, row);
		} else if (strcmp(what, "host") == 0 && !ours) {
			text_copy(doctor->state, sizeof(doctor->state), row_text(row, "state"));
		}
	}
	api_answer_finish(&answer);
}

static void add_readiness(struct doctor *doctor, const struct health_view *view) {
	char leg[16], words[HEALTH_WORDS_MAX];
	health_leg(view, leg, sizeof(leg), words, sizeof(words));
	enum leg stalls = find_leg(leg);
	if (!view->ready && stalls <= LEG_LAUNCH) {
		doctor_add(doctor, "session", DOCTOR_FAILS,
				"What the line names is missing; the log says more.", "%s",
				view->ready_words);
	}
	add_legs(doctor, view->ready, stalls, words);
}

/* ---- a host of our own ---- */

struct own_host {
	pid_t pid; /* 0: none */
	int pidfd; /* owned */
	char folder[64], runtime[96], state[96], data[96], output[96];
	char port[8];
};

static bool port_is_free(uint16_t port, int kind) {
	static const int families[] = { AF_INET };
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		struct address address;
		struct sockaddr_storage storage;
		if (address_parse_ip("127.0.0.1", &address) < 0) {
			return false;
		}
		address.port = port;
		socklen_t len = net_sockaddr(&address, &storage);
		OWN(fd_close) int fd = socket(families[i], kind | SOCK_CLOEXEC, 0);
		if (fd < 0 || bind(fd, (struct sockaddr *)&storage, len) < 0) {
			return false;
		}
	}
	return true;
}

static bool base_is_free(uint16_t base) {
	static const int tcp[] = { -5, 0, 1, 21 }, udp[] = { 9, 10, 11 };
	for (size_t i = 0; i < ARRAY_LEN(tcp); i++) {
		if (!port_is_free((uint16_t)(base + tcp[i]), SOCK_STREAM)) {
			return false;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(udp); i++) {
		if (!port_is_free((uint16_t)(base + udp[i]), SOCK_DGRAM)) {
			return false;
		}
	}
	return true;
}

/* Where Perigee's programs are: beside the installed ones, or in a build folder. */
static bool find_programs(const struct doctor *doctor, char *hold, size_t hold_size, char *libexec,
		size_t libexec_size) {
	static const char *const rooms[] = { "supervisor", "gate", "store", "host", "desktop",
		"runner", "encoder", "stream", "apps", "cli", "../../src/apps" };
	char own[PATH_MAX], build[PATH_MAX + 32];
	if (program_own_folder(own, sizeof(own)) < 0) {
		return false;
	}
	text_format(build, sizeof(build), "%s/../supervisor", own);
	const char *folders = doctor->libexec ? doctor->libexec : build;
	if (program_find(folders, own, "perigee-hold", hold, hold_size) < 0) {
		text_copy(hold, hold_size, "perigee-hold");
		return false;
	}
	size_t len = strrchr(hold, '/') ? (size_t)(strrchr(hold, '/') - hold) : 0;
	if (doctor->libexec) {
		text_copy(libexec, libexec_size, doctor->libexec);
	} else if (strncmp(hold, build, strlen(build)) != 0) {
		text_format(libexec, libexec_size, "%.*s:%s", (int)len, hold, own);
	} else {
		size_t used = 0;
		for (size_t i = 0; i < ARRAY_LEN(rooms); i++) {
			text_format(libexec + used, libexec_size - used, "%s%s/../%s",
					used ? ":" : "", own, rooms[i]);
			used = strlen(libexec);
		}
	}
	return true;
}

static bool make_folders(struct own_host *host) {
	text_copy(host->folder, sizeof(host->folder), "/tmp/perigee-doctor-XXXXXX");
	if (!mkdtemp(host->folder)) {
		return false;
	}
	/* As root the workers are somebody else, who must pass. */
	chmod(host->folder, 0755);
	text_format(host->runtime, sizeof(host->runtime), "%s/run", host->folder);
	text_format(host->state, sizeof(host->state), "%s/state", host->folder);
	text_format(host->data, sizeof(host->data), "%s/data", host->folder);
	text_format(host->output, sizeof(host->output), "%s/output", host->folder);
	return true;
}

static bool start(struct own_host *host, const char *hold, const char *libexec) {
	uint16_t base = BASE_FIRST;
	while (base < BASE_LAST && !base_is_free(base)) {
		base = (uint16_t)(base + BASE_STEP);
	}
	text_format(host->port, sizeof(host->port), "%u", base);
	OWN(fd_close)
	int output = open(host->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (output < 0) {
		return false;
	}
	host->pid = fork();
	if (host->pid == 0) {
		dup2(output, STDOUT_FILENO);
		dup2(output, STDERR_FILENO);
		setsid();
		execl(hold, hold, "--libexec", libexec, "--port", host->port, "--bind", "127.0.0.1",
				"--state", host->state, "--data", host->data, "--runtime",
				host->runtime, "--no-discovery", NULL);
		_exit(127);
	}
	host->pidfd = host->pid > 0 ? (int)syscall(SYS_pidfd_open, host->pid, 0) : -1;
	return host->pid > 0 && host->pidfd >= 0;
}

/* Waits for its end, at most that long; true when it has ended. */
static bool ended_within(const struct own_host *host, int ms) {
	struct pollfd fd = { .fd = host->pidfd, .events = POLLIN };
	return poll(&fd, 1, ms) > 0;
}

static bool has_verdict(const struct health_view *view) {
	char leg[16], words[HEALTH_WORDS_MAX];
	health_leg(view, leg, sizeof(leg), words, sizeof(words));
	return view->ready ||
	       (find_leg(leg) > LEG_TRIAL && strcmp(leg, "gate") != 0 &&
			       strcmp(leg, "encoder") != 0) ||
	       (strcmp(leg, "encoder") == 0 && !strstr(words, "still being tried"));
}

/* Asks until the host's own trial has said something, or it ends. */
static void await(const struct own_host *host, struct health_view *out) {
	uint64_t until_ms = clock_now_ms() + READY_MS;
	do {
		health_look(host->runtime, out);
	} while (!has_verdict(out) && clock_now_ms() < until_ms && !ended_within(host, STEP_MS));
}

static void remove_folder(const struct own_host *host) {
	pid_t pid = fork();
	if (pid == 0) {
		execl("/bin/rm", "rm", "-rf", "--", host->folder, NULL);
		_exit(127);
	}
	if (pid > 0) {
		waitpid(pid, NULL, 0);
	}
}

static void stop(struct own_host *host) {
	if (host->pid > 0) {
		kill(host->pid, SIGINT);
		if (!ended_within(host, STOP_MS)) {
			kill(host->pid, SIGKILL);
		}
		waitpid(host->pid, NULL, 0);
	}
	fd_release(&host->pidfd);
	if (host->folder[0]) {
		remove_folder(host);
	}
}

/* The sentence with which it refused to start. */
static void read_refusal(const struct own_host *host, char *out, size_t size) {
	char text[OUTPUT_MAX];
	OWN(file_close) FILE *file = fopen(host->output, "re");
	size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
	text[len] = '\0';
	char *at = strstr(text, "perigee: ");
	at = at ? at + strlen("perigee: ") : text;
	at[strcspn(at, "\n")] = '\0';
	text_copy(out, size, at[0] ? at : "it said nothing");
}

static void judge_own(struct doctor *doctor, const struct own_host *host) {
	struct health_view view;
	struct api api;
	await(host, &view);
	if (!view.answers) {
		char words[DOCTOR_DETAIL_MAX];
		read_refusal(host, words, sizeof(words));
		doctor_add(doctor, "host", DOCTOR_FAILS,
				"Its own sentence says what to do; perigeed(8) has every option.",
				"a host of our own does not start: %s", words);
		return;
	}
	doctor_add(doctor, "host", DOCTOR_WORKS, NULL,
			"none runs; one was started for this, with ports from %s", host->port);
	doctor_add(doctor, "ports", DOCTOR_WORKS, NULL, "seven ports could be opened");
	if (api_find(host->runtime, &api) == 0) {
		add_status(doctor, &api, true);
	}
	add_readiness(doctor, &view);
}

static void try_usual_ports(struct doctor *doctor) {
	bool is_free = base_is_free(47989);
	doctor_add(doctor, "usual ports", is_free ? DOCTOR_WORKS : DOCTOR_POOR,
			"End who uses them (ss -ltnup), or choose others with --port.",
			is_free ? "47984 to 48010 are free" : "some of 47984 to 48010 are in use");
}

static void try_own_host(struct doctor *doctor) {
	struct own_host host = { .pidfd = -1 };
	char hold[PATH_MAX + 64], libexec[12 * (PATH_MAX + 64)];
	if (!find_programs(doctor, hold, sizeof(hold), libexec, sizeof(libexec))) {
		doctor_add(doctor, "programs", DOCTOR_FAILS,
				"Install Perigee, or say with --libexec where its programs are.",
				"%s is not there", hold);
		return;
	}
	doctor_add(doctor, "programs", DOCTOR_WORKS, NULL, "%.200s", hold);
	try_usual_ports(doctor);
	if (!make_folders(&host) || !start(&host, hold, libexec)) {
		doctor_add(doctor, "host", DOCTOR_FAILS, "Make room in /tmp.",
				"a host of our own cannot be started: %s", strerror(errno));
	} else {
		judge_own(doctor, &host);
	}
	stop(&host);
}

/* ---- the host that runs ---- */

void doctor_try_host(struct doctor *doctor) {
	struct health_view view;
	struct api api;
	health_look(doctor->runtime, &view);
	if (!view.answers && !doctor->runtime) {
		try_own_host(doctor);
		return;
	}
	doctor_add(doctor, "host", view.alive ? DOCTOR_WORKS : DOCTOR_FAILS,
			"`perigee status` and the log say more; start it again if need be.", "%s",
			view.alive_words);
	if (!view.answers) {
		return;
	}
	if (api_find(doctor->runtime, &api) == 0) {
		add_status(doctor, &api, false);
	}
	add_readiness(doctor, &view);
}
