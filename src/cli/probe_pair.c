/* SPDX-License-Identifier: MIT */
/* Pairing, as a client does it. */
#include <errno.h>
#include <string.h>

#include "base/hex.h"
#include "base/text.h"
#include "cli/probe_host.h"
#include "proto/pairing_client.h"
#include "proto/xml.h"

enum {
	PIN_MS = 310000, /* a person types it: longer than a host's window */
	PHASE_MS = 5000,
};

static const char *const steps[PAIR_STEPS] = {
	[PAIR_GET_SERVER_CERT] = "pair_certificate",
	[PAIR_CLIENT_CHALLENGE] = "pair_challenge",
	[PAIR_SERVER_CHALLENGE_RESP] = "pair_response",
	[PAIR_CLIENT_SECRET] = "pair_secret",
	[PAIR_CHALLENGE] = "pair_proof",
};

/* The bytes of the element that this step's answer must carry. */
static int element_read(struct probe *probe, const struct pairing_client *client,
		const struct probe_answer *answer, uint8_t *out, size_t *out_len) {
	struct span document = { answer->body, answer->len }, paired, hex;
	const char *step = steps[client->step];
	if (xml_find(document, "paired", &paired) < 0 || !span_is(paired, "1")) {
		return probe_fail(probe, PROBE_REFUSED, step,
				client->step == PAIR_CLIENT_SECRET
						? "the host says the PIN was wrong"
						: "the host does not pair with us");
	}
	const char *name = pairing_client_wants(client);
	*out_len = 0;
	if (!name) {
		return 0;
	}
	if (xml_find(document, name, &hex) < 0 || hex.len > 2 * PAIRING_PEM_MAX ||
			hex_decode(hex.at, hex.len, out) < 0) {
		return probe_fail(probe, PROBE_FAILED, step, "no `%s` in the answer", name);
	}
	*out_len = hex.len / 2;
	return 0;
}

static int run_step(struct probe *probe, struct pairing_client *client) {
	enum pair_step step = client->step;
	char query[PAIRING_QUERY_MAX + 1];
	int len = pairing_client_query(client, query, sizeof(query) - 1);
	if (len < 0) {
		return probe_fail_transport(probe, steps[step], "the request", len);
	}
	query[len] = '\0';
	struct probe_answer answer;
	struct probe_http *http = step == PAIR_CHALLENGE ? &probe->https : &probe->http;
	int rc = probe_host_ask(probe, http, steps[step], "/pair", query,
			step == PAIR_GET_SERVER_CERT ? PIN_MS : PHASE_MS, &answer);
	uint8_t bytes[PAIRING_PEM_MAX];
	size_t size;
	rc = rc < 0 ? rc : element_read(probe, client, &answer, bytes, &size);
	if (rc < 0) {
		return rc;
	}
	rc = pairing_client_take(client, bytes, size);
	return rc == 0         ? 0
	       : rc == -EINVAL ? probe_fail(probe, PROBE_REFUSED, steps[step], "the PIN is wrong")
			       : probe_fail(probe, PROBE_FAILED, steps[step],
						 "the answer is malformed, or the host does not "
						 "own its certificate");
}

static int run_steps(struct probe *probe, struct pairing_client *client) {
	while (client->step < PAIR_STEPS) {
		if (client->step == PAIR_CHALLENGE) {
			/* From here on over HTTPS, to the host just met and to no other. */
			int rc = probe_identity_pin(
					&probe->identity, client->host.der, client->host.der_len);
			if (rc < 0) {
				return probe_fail_transport(
						probe, "pair", probe->identity.folder, rc);
			}
			probe_http_hang_up(&probe->https);
		}
		int rc = run_step(probe, client);
		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

int probe_host_pair(struct probe *probe) {
	const char *pin = probe->options.pin;
	struct pairing_client client;
	if (!pin || pairing_client_begin(&client, &probe->identity.own, pin) < 0) {
		return probe_fail(probe, PROBE_USAGE, "pair", "--pin takes four digits");
	}
	probe_say(probe, "Enter PIN %s at the host (perigee pair %s).", pin, pin);
	int rc = run_steps(probe, &client);
	pairing_client_finish(&client);
	if (rc < 0) {
		/* As clients do; the answer is of no interest. */
		struct probe_answer answer;
		(void)!probe_http_get(&probe->http, "/unpair?uniqueid=0123456789ABCDEF", PHASE_MS,
				&answer);
		return rc;
	}
	probe->host.paired = true;
	json_object_set_new(probe->report, "paired", json_true());
	return 0;
}
