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
extern const struct schema schema_takes_pin;
extern const struct schema schema_takes_client;
extern const struct schema schema_takes_restart;

extern const struct schema schema_gives_pending;
extern const struct schema schema_gives_link;
extern const struct schema schema_gives_clients;
extern const struct schema schema_gives_status;
extern const struct schema schema_gives_document;

#endif
