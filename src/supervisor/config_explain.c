/* SPDX-License-Identifier: MIT */
#include "supervisor/config_explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/own.h"
#include "base/text.h"
#include "supervisor/config.h"

enum {
	DEPTH_MAX = 8,
	KEY_MAX = 64,
	LINE_MAX_BYTES = 400,
};

/* ---- where a key stands ---- */

/* Whether a line begins with the key, as one of a list's or between braces, too. */
static bool has_key(const char *line, const char *key, size_t len) {
	const char *at = line + strspn(line, " -{");
	return strncmp(at, key, len) == 0 && at[len] == ':';
}

/* Of a list, by its name: an entry is found by its title (or its name), and the key behind that,
 * up to the next entry. */
unsigned config_line(const char *path, const char *key) {
	OWN(file_close) FILE *file = fopen(path, "re");
	char line[LINE_MAX_BYTES];
	const char *dot = strrchr(key, '.'), *bracket = strchr(key, '[');
	const char *entry = strncmp(key, "apps", strlen("apps")) == 0           ? "title"
			    : strncmp(key, "profiles", strlen("profiles")) == 0 ? "id"
										: "name";
	const char *last = dot ? dot + 1 : bracket ? entry : key;
	unsigned skip = bracket ? (unsigned)strtoul(bracket + 1, NULL, 10) : 0;
	unsigned title = 0, number = 1;
	bool whole = true, inside = !bracket;
	while (file && fgets(line, sizeof(line), file)) {
		bool begins = whole;
		whole = strchr(line, '\n') != NULL;
		if (begins && bracket && !strchr(" -#\n", line[0])) {
			inside = has_key(line, key, (size_t)(bracket - key));
		}
		bool is_entry = begins && inside && bracket && has_key(line, entry, strlen(entry));
		if (title && is_entry) {
			return title;
		}
		if (is_entry && skip-- == 0) {
			title = number;
		}
		if (begins && inside && (!bracket || title) && has_key(line, last, strlen(last))) {
			return number;
		}
		number += whole;
	}
	return title;
}

void config_explain_key(const char *path, const char *text, struct config_text *out) {
	char key[KEY_MAX];
	text_format(key, sizeof(key), "%.*s", (int)strcspn(text, " :"), text);
	unsigned line = config_line(path, key);
	if (line) {
		config_refuse(out, "%.200s, line %u: %.700s", path, line, text);
	} else {
		config_refuse(out, "%.200s: %.700s", path, text);
	}
}

/* ---- what libcyaml says ---- */

struct place {
	char key[KEY_MAX];
	unsigned line;
};

/* "  in mapping field 'sessions' (line: 3, column: 13)", the innermost first. */
static void read_place(const char *found, bool without_last, struct place *out) {
	static const char field[] = "  in mapping field '", entry[] = "  in sequence entry '";
	struct {
		const char *name;
		int len;
		bool is_entry;
	} parts[DEPTH_MAX];
	size_t count = 0;
	*out = (struct place){ .line = 0 };
	for (const char *at = strstr(found, "\n  in "); at && count < DEPTH_MAX;
			at = strstr(at, "\n  in ")) {
		at++;
		bool is_entry = strncmp(at, entry, sizeof(entry) - 1) == 0;
		const char *line = strstr(at, "(line: ");
		const char *name = at + (is_entry ? sizeof(entry) : sizeof(field)) - 1;
		if ((!is_entry && strncmp(at, field, sizeof(field) - 1) != 0) || !line) {
			continue;
		}
		unsigned number = (unsigned)strtoul(line + strlen("(line: "), NULL, 10);
		out->line = out->line ? out->line : number;
		parts[count].name = name;
		parts[count].len = (int)strcspn(name, "'");
		parts[count++].is_entry = is_entry;
	}
	size_t used = 0;
	for (size_t i = count; i-- > (without_last ? 1 : 0);) {
		bool first = used == 0;
		if (parts[i].is_entry) {
			unsigned number = (unsigned)strtoul(parts[i].name, NULL, 10);
			if (number > 0) { /* 0: the list is over */
				text_format(out->key + used, sizeof(out->key) - used, "[%u]",
						number - 1);
			}
		} else {
			text_format(out->key + used, sizeof(out->key) - used, "%s%.*s",
					first ? "" : ".", parts[i].len, parts[i].name);
		}
		used = strlen(out->key);
	}
}

/* What is found in libcyaml's first line, and what it means. with_value: what follows the
 * words is what the person wrote. */
static const struct {
	const char *found;
	bool with_value;
	const char *words;
} meanings[] = {
	{ "Invalid uint64_t value: ", true, "is not a whole number" },
	{ "Invalid int64_t value: ", true, "is not a whole number" },
	{ "Invalid UINT value: ", true, "is not a whole number that can stand here" },
	{ "Invalid INT value: ", true, "is not a whole number that can stand here" },
	{ "Invalid FLOAT value: ", true, "is not a number" },
	{ "FLOAT overflow", false, "is too large a number" },
	{ "FLOAT underflow", false, "is too small a number" },
	{ "Expecting FLOAT", false, "must be one number, not a list or keys" },
	{ "Invalid ENUM value: ", true, "is not one of true, false" },
	{ "STRING length < ", false, "has no value: say one, or leave the key out" },
	{ "STRING length > ", false, "is too long" },
	{ "Expecting STRING", false, "must be one text, not a list or keys" },
	{ "Expecting UINT", false, "must be one whole number, not a list or keys" },
	{ "Expecting INT", false, "must be one whole number, not a list or keys" },
	{ "Expecting ENUM", false, "must be true or false" },
	{ "Expecting MAPPING", false,
			"must have keys, each on a line of its own below it, indented" },
	{ "Expecting SEQUENCE", false, "must be a list, for example [a, b]" },
	{ "Mapping field already seen: ", false, "is there twice: leave one" },
	{ "Excessive entries", false, "has too many entries" },
	{ "Insufficient entries", false, "has no entries: say one, or leave the key out" },
	{ "No anchor found", false, "has an alias (*name); write it out" },
};

/* Where YAML itself is broken, libcyaml does not know the line. */
static void explain_syntax(const char *path, struct config_text *out) {
	OWN(file_close) FILE *file = fopen(path, "re");
	yaml_parser_t parser;
	if (!file || !yaml_parser_initialize(&parser)) {
		config_refuse(out, "%.200s: this is not YAML", path);
		return;
	}
	yaml_parser_set_input_file(&parser, file);
	bool over = false;
	while (!over) {
		yaml_event_t event;
		if (!yaml_parser_parse(&parser, &event)) {
			break;
		}
		over = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	bool quoted = parser.context && strstr(parser.context, "quoted");
	size_t line = quoted ? parser.context_mark.line : parser.problem_mark.line;
	config_refuse(out,
			"%.200s, line %zu: this is not YAML: %.200s (lines are indented by spaces, "
			"never tabs; a text with : or # in it, or a quote, stands between quotes)",
			path, line + 1, parser.problem ? parser.problem : "it cannot be read");
	yaml_parser_delete(&parser);
}

/* The words behind found, to the end of their line, without quotes around them. */
static void copy_value(const char *from, char *out, size_t size) {
	size_t len = strcspn(from, "\n");
	bool quoted = len >= 2 && from[0] == '\'' && from[len - 1] == '\'';
	text_format(out, size, "%.*s", (int)(quoted ? len - 2 : len), from + quoted);
}

static bool explain_unknown(const char *path, const char *found, struct config_text *out) {
	static const char unknown[] = "Unexpected key: ",
			  missing[] = "Missing required mapping field: ";
	const char *at = strstr(found, unknown);
	struct place place;
	char key[KEY_MAX];
	if (at) {
		copy_value(at + sizeof(unknown) - 1, key, sizeof(key));
		config_refuse(out,
				"%.200s, line %u: there is no key \"%s\" here; perigee.yaml(5) has "
				"them all",
				path, config_line(path, key), key);
		return true;
	}
	at = strstr(found, missing);
	if (at) {
		read_place(found, true, &place);
		copy_value(at + sizeof(missing) - 1, key, sizeof(key));
		config_refuse(out, "%.200s, line %u: %s has no %s", path, place.line, place.key,
				key);
	}
	return at != NULL;
}

void config_explain(const char *path, const char *found, struct config_text *out) {
	struct place place;
	char value[KEY_MAX];
	if (strstr(found, "Load: libyaml: ")) {
		explain_syntax(path, out);
		return;
	}
	if (explain_unknown(path, found, out)) {
		return;
	}
	read_place(found, false, &place);
	const char *key = place.key[0] ? place.key : "the file";
	for (size_t i = 0; i < ARRAY_LEN(meanings); i++) {
		const char *at = strstr(found, meanings[i].found);
		if (!at) {
			continue;
		}
		copy_value(at + strlen(meanings[i].found), value, sizeof(value));
		bool with = meanings[i].with_value;
		config_refuse(out, "%.200s, line %u: %s%s%s%s %s", path,
				place.line ? place.line : 1, key, with ? ": \"" : "",
				with ? value : "", with ? "\"" : "", meanings[i].words);
		return;
	}
	const char *said = strncmp(found, "Load: ", 6) == 0 ? found + 6 : found;
	config_refuse(out, "%.200s, line %u: %s: %.*s", path, place.line ? place.line : 1, key,
			(int)strcspn(said, "\n"), said);
}
