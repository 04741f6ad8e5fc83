#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Puts the table that perigee-exec applies into docs/security.md.

    list_confinement.py SOURCE-ROOT PERIGEE-EXEC --check    fails when the page has another
    list_confinement.py SOURCE-ROOT PERIGEE-EXEC --write    puts it there
"""
import pathlib
import subprocess
import sys

BEGIN = "<!-- tools/list_confinement.py -->"
END = "<!-- end -->"

page = pathlib.Path(sys.argv[1]) / "docs/security.md"
table = subprocess.run([sys.argv[2], "--print-table"], check=True, capture_output=True,
                       text=True).stdout
text = page.read_text()
head, rest = text.split(BEGIN)
wanted = f"{head}{BEGIN}\n{table}{END}{rest.split(END)[1]}"
if sys.argv[3] == "--write":
    page.write_text(wanted)
elif wanted != text:
    sys.exit("docs/security.md is not up to date: run tools/list_confinement.py . "
             "BUILD/src/supervisor/perigee-exec --write")
