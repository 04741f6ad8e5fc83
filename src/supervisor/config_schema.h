/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_CONFIG_SCHEMA_H
#define SUPERVISOR_CONFIG_SCHEMA_H

struct config;

/* Frees everything that a config owns; all libcyaml is in config_schema.c. */
void config_schema_free(struct config *config);

#endif
