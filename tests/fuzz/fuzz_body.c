/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "gate/body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A refusal has words; what is taken is a PIN and a name fit to be shown. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct span body = { (const char *)data, size };
	struct body_pin pin;
	const char *fault = NULL;
	if (body_pin_parse(body, &pin, &fault) == 0) {
		assert(strlen(pin.pin) == 4 && strspn(pin.pin, "0123456789") == 4);
		assert(memchr(pin.name, '\0', sizeof(pin.name)));
		assert(text_is_printable(pin.name, strlen(pin.name)));
		assert(!fault);
	} else {
		assert(fault);
	}
	struct body_restart restart;
	fault = NULL;
	if (body_restart_parse(body, &restart, &fault) == 0) {
		assert(restart.kind[0] && memchr(restart.kind, '\0', sizeof(restart.kind)));
		assert(memchr(restart.id, '\0', sizeof(restart.id)) && !fault);
	} else {
		assert(fault);
	}
	uint8_t client[32];
	fault = NULL;
	int rc = body_client_parse(body, client, &fault);
	assert(rc == 0 ? !fault : (fault && (rc == -EBADMSG || rc == -ENOENT)));
	return 0;
}
