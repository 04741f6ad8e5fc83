/* SPDX-License-Identifier: MIT */
#ifndef HOST_SERVICE_NAME_H
#define HOST_SERVICE_NAME_H

enum {
	SERVICE_NAME_MAX = 64, /* with the NUL: a DNS label */
};

/* The instance name that clients show: letters, digits and '-' only, as other
 * hosts have it; "Perigee" when nothing of text is left. */
void service_name_make(const char *text, char *out);

/* The next name to try when somebody else has this one: x, x-2, x-3... out may be
 * name itself. */
void service_name_next(const char *name, char *out);

#endif
