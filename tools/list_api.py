#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the API's table with what is written down of it: docs/openapi.json and the
table in docs/api.md.

    list_api.py SOURCE-ROOT PRINT-OPENAPI --check    fails when they differ
    list_api.py SOURCE-ROOT PRINT-OPENAPI --write    writes them
"""
import json
import pathlib
import subprocess
import sys

BEGIN = "<!-- tools/list_api.py -->"
END = "<!-- end -->"


def fields(document, content):
    """What an object has, as words: needed ones first as they are, others in brackets."""
    name = content["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
    schema = document["components"]["schemas"][name]
    needed = schema.get("required", [])
    words = [f"`{field}`" if field in needed else f"[`{field}`]"
             for field in schema["properties"] if field != "success"]
    return ", ".join(words)


def table(document):
    lines = ["| call | scope | takes | gives | |", "|---|---|---|---|---|"]
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            takes = ", ".join(f"`?{one['name']}=`" for one in call.get("parameters", []))
            if "requestBody" in call:
                takes = fields(document, call["requestBody"]["content"])
            content = call["responses"]["200"]["content"]
            gives = (fields(document, content) if "application/json" in content
                     else " ".join(content))
            scope = call.get("x-perigee-scope", "")
            if call["x-perigee-doors"] == ["unix"]:
                scope += " (Unix socket)"
            if call["x-perigee-doors"] == ["desktop"]:
                scope = "(desktop's socket)"
            lines.append(f"| `{method.upper()} {path}` | {scope} | {takes} | {gives} | "
                         f"{call['summary']} |")
    return "\n".join(lines)


def main():
    root, program, mode = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    text = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    page = root / "docs/api.md"
    head, rest = page.read_text().split(BEGIN)
    tail = rest.split(END)[1]
    wanted = {root / "docs/openapi.json": text,
              page: f"{head}{BEGIN}\n{table(json.loads(text))}\n{END}{tail}"}
    for path, content in wanted.items():
        if mode == "--write":
            path.write_text(content)
        elif not path.exists() or path.read_text() != content:
            sys.exit(f"{path.name} is not what the table of src/gate/api_table.c says: "
                     f"tools/list_api.py . BUILD/tests/lint/print-openapi --write")


main()
