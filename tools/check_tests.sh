#!/bin/sh
# SPDX-License-Identifier: MIT
# check_tests.sh TESTS: every test_*.c and test_*.py is named by a meson.build of its
# folder; a test that nobody runs says nothing.
found=0
for file in $(find "$1" -name 'test_*.c' -o -name 'test_*.py'); do
	name=$(basename "$file" | sed 's/^test_\(.*\)\.[a-z]*$/\1/')
	if ! grep -q -w -e "$name" -e "test_$name" "$(dirname "$file")/meson.build"; then
		echo "$file: no test in $(dirname "$file")/meson.build"
		found=1
	fi
done
exit $found
