#!/bin/sh
# SPDX-License-Identifier: MIT
# Fails when a man page has faults, or does not name a flag or a key that there is, or a
# completion does not.
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
	"$root/src/supervisor/config_schema.c" "$root/src/supervisor/config_clients.c" \
	"$root/src/supervisor/config_profiles.c")
missing perigee.1 $(sed -n 's/^\t{ "\([a-z]*\)", ".*/\1/p' "$root/src/cli/main.c")

# Completions name every command and every flag.
flags=$(sed -n 's/^\t\t{ "\([a-z]*\)", \(&\|NULL, &\).*/--\1/p' "$root/src/cli/main.c")
[ -n "$flags" ] || { echo "no flags are found in src/cli/main.c"; bad=1; }
for page in perigee _perigee; do
	for word in $(sed -n 's/^\t{ "\([a-z]*\)", ".*/\1/p' "$root/src/cli/main.c") $flags; do
		grep -qE -- "(^|[^a-z-])$word([^a-z-]|$)" "$root/packaging/completion/$page" || {
			echo "packaging/completion/$page does not name $word"
			bad=1
		}
	done
done
for page in bash:perigee zsh:_perigee; do
	shell=${page%%:*}
	if command -v "$shell" >/dev/null 2>&1; then
		"$shell" -n "$root/packaging/completion/${page#*:}" || bad=1
	fi
done
exit $bad
