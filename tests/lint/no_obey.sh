#!/bin/sh
# SPDX-License-Identifier: MIT
# no_obey.sh PROGRAM...: no program for use carries out a test's orders.
found=0
for program; do
	if grep -a -q -e '/api/v1/debug' -e 'event=obey' "$program"; then
		echo "$program: obeys"
		found=1
	fi
	if nm -C "$program" 2>/dev/null | grep -i ' t .*obey'; then
		echo "$program: has code that obeys"
		found=1
	fi
done
exit $found
