/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_CONFIG_KEYS_H
#define SUPERVISOR_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/own.h"

struct config;
struct config_text;

/* Every key of perigee.yaml but the lists, by name: for the environment, flags, `config
 * show`, and what a reload changes. One table. */

enum config_from {
	CONFIG_FROM_DEFAULT,
	CONFIG_FROM_FILE,
	CONFIG_FROM_ENVIRONMENT,
	CONFIG_FROM_FLAG,
};

enum {
	CONFIG_KEYS_MAX = 64,
	CONFIG_VALUE_MAX = 256,
};

size_t config_keys_count(void);
const char *config_key_name(size_t key); /* "ports.http" */
/* Whether a reload changes it while Perigee runs; else the next start. */
bool config_key_is_live(size_t key);

/* By name; -ENOENT. */
int config_key_find(const char *name, size_t *out) NODISCARD;

/* The value as a person would write it; "" for a text that was not given. */
void config_key_get(const struct config *config, size_t key, char out[CONFIG_VALUE_MAX]);

/* The same for people: a secret is not told, only whether there is one. */
void config_key_show(const struct config *config, size_t key, char out[CONFIG_VALUE_MAX]);

/* From text. -EINVAL with what would be right. */
int config_key_set(struct config *config, size_t key, const char *text,
		struct config_text *error) NODISCARD;

/* "PERIGEE_PORTS_HTTP" */
void config_key_variable(size_t key, char out[CONFIG_VALUE_MAX]);

/* Takes every key that the environment has. */
int config_keys_environment(struct config *config, struct config_text *error) NODISCARD;

/* Notes where values come from: which of them a stage has changed. */
struct config_trace {
	char values[CONFIG_KEYS_MAX][CONFIG_VALUE_MAX];
};
void config_trace_begin(struct config_trace *trace, const struct config *config);
void config_trace_end(
		const struct config_trace *trace, struct config *config, enum config_from from);

const char *config_from_name(enum config_from from);

#endif
