/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

/* cmocka wants these five before it, in this order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define UNIT(test) cmocka_unit_test(test)

/* Leaves the test out, and says in words what it would need: nobody reads its source to find
 * out why a machine does not run it. */
#define SKIP(needed) \
	do { \
		print_message("# left out: it needs %s\n", needed); \
		skip(); \
	} while (0)

#endif
