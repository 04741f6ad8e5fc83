#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs what is missing of the named kinds of packages (build, run, test) on
# Debian 12; on another distribution it names them and fails.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
list="$here/packages/debian-12"

wanted() {
	for kind; do
		sed -n "s/^$kind //p" "$list"
	done | tr '\n' ' '
}

packages=$(wanted "$@")
. /etc/os-release
if [ "${ID:-}" != debian ] || [ "${VERSION_ID:-}" != 12 ]; then
	if command -v dpkg-query >/dev/null 2>&1; then
		hint="your distribution's names may differ a little"
	else
		hint="these are Debian's names"
	fi
	echo "perigee: this is ${PRETTY_NAME:-an unknown system}, not Debian 12. Please install ($hint):" >&2
	echo "$packages" | fold -s -w 90 >&2
	[ "${PERIGEE_PACKAGES:-}" = installed ] && exit 0
	echo "and then run again with PERIGEE_PACKAGES=installed in the environment." >&2
	exit 1
fi

missing=
for package in $packages; do
	status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
	[ "$status" = "install ok installed" ] || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null 2>&1; then
		echo "perigee: these packages are missing, and there is no sudo to install them with:" >&2
		echo "$missing" >&2
		exit 1
	fi
	as_root="sudo"
fi
echo "perigee: installing:$missing"
$as_root apt-get update -qq
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
