/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <errno.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/hex.h"
#include "proto/http.h"
#include "proto/pairing.h"
#include "proto/pairing_client.h"
#include "proto/serverinfo.h"
#include "proto/xml.h"

enum {
	UNIX_NOW = 1750000000,
	NOW = 1000, /* ms */
};

struct people {
	struct pairing_identity host, client, stranger;
};

static void identity_make(enum pairing_flavour flavour, struct pairing_identity *out) {
	char certificate[PAIRING_PEM_MAX], key[PAIRING_PEM_MAX];
	assert_int_equal(pairing_identity_generate(flavour, UNIX_NOW, certificate, key), 0);
	assert_int_equal(pairing_identity_load(certificate, key, out), 0);
}

static int people_setup(void **state) {
	struct people *people = calloc(1, sizeof(*people));
	identity_make(PAIRING_HOST, &people->host);
	identity_make(PAIRING_CLIENT, &people->client);
	identity_make(PAIRING_CLIENT, &people->stranger);
	*state = people;
	return 0;
}

static int people_teardown(void **state) {
	struct people *people = *state;
	pairing_identity_finish(&people->host);
	pairing_identity_finish(&people->client);
	pairing_identity_finish(&people->stranger);
	free(people);
	return 0;
}

/* One pairing with both its sides. */
struct meeting {
	struct pairing pairing;
	struct pairing_client client;
	struct pairing_reply reply;
};

static struct meeting *meeting_begin(struct people *people, const char *client_pin) {
	struct meeting *m = calloc(1, sizeof(*m));
	assert_int_equal(pairing_client_begin(&m->client, &people->client, client_pin), 0);
	uint8_t pem[PAIRING_PEM_MAX];
	int len = pairing_client_blob(&m->client, pem);
	assert_true(len > 0);
	assert_int_equal(pairing_begin(&m->pairing, &people->host, pem, (size_t)len, m->client.salt,
					 NOW),
			0);
	return m;
}

static void meeting_end(struct meeting *m) {
	pairing_finish(&m->pairing);
	pairing_client_finish(&m->client);
	free(m);
}

static int pin(struct meeting *m, const char *digits) {
	return pairing_step(&m->pairing, PAIRING_PIN, digits, strlen(digits), NOW, &m->reply);
}

static int take(struct meeting *m) {
	return pairing_client_take(&m->client, m->reply.data, m->reply.len);
}

/* The next phase: the client's blob to the host. */
static int ask(struct meeting *m, enum pairing_event event) {
	uint8_t blob[PAIRING_PEM_MAX];
	int len = pairing_client_blob(&m->client, blob);
	assert_true(len > 0);
	return pairing_step(&m->pairing, event, blob, (size_t)len, NOW, &m->reply);
}

/* Goes honestly until the host is in state. */
static void go_until(struct meeting *m, enum pairing_state until) {
	static const enum pairing_event next[PAIRING_STATES] = {
		[PAIRING_AWAITS_CHALLENGE] = PAIRING_CHALLENGE,
		[PAIRING_AWAITS_RESPONSE] = PAIRING_RESPONSE,
		[PAIRING_AWAITS_SECRET] = PAIRING_SECRET,
	};
	while (m->pairing.state != until) {
		if (m->pairing.state == PAIRING_AWAITS_PIN) {
			assert_int_equal(pin(m, "1234"), 0);
		} else {
			assert_int_equal(ask(m, next[m->pairing.state]), 0);
		}
		assert_int_equal(take(m), 0);
	}
}

static void the_key_is_the_vectors(void **state) {
	(void)state;
	uint8_t salt[16];
	struct secret key;
	for (uint8_t i = 0; i < sizeof(salt); i++) {
		salt[i] = i;
	}
	assert_int_equal(pairing_key_derive(salt, "1234", &key), 0);
	char text[33];
	hex_encode(key.bytes, sizeof(key.bytes), text);
	assert_string_equal(text, "BAD0B4F7CAE08EB7C1B5ACC763A8ED25");
	assert_int_equal(pairing_key_derive(salt, "123", &key), -EINVAL);
	assert_int_equal(pairing_key_derive(salt, "12345", &key), -EINVAL);
	assert_int_equal(pairing_key_derive(salt, "12a4", &key), -EINVAL);
}

static void both_sides_pair_with_the_right_pin(void **state) {
	struct people *people = *state;
	struct meeting *m = meeting_begin(people, "1234");
	go_until(m, PAIRING_PROVEN);
	assert_int_equal(m->client.step, PAIR_CHALLENGE);
	assert_null(m->reply.name);
	assert_int_equal(m->pairing.client.der_len, people->client.certificate.der_len);
	assert_memory_equal(m->pairing.client.der, people->client.certificate.der,
			m->pairing.client.der_len);
	assert_int_equal(m->client.host.der_len, people->host.certificate.der_len);
	assert_memory_equal(
			m->client.host.der, people->host.certificate.der, m->client.host.der_len);
	meeting_end(m);
}

static void the_client_notices_a_wrong_pin_and_the_host_does_too(void **state) {
	struct meeting *m = meeting_begin(*state, "4321");
	go_until(m, PAIRING_AWAITS_RESPONSE);
	assert_int_equal(ask(m, PAIRING_RESPONSE), 0);
	assert_int_equal(take(m), -EINVAL);
	m->client.step = PAIR_CLIENT_SECRET;
	assert_int_equal(ask(m, PAIRING_SECRET), -EINVAL);
	assert_int_equal(m->pairing.state, PAIRING_GONE);
	assert_int_equal(ask(m, PAIRING_SECRET), -EPROTO);
	meeting_end(m);
}

/* Whoever knows the PIN but not the key of the certificate that it showed. */
static void a_foreign_certificate_is_refused(void **state) {
	struct people *people = *state;
	struct meeting *m = meeting_begin(people, "1234");
	go_until(m, PAIRING_AWAITS_SECRET);
	m->client.identity = &people->stranger;
	assert_int_equal(ask(m, PAIRING_SECRET), -EINVAL);
	assert_int_equal(m->pairing.state, PAIRING_GONE);
	meeting_end(m);
}

static void every_wrong_order_ends_it(void **state) {
	static const enum pairing_event right[PAIRING_STATES] = {
		[PAIRING_AWAITS_PIN] = PAIRING_PIN,
		[PAIRING_AWAITS_CHALLENGE] = PAIRING_CHALLENGE,
		[PAIRING_AWAITS_RESPONSE] = PAIRING_RESPONSE,
		[PAIRING_AWAITS_SECRET] = PAIRING_SECRET,
		[PAIRING_PROVEN] = PAIRING_EVENTS,
	};
	static const size_t sizes[PAIRING_EVENTS] = {
		[PAIRING_PIN] = 4,
		[PAIRING_CHALLENGE] = 16,
		[PAIRING_RESPONSE] = 32,
		[PAIRING_SECRET] = 16 + 256,
	};
	static const uint8_t blob[16 + 256] = "1234";
	for (int at = PAIRING_AWAITS_PIN; at < PAIRING_STATES; at++) {
		for (int event = 0; event < PAIRING_EVENTS; event++) {
			if ((enum pairing_event)event == right[at]) {
				continue;
			}
			struct meeting *m = meeting_begin(*state, "1234");
			go_until(m, (enum pairing_state)at);
			assert_int_equal(pairing_step(&m->pairing, (enum pairing_event)event, blob,
							 sizes[event], NOW, &m->reply),
					-EPROTO);
			assert_int_equal(m->pairing.state, PAIRING_GONE);
			assert_int_equal(pin(m, "1234"), -EPROTO);
			meeting_end(m);
		}
	}
}

static void every_changed_blob_ends_it(void **state) {
	static const struct {
		enum pairing_state at;
		enum pairing_event event;
	} rows[] = {
		{ PAIRING_AWAITS_CHALLENGE, PAIRING_CHALLENGE },
		{ PAIRING_AWAITS_RESPONSE, PAIRING_RESPONSE },
		{ PAIRING_AWAITS_SECRET, PAIRING_SECRET },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (int change = -1; change <= 1; change++) {
			struct meeting *m = meeting_begin(*state, "1234");
			go_until(m, rows[i].at);
			uint8_t blob[PAIRING_PEM_MAX];
			size_t len = (size_t)pairing_client_blob(&m->client, blob);
			blob[0] ^= change == 0;
			len = change < 0 ? len - 1 : len + (size_t)change;
			int rc = pairing_step(
					&m->pairing, rows[i].event, blob, len, NOW, &m->reply);
			bool shown = rows[i].event == PAIRING_SECRET;
			if (change == 0 && !shown) {
				/* Nobody can tell yet, but it cannot lead anywhere. */
				assert_int_equal(rc, 0);
				assert_int_not_equal(m->pairing.state, PAIRING_PROVEN);
			} else {
				assert_int_equal(rc, shown ? -EINVAL : -EBADMSG);
				assert_int_equal(m->pairing.state, PAIRING_GONE);
			}
			meeting_end(m);
		}
	}
}

static void a_changed_response_fails_in_the_end(void **state) {
	struct meeting *m = meeting_begin(*state, "1234");
	go_until(m, PAIRING_AWAITS_RESPONSE);
	uint8_t blob[PAIRING_PEM_MAX];
	size_t len = (size_t)pairing_client_blob(&m->client, blob);
	blob[31] ^= 1;
	assert_int_equal(pairing_step(&m->pairing, PAIRING_RESPONSE, blob, len, NOW, &m->reply), 0);
	assert_int_equal(take(m), 0);
	assert_int_equal(ask(m, PAIRING_SECRET), -EINVAL);
	meeting_end(m);
}

static void a_host_without_its_key_is_found_out(void **state) {
	struct people *people = *state;
	struct meeting *m = meeting_begin(people, "1234");
	go_until(m, PAIRING_AWAITS_RESPONSE);
	assert_int_equal(ask(m, PAIRING_RESPONSE), 0);
	m->reply.data[PAIRING_CHALLENGE_SIZE + 5] ^= 1;
	assert_int_equal(take(m), -EBADMSG);
	meeting_end(m);
}

static void the_window_closes(void **state) {
	for (int at = PAIRING_AWAITS_PIN; at < PAIRING_PROVEN; at++) {
		struct meeting *m = meeting_begin(*state, "1234");
		go_until(m, (enum pairing_state)at);
		uint8_t blob[PAIRING_PEM_MAX] = "1234";
		static const enum pairing_event events[] = {
			[PAIRING_AWAITS_PIN] = PAIRING_PIN,
			[PAIRING_AWAITS_CHALLENGE] = PAIRING_CHALLENGE,
			[PAIRING_AWAITS_RESPONSE] = PAIRING_RESPONSE,
			[PAIRING_AWAITS_SECRET] = PAIRING_SECRET,
		};
		assert_int_equal(pairing_step(&m->pairing, events[at], blob, 4,
						 NOW + PAIRING_WINDOW_MS, &m->reply),
				-ETIMEDOUT);
		assert_int_equal(m->pairing.state, PAIRING_GONE);
		meeting_end(m);
	}
}

static void the_operator_may_mistype_the_pins_form(void **state) {
	struct meeting *m = meeting_begin(*state, "1234");
	assert_int_equal(pin(m, "123"), -EINVAL);
	assert_int_equal(pin(m, "12345"), -EINVAL);
	assert_int_equal(pin(m, "12 4"), -EINVAL);
	assert_int_equal(m->pairing.state, PAIRING_AWAITS_PIN);
	go_until(m, PAIRING_PROVEN);
	meeting_end(m);
}

static void secrets_are_fresh_each_time_and_wiped(void **state) {
	struct meeting *a = meeting_begin(*state, "1234"), *b = meeting_begin(*state, "1234");
	go_until(a, PAIRING_AWAITS_SECRET);
	go_until(b, PAIRING_AWAITS_SECRET);
	assert_memory_not_equal(a->pairing.host_secret, b->pairing.host_secret, 16);
	assert_memory_not_equal(a->pairing.host_challenge, b->pairing.host_challenge, 16);
	static const struct pairing empty;
	pairing_finish(&a->pairing);
	assert_memory_equal(&a->pairing, &empty, sizeof(empty));
	meeting_end(a);
	meeting_end(b);
}

/* ---- certificates ---- */

static int parse_pem(const void *pem, size_t len) {
	static struct pairing_certificate certificate;
	int rc = pairing_certificate_parse(pem, len, &certificate);
	pairing_certificate_finish(&certificate);
	return rc;
}

static size_t certificate_with(EVP_PKEY *key, char *out) {
	X509 *x509 = X509_new();
	X509_set_version(x509, X509_VERSION_3);
	X509_set_pubkey(x509, key);
	assert_true(X509_sign(x509, key, EVP_sha256()) > 0);
	BIO *bio = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_X509(bio, x509), 1);
	char *text;
	size_t len = (size_t)BIO_get_mem_data(bio, &text);
	memcpy(out, text, len);
	BIO_free(bio);
	X509_free(x509);
	EVP_PKEY_free(key);
	return len;
}

static void only_one_rsa_certificate_of_fair_size_is_taken(void **state) {
	struct people *people = *state;
	const struct pairing_identity *good = &people->client;
	char pem[3 * PAIRING_PEM_MAX] = { 0 };
	assert_int_equal(parse_pem(good->pem, good->pem_len), 0);
	assert_int_equal(parse_pem(good->pem, good->pem_len - 40), -EBADMSG);
	assert_int_equal(parse_pem("", 0), -EBADMSG);

	memcpy(pem, good->pem, good->pem_len);
	assert_int_equal(parse_pem(pem, good->pem_len + 1), 0); /* a NUL behind it */
	memcpy(pem + good->pem_len, good->pem, good->pem_len);
	assert_int_equal(parse_pem(pem, 2 * good->pem_len), -EBADMSG);
	pem[0] = ' ';
	assert_int_equal(parse_pem(pem, good->pem_len), -EBADMSG);
	memcpy(pem, good->pem, good->pem_len);
	memset(pem + good->pem_len, '\n', PAIRING_PEM_MAX);
	assert_int_equal(parse_pem(pem, PAIRING_PEM_MAX), 0);
	assert_int_equal(parse_pem(pem, PAIRING_PEM_MAX + 1), -EBADMSG);
	pem[60] = '!';
	assert_int_equal(parse_pem(pem, good->pem_len), -EBADMSG);

	assert_int_equal(parse_pem(pem, certificate_with(EVP_RSA_gen(1024), pem)), -EBADMSG);
	assert_int_equal(parse_pem(pem, certificate_with(EVP_EC_gen("P-256"), pem)), -EBADMSG);
}

static void an_identity_needs_its_own_key(void **state) {
	struct people *people = *state;
	char certificate[PAIRING_PEM_MAX], key[PAIRING_PEM_MAX];
	static struct pairing_identity identity;
	assert_int_equal(pairing_identity_generate(PAIRING_HOST, UNIX_NOW, certificate, key), 0);
	assert_int_equal(pairing_identity_load(people->host.pem, key, &identity), -EBADMSG);
	pairing_identity_finish(&identity);
	assert_int_equal(pairing_identity_load(certificate, "", &identity), -EBADMSG);
	pairing_identity_finish(&identity);
	assert_int_equal(pairing_identity_load(certificate, key, &identity), 0);
	assert_int_equal(identity.certificate.signature_len, 256);
	pairing_identity_finish(&identity);
}

static void a_fingerprint_tells_certificates_apart(void **state) {
	struct people *people = *state;
	const struct pairing_certificate *a = &people->client.certificate;
	const struct pairing_certificate *b = &people->stranger.certificate;
	uint8_t one[PAIRING_HASH_SIZE], other[PAIRING_HASH_SIZE];
	assert_int_equal(pairing_fingerprint(a->der, a->der_len, one), 0);
	assert_int_equal(pairing_fingerprint(b->der, b->der_len, other), 0);
	assert_memory_not_equal(one, other, sizeof(one));
}

/* ---- the whole way: queries and XML ---- */

static void answer(struct meeting *m, const struct pair_query *query, char *xml, size_t size,
		size_t *out_len) {
	static const enum pairing_event events[PAIR_STEPS] = {
		[PAIR_CLIENT_CHALLENGE] = PAIRING_CHALLENGE,
		[PAIR_SERVER_CHALLENGE_RESP] = PAIRING_RESPONSE,
		[PAIR_CLIENT_SECRET] = PAIRING_SECRET,
	};
	if (query->step == PAIR_GET_SERVER_CERT) {
		assert_int_equal(pin(m, "0000"), 0);
	} else {
		assert_int_equal(pairing_step(&m->pairing, events[query->step], query->blob,
						 query->blob_len, NOW, &m->reply),
				0);
	}
	int len = serverinfo_pair_write(
			true, m->reply.name, m->reply.data, m->reply.len, xml, size);
	assert_true(len > 0);
	*out_len = (size_t)len;
}

static void pairing_works_in_its_http_clothes(void **state) {
	struct people *people = *state;
	struct meeting *m = calloc(1, sizeof(*m));
	static struct pair_query query;
	static char text[PAIRING_QUERY_MAX], xml[3 * PAIRING_PEM_MAX];
	static uint8_t blob[PAIRING_PEM_MAX];
	assert_int_equal(pairing_client_begin(&m->client, &people->client, "0000"), 0);
	while (m->client.step != PAIR_CHALLENGE) {
		const char *culprit = NULL;
		int len = pairing_client_query(&m->client, text, sizeof(text));
		assert_true(len > 0 && len < HTTP_TARGET_MAX);
		struct span span = { text, (size_t)len };
		assert_int_equal(pair_query_parse(span, &query, &culprit), 0);
		assert_int_equal(query.step, m->client.step);
		if (query.step == PAIR_GET_SERVER_CERT) {
			assert_int_equal(pairing_begin(&m->pairing, &people->host, query.blob,
							 query.blob_len, query.salt, NOW),
					0);
		}
		struct span document = { xml, 0 }, hex = { 0 };
		answer(m, &query, xml, sizeof(xml), &document.len);
		const char *wants = pairing_client_wants(&m->client);
		if (wants) {
			assert_int_equal(xml_find(document, wants, &hex), 0);
			assert_int_equal(hex_decode(hex.at, hex.len, blob), 0);
		}
		assert_int_equal(pairing_client_take(&m->client, blob, hex.len / 2), 0);
	}
	assert_int_equal(m->pairing.state, PAIRING_PROVEN);
	meeting_end(m);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(the_key_is_the_vectors),
		UNIT(both_sides_pair_with_the_right_pin),
		UNIT(the_client_notices_a_wrong_pin_and_the_host_does_too),
		UNIT(a_foreign_certificate_is_refused),
		UNIT(every_wrong_order_ends_it),
		UNIT(every_changed_blob_ends_it),
		UNIT(a_changed_response_fails_in_the_end),
		UNIT(a_host_without_its_key_is_found_out),
		UNIT(the_window_closes),
		UNIT(the_operator_may_mistype_the_pins_form),
		UNIT(secrets_are_fresh_each_time_and_wiped),
		UNIT(only_one_rsa_certificate_of_fair_size_is_taken),
		UNIT(an_identity_needs_its_own_key),
		UNIT(a_fingerprint_tells_certificates_apart),
		UNIT(pairing_works_in_its_http_clothes),
	};
	return cmocka_run_group_tests(tests, people_setup, people_teardown);
}
