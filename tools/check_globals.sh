#!/bin/sh
# SPDX-License-Identifier: MIT
# Fails when a library given on the command line has writable data: rooms keep
# their state in structs. Tables of pointers are .data.rel.ro, which is fine.
for lib; do
	size -A "$lib" | awk -v lib="$lib" '
		$1 == ".data" || $1 == ".bss" { bytes += $2 }
		END { if (bytes) { print lib ": " bytes " writable bytes"; exit 1 } }' || bad=1
done
exit ${bad:-0}
