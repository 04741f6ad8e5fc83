/* SPDX-License-Identifier: MIT */
#include "supervisor/compat.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"
#include "ipc/board.h"
#include "ipc/message.h"
#include "ipc/page.h"
#include "ipc/pool.h"
#include "ipc/pulse.h"
#include "ipc/ring.h"
#include "supervisor/ledger.h"

/* From the oldest layout that this version can still read to its own. */
static const struct layout {
	const char *name, *words;
	int64_t oldest, own;
} layouts[] = {
	{ "messages", "its messages", IPC_VERSION, IPC_VERSION },
	{ "ledger", "what the supervisor has written down", LEDGER_LAYOUT, LEDGER_LAYOUT },
	{ "pulse", "the pulse pages of its processes", PULSE_LAYOUT, PULSE_LAYOUT },
	{ "page", "the takeover pages of its streams", PAGE_LAYOUT, PAGE_LAYOUT },
	{ "pool", "its desktops' pictures", POOL_LAYOUT, POOL_LAYOUT },
	{ "ring", "its encoders' packets", RING_LAYOUT, RING_LAYOUT },
	{ "board", "the board of its web door", BOARD_LAYOUT, BOARD_LAYOUT },
};

void compat_facts(char *out, size_t size) {
	size_t used = 0;
	out[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(layouts); i++) {
		text_format(out + used, size - used, "%s%s=%" PRIi64, i ? " " : "", layouts[i].name,
				layouts[i].own);
		used = strlen(out);
	}
}

static const struct layout *find(const char *name, size_t len) {
	for (size_t i = 0; i < ARRAY_LEN(layouts); i++) {
		if (strlen(layouts[i].name) == len && memcmp(layouts[i].name, name, len) == 0) {
			return &layouts[i];
		}
	}
	return NULL;
}

static int judge_word(const char *word, size_t len, char *out, size_t size) {
	const char *equals = memchr(word, '=', len);
	size_t name_len = equals ? (size_t)(equals - word) : len;
	const struct layout *layout = find(word, name_len);
	int64_t number = 0;
	int rc = equals ? number_parse(equals + 1, len - name_len - 1, 0, UINT32_MAX, &number)
			: -EINVAL;
	if (rc < 0 || !layout) {
		text_format(out, size,
				"the running version has something that this one does not know: "
				"%.*s",
				(int)(len < 40 ? len : 40), word);
		return -EPROTO;
	}
	if (number < layout->oldest || number > layout->own) {
		text_format(out, size,
				"this version cannot read %s: they are of layout %" PRIi64
				", it knows %" PRIi64 " to %" PRIi64,
				layout->words, number, layout->oldest, layout->own);
		return -EPROTO;
	}
	return 0;
}

int compat_judge(const char *facts, char *out_words, size_t size) {
	size_t count = 0;
	int rc = 0;
	while (rc == 0 && *facts) {
		size_t len = strcspn(facts, " ");
		rc = judge_word(facts, len, out_words, size);
		count++;
		facts += len + (facts[len] == ' ');
	}
	if (rc == 0 && count < ARRAY_LEN(layouts)) {
		text_format(out_words, size, "the running version does not say what it has");
		rc = -EPROTO;
	}
	return rc;
}
