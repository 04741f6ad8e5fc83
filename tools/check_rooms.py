#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fails when a room includes a header of a room it may not know."""
import pathlib
import re
import sys

MAY_KNOW = {
    "base": set(),
    "proto": {"base"},
    "ipc": {"base"},
    "media": {"base", "ipc"},
    "supervisor": {"base", "ipc"},
    "autopsy": {"base", "ipc"},
    "gate": {"base", "proto", "ipc"},
    "store": {"base", "ipc"},
    "host": {"base", "ipc"},
    "desktop": {"base", "ipc", "media"},
    "runner": {"base", "proto", "ipc"},
    "encoder": {"base", "ipc", "media"},
    "stream": {"base", "proto", "ipc"},
    "apps": {"base", "ipc"},
    "cli": {"base", "proto", "ipc", "apps"},
}
# One unit of another room: who moves something for a client, and who does for a program, say the
# same.
ALSO = {("gate", "stream/input.h")}
INCLUDE = re.compile(r'^\s*#\s*include\s*"(([^"/]+)/[^"]+)"')

root = pathlib.Path(sys.argv[1])
bad = 0
for path in sorted(root.glob("*/**/*.[ch]")):
    room = path.relative_to(root).parts[0]
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if (match and match[2] != room and match[2] not in MAY_KNOW[room] and
                (room, match[1]) not in ALSO):
            print(f"{path}:{number}: {room} may not know {match[2]}")
            bad += 1
        if "<wlr/" in line and room != "desktop":
            print(f"{path}:{number}: only the desktop may include wlroots")
            bad += 1
sys.exit(bad > 0)
