#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What failed in a build folder's last `meson test`.

failed_tests.py BUILD            each with the lines in which it says why
failed_tests.py BUILD --again    the names of those worth a second, lonely try: tests of whole
                                 hosts, and only when few failed
"""
import json
import pathlib
import sys

BROKEN = ("FAIL", "TIMEOUT", "ERROR")
HOSTS = ("perigee:system", "perigee:browser", "perigee:chaos")
FEW = 3
SIGNS = ("FAILED", "FAULT ", "ERROR: ", "Error: ", "runtime error: ", "not within", "Test failed")
LINES, COLUMNS = 12, 300


def failed(build):
    log = pathlib.Path(build) / "meson-logs" / "testlog.json"
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    return [row for row in rows if row["result"] in BROKEN]


def why(row):
    lines = (row.get("stdout", "") + row.get("stderr", "")).splitlines()
    told = [line[:COLUMNS] for line in lines if any(sign in line for sign in SIGNS)]
    return told[-LINES:] or [line[:COLUMNS] for line in lines[-3:]]


def main(build, *words):
    rows = failed(build)
    if "--again" in words:
        if len(rows) <= FEW and all(row["name"].startswith(HOSTS) for row in rows):
            print(" ".join(row["name"].split(" / ")[1] for row in rows))
        return
    for row in rows:
        print(f"{row['name']}: {row['result']} after {row['duration']:.0f} s")
        for line in why(row):
            print(f"    {line}")


if __name__ == "__main__":
    main(*sys.argv[1:])
