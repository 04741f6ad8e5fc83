/* SPDX-License-Identifier: MIT */
#include "cli/table.h"
#include "cli/row.h"

#include <string.h>

#include "base/own.h"
#include "base/text.h"
#include "cli/show.h"
#include "ipc/client_words.h"

struct cell {
	char text[TABLE_CELL_MAX];
};

/* ---- cells ---- */

static void add(char *out, const char *text) {
	size_t len = strlen(out);
	text_copy(out + len, TABLE_CELL_MAX - len, text);
}

static void add_value(char *out, const json_t *value) {
	char number[24];
	if (json_is_string(value)) {
		add(out, json_string_value(value));
	} else if (json_is_integer(value)) {
		text_format(number, sizeof(number), "%lld", (long long)json_integer_value(value));
		add(out, number);
	} else if (json_is_true(value)) {
		add(out, "yes");
	}
	for (size_t i = 0; i < json_array_size(value); i++) {
		add(out, i ? "," : "");
		add_value(out, json_array_get(value, i));
	}
}

static struct cell cell_of(const json_t *row, const struct table_column *column) {
	struct cell cell = { "" };
	if (column->say) {
		column->say(row, cell.text);
	} else {
		add_value(cell.text, json_object_get(row, column->field));
	}
	if (!cell.text[0]) {
		add(cell.text, "-");
	}
	return cell;
}

/* A letter is a column. */
static size_t width_of(const char *text) {
	size_t width = 0;
	for (; *text; text++) {
		width += ((unsigned char)*text & 0xc0) != 0x80;
	}
	return width;
}

static void show_row(FILE *file, const struct cell *cells, const size_t *widths, size_t count) {
	for (size_t i = 0; i < count; i++) {
		show_text(file, cells[i].text);
		if (i + 1 < count) {
			fprintf(file, "%*s", (int)(widths[i] - width_of(cells[i].text)) + 2, "");
		}
	}
	fputc('\n', file);
}

void table_show(FILE *file, const json_t *rows, const struct table_column *columns, size_t count) {
	size_t widths[TABLE_COLUMNS_MAX];
	struct cell cells[TABLE_COLUMNS_MAX];
	count = count < TABLE_COLUMNS_MAX ? count : TABLE_COLUMNS_MAX;
	for (size_t i = 0; i < count; i++) {
		text_copy(cells[i].text, sizeof(cells[i].text), columns[i].heading);
		widths[i] = width_of(columns[i].heading);
		for (size_t at = 0; at < json_array_size(rows); at++) {
			struct cell cell = cell_of(json_array_get(rows, at), &columns[i]);
			size_t width = width_of(cell.text);
			widths[i] = width > widths[i] ? width : widths[i];
		}
	}
	show_row(file, cells, widths, count);
	for (size_t at = 0; at < json_array_size(rows); at++) {
		for (size_t i = 0; i < count; i++) {
			cells[i] = cell_of(json_array_get(rows, at), &columns[i]);
		}
		show_row(file, cells, widths, count);
	}
}

/* ---- the lists that there are ---- */

static void say_size(const json_t *row, char *out) {
	text_format(out, TABLE_CELL_MAX, "%lldx%lld", row_number(row, "video_width"),
			row_number(row, "video_height"));
}

static void say_age(const json_t *row, char *out) {
	static const struct {
		long long seconds;
		const char *unit;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
	long long age = row_number(row, "age_s");
	size_t i = 0;
	while (i + 1 < ARRAY_LEN(units) && age < 2 * units[i].seconds) {
		i++;
	}
	text_format(out, TABLE_CELL_MAX, "%lld %s", age / units[i].seconds, units[i].unit);
}

static void say_runner(const json_t *row, char *out) {
	add_value(out, json_object_get(json_object_get(row, "runner"), "type"));
}

static void say_note(const json_t *row, char *out) {
	const char *why = json_string_value(json_object_get(row, "why_not"));
	if (json_is_false(json_object_get(row, "installed"))) {
		add(out, "not installed");
		add(out, why && why[0] ? ": " : "");
		add(out, why ? why : "");
	}
}

static void say_people(const json_t *row, char *out) {
	text_format(out, TABLE_CELL_MAX, "%zu%s",
			json_array_size(json_object_get(row, "connected_sessions")),
			json_is_true(json_object_get(row, "multi_user")) ? "" : " of 1");
}

/* An empty list of what a client is limited to is no limit. */
static void say_limit(const json_t *row, const char *name, char *out) {
	const json_t *list = json_object_get(row, name);
	add_value(out, list);
	add(out, json_array_size(list) == 0 ? "all" : "");
}

static void say_apps(const json_t *row, char *out) {
	say_limit(row, "only_apps", out);
}

static void say_lobbies(const json_t *row, char *out) {
	say_limit(row, "only_lobbies", out);
}

static void say_permissions(const json_t *row, char *out) {
	const json_t *list = json_object_get(row, "permissions");
	uint32_t missing = 0, bit;
	for (unsigned i = 0; client_permission_word(i, &bit); i++) {
		missing |= bit;
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *word = json_string_value(json_array_get(list, i));
		missing &= ~client_permission(word ? word : "");
	}
	if (missing) {
		add_value(out, list);
	} else {
		add(out, "all");
	}
}

/* Commands take the beginning of an id. */
static void say_client(const json_t *row, char *out) {
	const char *id = json_string_value(json_object_get(row, "client_id"));
	text_format(out, TABLE_CELL_MAX, "%.16s", id ? id : "");
}

static const struct table_column apps[] = {
	{ "APP", "title", NULL },
	{ "RUNNER", NULL, say_runner },
	{ "HDR", "support_hdr", NULL },
	{ "ID", "app_id", NULL },
	{ "NOTE", NULL, say_note },
};

static const struct table_column sessions[] = {
	{ "CLIENT", "client_name", NULL },
	{ "APP", "app_title", NULL },
	{ "STATE", "state", NULL },
	{ "SIZE", NULL, say_size },
	{ "HZ", "video_refresh_rate", NULL },
	{ "FROM", "client_ip", NULL },
	{ "SINCE", NULL, say_age },
	{ "ID", "session_id", NULL },
};

static const struct table_column lobbies[] = {
	{ "LOBBY", "name", NULL },
	{ "STATE", "state", NULL },
	{ "PEOPLE", NULL, say_people },
	{ "PIN", "pin_required", NULL },
	{ "SIZE", NULL, say_size },
	{ "HZ", "video_refresh_rate", NULL },
	{ "ID", "id", NULL },
};

static const struct table_column clients[] = {
	{ "CLIENT", "name", NULL },
	{ "ID", NULL, say_client },
	{ "APPS", NULL, say_apps },
	{ "LOBBIES", NULL, say_lobbies },
	{ "MAY", NULL, say_permissions },
};

void table_show_list(FILE *file, const char *name, const json_t *rows) {
	static const struct {
		const char *name;
		const struct table_column *columns;
		size_t count;
	} lists[] = {
		{ "apps", apps, ARRAY_LEN(apps) },
		{ "sessions", sessions, ARRAY_LEN(sessions) },
		{ "lobbies", lobbies, ARRAY_LEN(lobbies) },
		{ "clients", clients, ARRAY_LEN(clients) },
	};
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		if (strcmp(lists[i].name, name) == 0) {
			table_show(file, rows, lists[i].columns, lists[i].count);
			return;
		}
	}
	show_json(file, rows);
}
