/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_CONFIG_CLIENTS_H
#define SUPERVISOR_CONFIG_CLIENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "ipc/message.h"

struct config;
struct config_text;
struct cyaml_schema_value;

/* `clients` of perigee.yaml: what a client of that name may and how it likes it, whatever was
 * said elsewhere. Only what is named there counts; the rest stays as the state has it. */

typedef __typeof__(((struct ipc_message *)NULL)->client_settings) client_settings;

enum {
	CONFIG_CLIENTS_MAX = 128,
};

struct config_client {
	char **only_apps; /* owned array of owned strings: titles or numbers */
	unsigned only_apps_count;
	client_settings settings; /* name; and of what `fields` says */
};

/* As libcyaml fills it. */
struct file_client {
	char *name;
	char **permissions, **only_apps, **only_lobbies, **controllers;
	unsigned permissions_count, only_apps_count, only_lobbies_count, controllers_count;
	uint32_t *run_uid, *run_gid;
	double *mouse, *scroll, *scroll_side;
	char *motion, *folder;
};
extern const struct cyaml_schema_value config_clients_value;

/* The file's rows into config->clients; takes what it needs of them. */
int config_clients_move(struct file_client *rows, unsigned count, struct config *config,
		struct config_text *error) NODISCARD;

/* Names twice, apps that there are not; finds the apps' numbers. */
int config_clients_check(struct config *config, struct config_text *error) NODISCARD;

/* Lays what the file says of this client over its settings. Which of SETTING_ it changed. */
uint32_t config_clients_lay_over(const struct config *config, client_settings *settings);

/* Whether both say the same. */
bool config_clients_same(const struct config *one, const struct config *other);

void config_clients_free(struct config_client *clients, unsigned count);

#endif
