/* SPDX-License-Identifier: MIT */
#include "gate/body.h"

#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "base/hex.h"
#include "base/number.h"

OWN_DEFINE(json_t *, json_decref)

enum {
	PIN_DIGITS = sizeof(((struct body_pin *)NULL)->pin) - 1,
};

static int fault(const char *words, const char **out_fault) {
	*out_fault = words;
	return -EBADMSG;
}

/* NULL unless the whole text is one object, in which no key stands twice. */
static json_t *parse_object(struct span text) {
	json_t *body = json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES, NULL);
	if (body && !json_is_object(body)) {
		json_decref(body);
		body = NULL;
	}
	return body;
}

static const char no_object[] = "The request is not a JSON object.";

/* A number, or Wolf's text with a number in it. */
static int read_pairing(const json_t *body, uint32_t *out) {
	const json_t *value = json_object_get(body, "pairing");
	value = value ? value : json_object_get(body, "pair_secret");
	int64_t number = 0;
	if (json_is_integer(value)) {
		number = json_integer_value(value);
	} else if (json_is_string(value)) {
		if (number_parse(json_string_value(value), json_string_length(value), 1, UINT32_MAX,
				    &number) < 0) {
			return -EBADMSG;
		}
	} else if (value) {
		return -EBADMSG;
	}
	if (number < 0 || number > UINT32_MAX || (value && number == 0)) {
		return -EBADMSG;
	}
	*out = (uint32_t)number;
	return 0;
}

static int read_name(const json_t *body, char out[BODY_NAME_MAX]) {
	const json_t *value = json_object_get(body, "name");
	const char *name = json_string_value(value);
	if (value && (!name || strlen(name) >= BODY_NAME_MAX ||
				     !text_is_printable(name, strlen(name)))) {
		return -EBADMSG;
	}
	text_copy(out, BODY_NAME_MAX, name ? name : "");
	return 0;
}

static int read_pin(const json_t *body, struct body_pin *out) {
	const char *pin = json_string_value(json_object_get(body, "pin"));
	if (!pin || strlen(pin) != PIN_DIGITS || strspn(pin, "0123456789") != PIN_DIGITS) {
		return -EBADMSG;
	}
	text_copy(out->pin, sizeof(out->pin), pin);
	return 0;
}

int body_pin_parse(struct span text, struct body_pin *out, const char **out_fault) {
	OWN(json_decref) json_t *body = parse_object(text);
	struct body_pin found = { .pairing = 0 };
	if (!body) {
		return fault(no_object, out_fault);
	}
	if (read_pin(body, &found) < 0) {
		return fault("A PIN has four digits, as text: \"pin\": \"1234\".", out_fault);
	}
	if (read_name(body, found.name) < 0) {
		return fault("The name is not a text of at most 63 bytes.", out_fault);
	}
	if (read_pairing(body, &found.pairing) < 0) {
		return fault("\"pairing\" is not a number from the list of waiting clients.",
				out_fault);
	}
	*out = found;
	return 0;
}

int body_client_parse(struct span text, uint8_t out[32], const char **out_fault) {
	OWN(json_decref) json_t *body = parse_object(text);
	if (!body) {
		return fault(no_object, out_fault);
	}
	const char *id = json_string_value(json_object_get(body, "client_id"));
	if (!id || strlen(id) != 64 || hex_decode(id, 64, out) < 0) {
		*out_fault = "There is no such client.";
		return -ENOENT;
	}
	return 0;
}

static bool read_word(const json_t *body, const char *key, bool needed, char *out, size_t size) {
	const json_t *value = json_object_get(body, key);
	const char *word = json_string_value(value);
	if (!value && !needed) {
		out[0] = '\0';
		return true;
	}
	return word && word[0] && json_string_length(value) == strlen(word) &&
	       text_is_printable(word, strlen(word)) && text_copy(out, size, word);
}

int body_restart_parse(struct span text, struct body_restart *out, const char **out_fault) {
	OWN(json_decref) json_t *body = parse_object(text);
	struct body_restart found;
	if (!body) {
		return fault(no_object, out_fault);
	}
	if (!read_word(body, "kind", true, found.kind, sizeof(found.kind))) {
		return fault("Say what to restart: \"kind\": \"encoder\".", out_fault);
	}
	if (!read_word(body, "id", false, found.id, sizeof(found.id))) {
		return fault("\"id\" is not a session's or a worker's, as text.", out_fault);
	}
	*out = found;
	return 0;
}
