/* SPDX-License-Identifier: MIT */
#ifndef GATE_API_SCHEMAS_H
#define GATE_API_SCHEMAS_H

#include "gate/schema.h"

/* What the calls of the API take and give: the tables. Names that Wolf's clients know are
 * Wolf's. */

extern const struct schema schema_nothing;  /* no field at all */
extern const struct schema schema_anything; /* whatever it is */
extern const struct schema schema_success;
extern const struct schema schema_error;

extern const struct schema schema_takes_filter;
extern const struct schema schema_takes_events;
extern const struct schema schema_takes_pin;
extern const struct schema schema_takes_client;
extern const struct schema schema_takes_restart;
extern const struct schema schema_takes_upgrade;

extern const struct schema schema_gives_pending;
extern const struct schema schema_gives_link;
extern const struct schema schema_gives_clients;
extern const struct schema schema_gives_status;
extern const struct schema schema_gives_upgrade;
extern const struct schema schema_gives_reloaded;
extern const struct schema schema_gives_document;

extern const struct schema schema_takes_settings;
extern const struct schema schema_takes_session;
extern const struct schema schema_takes_runner_start;
extern const struct schema schema_takes_image;
extern const struct schema schema_gives_image;
extern const struct schema schema_takes_pull;
extern const struct schema schema_takes_session_add;
extern const struct schema schema_takes_session_start;
extern const struct schema schema_gives_started;
extern const struct schema schema_takes_session_resume;
extern const struct schema schema_gives_session;
extern const struct schema schema_takes_session_input;
extern const struct schema schema_takes_desktop_input;
extern const struct schema schema_takes_lobby_create;
extern const struct schema schema_takes_lobby_join;
extern const struct schema schema_takes_lobby_stop;
extern const struct schema schema_takes_lobby_kick;
extern const struct schema schema_takes_lobby_role;
extern const struct schema schema_takes_launcher;
extern const struct schema schema_takes_switch;
extern const struct schema schema_takes_app;
extern const struct schema schema_takes_id;
extern const struct schema schema_takes_icon;
extern const struct schema schema_takes_profile;
extern const struct schema schema_gives_sessions;
extern const struct schema schema_gives_keyboard;
extern const struct schema schema_gives_released;
extern const struct schema schema_gives_lobbies;
extern const struct schema schema_gives_lobby;
extern const struct schema schema_gives_apps;
extern const struct schema schema_gives_profiles;
extern const struct schema schema_gives_health;
extern const struct schema schema_gives_memory;
extern const struct schema schema_takes_configure;
extern const struct schema schema_gives_message;
extern const struct schema schema_takes_shot;
extern const struct schema schema_gives_desktops;
extern const struct schema schema_takes_own_shot;
extern const struct schema schema_takes_desktop;
extern const struct schema schema_takes_clip;
extern const struct schema schema_takes_own_clip;
extern const struct schema schema_takes_own_input;
extern const struct schema schema_gives_own_desktop;
extern const struct schema schema_gives_viewers;
extern const struct schema schema_gives_counters;
extern const struct schema schema_gives_evidence;
extern const struct schema schema_gives_admission;
extern const struct schema schema_takes_token;
extern const struct schema schema_takes_token_id;
extern const struct schema schema_gives_token;
extern const struct schema schema_gives_tokens;

#endif
