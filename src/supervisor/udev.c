/* SPDX-License-Identifier: MIT */
#include "supervisor/udev.h"

#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

static const uint32_t magic = 0xfeedcafe;

/* Those who log in at a seat may use it: what monitors of that tag wait for. */
static const char *const tags[] = { "seat", "uaccess" };

/* As the rules of udev call them (60-input-id, input_id.c). */
static const struct {
	const char *subsystem, *property;
} kinds[UDEV_KINDS] = {
	[UDEV_JOYSTICK] = { "input", "ID_INPUT_JOYSTICK" },
	[UDEV_TOUCHPAD] = { "input", "ID_INPUT_TOUCHPAD" },
	[UDEV_MOTION] = { "input", "ID_INPUT_ACCELEROMETER" },
	[UDEV_RAW] = { "hidraw", NULL },
};

void udev_name(const struct udev_device *device, char out[24]) {
	text_format(out, 24, "c%u:%u", device->major, device->minor);
}

size_t udev_record(const struct udev_device *device, uint64_t since_us, char *out, size_t size) {
	struct writer w = writer_over(out, size);
	const char *property = kinds[device->kind].property;
	text_putf(&w, "I:%llu\n", (unsigned long long)since_us);
	if (property) {
		text_putf(&w, "E:ID_INPUT=1\nE:%s=1\n", property);
	}
	text_put(&w, "E:ID_BUS=usb\nE:ID_SERIAL=noserial\n");
	for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
		text_putf(&w, "G:%s\nQ:%s\n", tags[i], tags[i]);
	}
	text_put(&w, "V:1\n");
	return w.failed ? 0 : size - w.left;
}

static void put_word(struct writer *w, const char *name, const char *value) {
	text_putf(w, "%s=%s", name, value);
	writer_u8(w, 0);
}

static void put_number(struct writer *w, const char *name, uint64_t value) {
	text_putf(w, "%s=%llu", name, (unsigned long long)value);
	writer_u8(w, 0);
}

size_t udev_words(const struct udev_device *device, const char *action, uint64_t sequence,
		uint64_t since_us, char *out, size_t size) {
	struct writer w = writer_over(out, size);
	char node[64], list[64] = ":";
	text_format(node, sizeof(node), "/dev/%s", device->node);
	for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
		size_t len = strlen(list);
		text_format(list + len, sizeof(list) - len, "%s:", tags[i]);
	}
	put_word(&w, "ACTION", action);
	put_word(&w, "DEVPATH", device->path);
	put_word(&w, "SUBSYSTEM", kinds[device->kind].subsystem);
	put_word(&w, "DEVNAME", node);
	put_number(&w, "MAJOR", device->major);
	put_number(&w, "MINOR", device->minor);
	put_number(&w, "SEQNUM", sequence);
	put_number(&w, "USEC_INITIALIZED", since_us);
	if (kinds[device->kind].property) {
		put_word(&w, "ID_INPUT", "1");
		put_word(&w, kinds[device->kind].property, "1");
		put_word(&w, ".INPUT_CLASS", device->kind == UDEV_JOYSTICK ? "joystick" : "mouse");
	}
	put_word(&w, "ID_BUS", "usb");
	put_word(&w, "ID_SERIAL", "noserial");
	put_word(&w, "TAGS", list);
	put_word(&w, "CURRENT_TAGS", list);
	return w.failed ? 0 : size - w.left;
}

uint32_t udev_hash(const char *text) {
	static const uint32_t mix = 0x5bd1e995;
	size_t len = strlen(text);
	uint32_t hash = (uint32_t)len;
	struct reader r = reader_over(text, len);
	for (; r.left >= 4;) {
		uint32_t word = reader_le32(&r) * mix;
		word = (word ^ word >> 24) * mix;
		hash = hash * mix ^ word;
	}
	if (r.left > 0) {
		uint32_t rest = 0;
		for (unsigned shift = 0; r.left > 0; shift += 8) {
			rest |= (uint32_t)reader_u8(&r) << shift;
		}
		hash = (hash ^ rest) * mix;
	}
	hash = (hash ^ hash >> 13) * mix;
	return hash ^ hash >> 15;
}

/* Four bits for each tag: a filter lets through what has all of its tags' bits. */
static uint64_t bloom(void) {
	uint64_t bits = 0;
	for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
		uint32_t hash = udev_hash(tags[i]);
		for (unsigned shift = 0; shift < 24; shift += 6) {
			bits |= UINT64_C(1) << (hash >> shift & 63);
		}
	}
	return bits;
}

/* In the machine's own order where nothing else is said: it never leaves the machine. */
static void put_native(struct writer *w, uint32_t value) {
	writer_copy(w, &value, sizeof(value));
}

size_t udev_message(const struct udev_device *device, const char *words, size_t words_len,
		uint8_t *out, size_t size) {
	struct writer w = writer_over(out, size);
	uint64_t bits = bloom();
	writer_copy(&w, "libudev", 8);
	writer_be32(&w, magic);
	put_native(&w, UDEV_HEADER);
	put_native(&w, UDEV_HEADER);
	put_native(&w, (uint32_t)words_len);
	writer_be32(&w, udev_hash(kinds[device->kind].subsystem));
	writer_be32(&w, 0); /* no type of device */
	writer_be32(&w, (uint32_t)(bits >> 32));
	writer_be32(&w, (uint32_t)bits);
	writer_copy(&w, words, words_len);
	return w.failed ? 0 : size - w.left;
}
