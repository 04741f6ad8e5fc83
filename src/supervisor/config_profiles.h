/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_CONFIG_PROFILES_H
#define SUPERVISOR_CONFIG_PROFILES_H

#include <stdbool.h>

#include "base/own.h"

struct config;
struct config_text;
struct cyaml_schema_value;

/* `profiles` of perigee.yaml: people at the launcher. The store keeps them, with the PIN hashed;
 * what the file says of one replaces what was kept of it. */

enum {
	CONFIG_PROFILES_MAX = 64,
};

struct config_profile {
	char id[48], name[64], icon[256];
	char pin[16]; /* secret; "" for none */
};

/* As libcyaml fills it. */
struct file_profile {
	char *id, *name, *icon, *pin;
};
extern const struct cyaml_schema_value config_profiles_value;

/* The file's rows into config->profiles. */
int config_profiles_move(const struct file_profile *rows, unsigned count, struct config *config,
		struct config_text *error) NODISCARD;

/* Whether both say the same. */
bool config_profiles_same(const struct config *one, const struct config *other);

/* Wipes the PINs. */
void config_profiles_free(struct config_profile *profiles, unsigned count);

#endif
