#!/bin/sh
# SPDX-License-Identifier: MIT
# Fails when a man page has faults, or does not name a flag or a key that there is.
#   check_man.sh SOURCE-ROOT PAGE...
set -eu
root=$1
shift
bad=0
if command -v mandoc >/dev/null 2>&1; then
	mandoc -T lint -W warning "$@" || bad=1
fi

missing() { # missing PAGE WORDS...
	page=$root/packaging/man/$1
	shift
	for word; do
		grep -qE "(^|[ ,-])$word( |$)" "$page" || {
			echo "$page does not name $word"
			bad=1
		}
	done
}

missing perigeed.8 $(sed -n 's/^\t{ "\([a-z-]*\)", [a-z_]*argument, .*/\1/p' \
	"$root/src/supervisor/config.c")
missing perigee.yaml.5 $(sed -n -e 's/^\t[A-Z_]*("\([a-z_]*\)",.*/\1/p' \
	"$root/src/supervisor/config_schema.c")
missing perigee.1 $(sed -n 's/^\t{ "\([a-z]*\)", ".*/\1/p' "$root/src/cli/main.c")
for word in $(sed -n 's/^\t{ "\([a-z]*\)", ".*/\1/p' "$root/src/cli/main.c"); do
	grep -qw -- "$word" "$root/packaging/completion/perigee" || {
		echo "packaging/completion/perigee does not name $word"
		bad=1
	}
done
exit $bad
