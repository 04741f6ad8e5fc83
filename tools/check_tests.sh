#!/bin/sh
# SPDX-License-Identifier: MIT
# check_tests.sh TESTS: every test_*.c and test_*.py is named by a meson.build of its
# folder; a test that nobody runs says nothing. Nor does one that leaves itself out without
# a word: SKIP() of tests/unit/unit.h, not cmocka's skip(), says what is missing.
found=0
for file in $(find "$1" -name 'test_*.c' -o -name 'test_*.py'); do
	name=$(basename "$file" | sed 's/^test_\(.*\)\.[a-z]*$/\1/')
	if ! grep -q -w -e "$name" -e "test_$name" "$(dirname "$file")/meson.build"; then
		echo "$file: no test in $(dirname "$file")/meson.build"
		found=1
	fi
done
if grep -rnw 'skip();' "$1" --include='*.c'; then
	echo "SKIP(\"what it needs\"), not skip()"
	found=1
fi
exit $found
