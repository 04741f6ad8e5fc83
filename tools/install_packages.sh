#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs what is missing of the named kinds of packages (build, run, test, ...) where
# there is a list of the distribution's names; elsewhere it names them and fails.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
known=debian-12

ID=unknown
VERSION_ID=
PRETTY_NAME="an unknown system"
[ ! -r /etc/os-release ] || . /etc/os-release
list="$here/packages/$ID-$VERSION_ID"

wanted() { # wanted LIST KIND...
	names=$1
	shift
	for kind; do
		sed -n "s/^$kind //p" "$names"
	done | tr '\n' ' '
}

if [ ! -r "$list" ]; then
	[ "${PERIGEE_PACKAGES:-}" != installed ] || exit 0
	echo "perigee: this is $PRETTY_NAME; what to install is only known for $known." >&2
	echo "Please install what these packages of $known have:" >&2
	wanted "$here/packages/$known" "$@" | fold -s -w 90 >&2
	echo >&2
	echo "and then run this again with PERIGEE_PACKAGES=installed in the environment." >&2
	exit 1
fi

packages=$(wanted "$list" "$@")
newline='
'
installed=$newline$(dpkg-query -W -f '${Package} ${Status}\n' $packages 2>/dev/null || true)$newline
missing=
for package in $packages; do
	case $installed in
	*"$newline$package install ok installed$newline"*) ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null 2>&1; then
		echo "perigee: packages are missing, and there is no sudo to install them with." >&2
		echo "Please run as root, and then ./start again:" >&2
		echo "  apt-get install --no-install-recommends$missing" | fold -s -w 90 >&2
		exit 1
	fi
	as_root=sudo
fi
echo "perigee: installing these packages (a minute or two):"
echo "$missing" | fold -s -w 90
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { $as_root apt-get update -q && $as_root env DEBIAN_FRONTEND=noninteractive \
	apt-get install -y -q --no-install-recommends $missing; } >"$log" 2>&1; then
	tail -n 15 "$log" >&2
	echo "perigee: the packages could not be installed; apt's last words are above." >&2
	exit 1
fi
