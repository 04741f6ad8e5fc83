/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "proto/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The writer's answer is one text of one element, whatever the text; and the reader
 * stays inside what it was given. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	char text[512], buf[8192], back[1024];
	size_t len = size < sizeof(text) - 1 ? size : sizeof(text) - 1;
	memcpy(text, data, len);
	text[len] = '\0';
	len = strlen(text);

	struct xml xml;
	xml_begin(&xml, buf, sizeof(buf), 200, text, NULL);
	xml_text(&xml, "AppTitle", text);
	int written = xml_end(&xml);
	assert(written > 0);
	struct span document = { buf, (size_t)written }, value;
	assert(xml_find(document, "AppTitle", &value) == 0);
	assert(xml_unescape(value, back, sizeof(back)) == (int)len);
	assert(!text_is_printable(text, len) || strcmp(text, back) == 0);
	assert(xml_root_attribute(document, "status_message", &value) == 0);
	assert(xml_unescape(value, back, sizeof(back)) == (int)len);

	struct span foreign = { (const char *)data, size };
	if (xml_find(foreign, "plaincert", &value) == 0) {
		assert(value.at >= foreign.at && value.at + value.len <= foreign.at + size);
	}
	(void)!xml_root_attribute(foreign, "status_code", &value);
	(void)!xml_unescape(foreign, back, sizeof(back));
	return 0;
}
