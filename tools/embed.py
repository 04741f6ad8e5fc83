#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the files given as constant data of C: embed.py OUT FILE..."""
import pathlib
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

out = ['/* SPDX-License-Identifier: MIT */', '#include "gate/assets.h"', ""]
rows = []
for number, name in enumerate(sys.argv[2:]):
    path = pathlib.Path(name)
    data = path.read_bytes()
    out.append(f"static const uint8_t asset_{number}[] = {{")
    for at in range(0, len(data), 16):
        out.append("\t" + ", ".join(str(b) for b in data[at : at + 16]) + ",")
    out.append("};")
    rows.append(f'\t{{ "{path.name}", "{TYPES[path.suffix]}", asset_{number}, '
                f"sizeof(asset_{number}) }},")
out += ["", "const struct asset assets[] = {", *rows, "};",
        f"const size_t assets_count = {len(rows)};", ""]
pathlib.Path(sys.argv[1]).write_text("\n".join(out))
