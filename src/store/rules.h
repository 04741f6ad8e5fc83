/* SPDX-License-Identifier: MIT */
#ifndef STORE_RULES_H
#define STORE_RULES_H

#include <stddef.h>

#include "base/own.h"

struct ipc_message;

/* Whether what is to be kept makes sense. 0, or -EINVAL and a sentence that says what
 * is wrong and what would be right. */
int rules_settings(const struct ipc_message *set, char *out, size_t size) NODISCARD;
int rules_profile(const struct ipc_message *put, char *out, size_t size) NODISCARD;
int rules_app(const struct ipc_message *put, char *out, size_t size) NODISCARD;

#endif
