#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes src/ipc/call_names.c from the compiler's headers.

    list_calls.py OUTPUT COMPILER...
"""
import re
import subprocess
import sys

macros = subprocess.run([*sys.argv[2:], "-E", "-dM", "-include", "sys/syscall.h", "-x", "c",
                         "/dev/null"], check=True, capture_output=True, text=True).stdout
calls = {int(number): name
         for name, number in re.findall(r"^#define __NR_(\w+) (\d+)$", macros, re.M)}
with open(sys.argv[1], "w") as out:
    out.write('#include "ipc/call_names.h"\n\nconst char *const call_names[] = {\n')
    for number, name in sorted(calls.items()):
        out.write(f'\t[{number}] = "{name}",\n')
    out.write("};\n\nconst size_t call_names_count = sizeof(call_names) / sizeof(call_names[0]);\n")
