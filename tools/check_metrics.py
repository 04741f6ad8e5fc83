#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Names of metrics that the dashboard, the alerts and the documentation use must be there.

    check_metrics.py SOURCE-ROOT            fails, naming each that is not
    check_metrics.py SOURCE-ROOT --list     prints those there are
"""
import json
import pathlib
import re
import sys

NAME = re.compile(r"\bperigee_[a-z0-9_]+")
SOURCES = ("supervisor", "gate")


def families(root):
    """Names in string literals of the rooms that write metrics, with their type."""
    found = {}
    for room in SOURCES:
        for path in sorted((root / "src" / room).glob("*.c")):
            text = path.read_text()
            for name in re.findall(r'"(?:[^"\\]*\bTYPE )?(perigee_[a-z0-9_]+)', text):
                found[name] = "histogram" if re.search(
                    rf'"{name}"[^;]{{0,40}}EXPOSITION_HISTOGRAM', text) or \
                    re.search(rf'"{name}".*_bounds', text) else "other"
    return found


def expressions(root):
    """(where, expression) of the dashboard and the alerts."""
    dashboard = json.loads((root / "packaging/grafana/perigee.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield f"dashboard, {panel['title']}", target["expr"]
    for variable in dashboard["templating"]["list"]:
        yield f"dashboard, ${variable['name']}", str(variable.get("query", ""))
    alerts = (root / "packaging/prometheus/alerts.yml").read_text()
    for number, line in enumerate(alerts.splitlines(), 1):
        yield f"alerts.yml:{number}", line
    for number, line in enumerate((root / "docs/operating.md").read_text().splitlines(), 1):
        yield f"docs/operating.md:{number}", line


def exists(name, known):
    if name in known:
        return True
    for suffix in ("_bucket", "_sum", "_count"):
        if name.endswith(suffix) and known.get(name[:-len(suffix)]) == "histogram":
            return True
    return False


def main():
    root = pathlib.Path(sys.argv[1])
    known = families(root)
    if "--list" in sys.argv:
        print("\n".join(sorted(known)))
        return 0
    bad, used = 0, set()
    for where, text in expressions(root):
        for name in NAME.findall(text):
            used.add(name)
            if not exists(name, known):
                print(f"{where}: there is no metric {name}")
                bad = 1
    if len(used) < 20:
        print(f"only {len(used)} metrics are used: is the pattern still right?")
        bad = 1
    return bad


if __name__ == "__main__":
    sys.exit(main())
