/* SPDX-License-Identifier: MIT */

/* perigee-trial: a Moonlight client of the host's own. It comes through the front door,
 * launches the trial's app, and leaves when it has decoded one picture: that is what
 * "a new session can start" means. It may do what any client may, knows no secret of the
 * host, and keeps its own key in memory only. */

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/probe.h"
#include "cli/probe_host.h"
#include "ipc/leg.h"
#include "ipc/worker.h"

enum {
	IDENTITY_MS = 5000, /* making a key, on a busy machine */
};

struct trial {
	struct worker worker;
	struct probe probe;
};

/* Where the client's own steps belong. */
static enum leg leg_of_step(const char *step) {
	static const struct {
		const char *step;
		enum leg leg;
	} rows[] = {
		{ "serverinfo_https", LEG_TLS },
		{ "serverinfo", LEG_SERVERINFO },
		{ "launch", LEG_LAUNCH },
		{ "rtsp", LEG_RTSP },
		{ "audio", LEG_RTSP },
		{ "connect", LEG_CONTROL },
		{ "leave", LEG_CONTROL },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strncmp(step, rows[i].step, strlen(rows[i].step)) == 0) {
			return rows[i].leg;
		}
	}
	return LEG_PICTURE;
}

/* What the command line of a probe would say. */
static int prepare(struct trial *trial, const struct ipc_message *go) {
	char seconds[16], port[8], size[16], rate[8], host[ADDRESS_TEXT_MAX];
	struct probe *probe = &trial->probe;
	address_ip_text(&go->trial_go.address, host);
	text_format(seconds, sizeof(seconds), "%u", (go->trial_go.limit_ms + 999) / 1000);
	text_format(port, sizeof(port), "%u", go->trial_go.address.port);
	text_format(size, sizeof(size), "%ux%u", go->trial_go.width, go->trial_go.height);
	text_format(rate, sizeof(rate), "%u", go->trial_go.rate);
	char *argv[] = { (char[]){ "trial" }, (char[]){ "stream" }, (char[]){ "--host" }, host,
		(char[]){ "--port" }, port, (char[]){ "--size" }, size, (char[]){ "--fps" }, rate,
		(char[]){ "--seconds" }, seconds, (char[]){ "--frames" }, (char[]){ "1" },
		(char[]){ "--kbps" }, (char[]){ "3000" }, (char[]){ "--json" }, NULL };
	if (probe_options_parse(ARRAY_LEN(argv) - 1, argv, &probe->options) < 0) {
		return -EINVAL;
	}
	probe->options.host = probe->options.mode = NULL; /* on our stack */
	probe->address = go->trial_go.address;
	probe->identity.host_len = go->trial_go.der_len;
	memcpy(probe->identity.host, go->trial_go.der, go->trial_go.der_len);
	return probe_http_init(
			&probe->http, &probe->address, false, &probe->identity, &probe->transcript);
}

/* One whole way in; why it failed is in the probe. */
static int try(struct probe *probe, int32_t app, uint64_t *out_ms) {
	int rc = probe_host_info(probe);
	if (rc == 0 && !probe->host.paired) {
		rc = probe_fail(probe, PROBE_FAILED, "serverinfo_https",
				"the host does not know the trial's certificate");
	}
	uint64_t launch_ns = clock_now_ns();
	rc = rc < 0 ? rc : probe_watch(probe, app, "trial", false);
	*out_ms = (clock_now_ns() - launch_ns) / NS_PER_MS;
	json_t *video = json_object_get(probe->report, "video");
	if (rc == 0 && json_integer_value(json_object_get(video, "decoded")) == 0) {
		rc = probe_fail(probe, PROBE_FAILED, "picture", "no picture could be decoded");
	}
	return rc;
}

static void handle_message(
		struct worker *worker, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	struct trial *trial = (struct trial *)worker->user;
	if (message->kind != IPC_TRIAL_GO) {
		return;
	}
	/* The whole of it is one operation; the supervisor ends us when it lasts too long. */
	uint64_t took_ms = 0;
	pulse_begin(worker->pulse, PULSE_START, message->trial_go.limit_ms + IDENTITY_MS);
	int rc = prepare(trial, message);
	rc = rc < 0 ? rc : try(&trial->probe, message->trial_go.app, &took_ms);
	pulse_end(worker->pulse);
	struct ipc_message done = { .kind = IPC_TRIAL_DONE,
		.trial_done = { .leg = rc < 0 ? leg_of_step(trial->probe.step) : LEG_NONE,
				.picture_ms = (uint32_t)took_ms } };
	text_copy(done.trial_done.detail, sizeof(done.trial_done.detail),
			rc < 0 ? trial->probe.error : "");
	log_info("trial", "leg=%s took_ms=%llu detail=%s", leg_name(done.trial_done.leg),
			(unsigned long long)took_ms, log_quote(done.trial_done.detail).text);
	worker_post(worker, &done, NULL, 0);
}

static int make_identity(struct pairing_identity *out) {
	char certificate[PAIRING_PEM_MAX], key[PAIRING_PEM_MAX];
	int rc = pairing_identity_generate(PAIRING_CLIENT, time(NULL), certificate, key);
	rc = rc < 0 ? rc : pairing_identity_load(certificate, key, out);
	explicit_bzero(key, sizeof(key));
	return rc;
}

static int handle_start(struct worker *worker) {
	struct trial *trial = (struct trial *)worker->user;
	struct ipc_message who = { .kind = IPC_TRIAL_WHO };
	pulse_begin(worker->pulse, PULSE_START, IDENTITY_MS);
	int rc = make_identity(&trial->probe.identity.own);
	pulse_end(worker->pulse);
	const struct pairing_certificate *certificate = &trial->probe.identity.own.certificate;
	if (rc < 0 || certificate->der_len > sizeof(who.guest.der)) {
		return rc < 0 ? rc : -EMSGSIZE;
	}
	memcpy(who.guest.der, certificate->der, certificate->der_len);
	who.guest.der_len = (uint16_t)certificate->der_len;
	unsigned size;
	if (EVP_Digest(certificate->der, certificate->der_len, who.guest.client, &size,
			    EVP_sha256(), NULL) != 1) {
		return -ENOMEM;
	}
	worker_post(worker, &who, NULL, 0);
	return 0;
}

static const struct worker_class trial_class = {
	.kind = PEER_TRIAL,
	.start = handle_start,
	.message = handle_message,
};

int main(void) {
	OWN(free) void *memory = calloc(1, sizeof(struct trial));
	struct trial *trial = memory;
	int rc = trial ? worker_open(&trial->worker, &trial_class, trial) : -ENOMEM;
	if (rc < 0) {
		log_error("worker-open", "error=%d", rc);
		_exit(1);
	}
	trial->probe.report = json_object();
	trial->probe.http.fd = trial->probe.https.fd = -1;
	_exit(worker_run(&trial->worker));
}
