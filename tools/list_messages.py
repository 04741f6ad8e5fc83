#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the catalogue of src/ipc/message.c as the table of docs/ipc.md.

    list_messages.py SOURCE-ROOT            prints the table
    list_messages.py SOURCE-ROOT --check    fails when docs/ipc.md has another
    list_messages.py SOURCE-ROOT --write    puts it there
"""
import pathlib
import re
import sys

BEGIN = "<!-- tools/list_messages.py -->"
END = "<!-- end -->"
GROUPS = {"WORKERS": "every worker", "GATES": "gate, web", "NOBODY": ""}
MARKS = {"0": "", "1": " (newest only)", "2": " (lasts)", "3": " (newest only, lasts)"}


def number_of_kinds(header):
    kinds = re.search(r"enum ipc_kind \{(.*?)\};", header, re.S)[1]
    return {name: int(number) for name, number in re.findall(r"IPC_(\w+) = (\d+),", kinds)}


def peers(masks):
    words = []
    for mask in masks.split("|"):
        mask = mask.strip()
        match = re.fullmatch(r"P\((\w+)\)", mask)
        words.append(match[1].lower() if match else GROUPS[mask])
    return ", ".join(words)


def fields_of(source):
    """Name of a field list -> the members it carries, in order."""
    out = {}
    for name, body in re.findall(r"^FIELDS\((\w+), (.*?)\);", source, re.M | re.S):
        body = re.sub(r"[\w.]+\.(\w+)_len\b", "", body)
        out[name] = re.findall(r"[A-Z]+\(\w+\.(?:how\.)?(\w+)", body)
    return out


def table(root):
    source = (root / "src/ipc/message.c").read_text()
    numbers = number_of_kinds((root / "src/ipc/message.h").read_text())
    fields = fields_of(source)
    row = re.compile(r'^\t\[IPC_(\w+)\]\s*= \{ "([\w-]+)",\s*(.+?),\s+(.+?),\s*(\d), (\d), (\w+) \}',
                     re.M)
    lines = ["| number | message | from | to | fds | fields |", "|---|---|---|---|---|---|"]
    for kind, name, sender, receiver, fds, mark, list_name in row.findall(source):
        lines.append(f"| {numbers[kind]} | {name}{MARKS[mark]} | {peers(sender)} | {peers(receiver)} | "
                     f"{fds if fds != '0' else ''} | {', '.join(fields.get(list_name, []))} |")
    if len(lines) - 2 != len(numbers):
        sys.exit(f"list_messages.py: {len(numbers)} kinds, but {len(lines) - 2} rows understood")
    return "\n".join(lines)


def main():
    root = pathlib.Path(sys.argv[1])
    page = root / "docs/ipc.md"
    if len(sys.argv) == 2:
        print(table(root))
        return
    text = page.read_text()
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    wanted = f"{head}{BEGIN}\n{table(root)}\n{END}{tail}"
    if sys.argv[2] == "--write":
        page.write_text(wanted)
    elif wanted != text:
        sys.exit("docs/ipc.md is not up to date: run tools/list_messages.py . --write")


main()
