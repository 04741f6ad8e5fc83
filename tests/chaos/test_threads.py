#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Threads that libraries start in each kind of process, against the list in
docs/reliability.md: while it streams pictures and sound of a Wayland client."""
import collections
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

import census  # noqa: E402
from host import Host, expect, run, wait_for  # noqa: E402

# One is the main thread, on which everything of ours runs.
OURS = ("perigee-hold", "perigeed", "perigee-log", "perigee-gate", "perigee-store",
        "perigee-facts", "perigee-desktop", "perigee-encoder", "perigee-stream", "perigee-runner",
        "perigee-pattern")
# libpulse's, which plays Pattern's tone; an app of ours, not a worker.
LIBRARIES = {"perigee-pattern": ["threaded-ml"]}


def threads_of(pid):
    return sorted(census.read(path / "comm").decode().strip()
                  for path in pathlib.Path(f"/proc/{pid}/task").iterdir())


def each_process_of_ours_has_one_thread(build):
    with Host(build) as host:
        host.paired()
        viewer = host.probe("stream", "--app", "Pattern", "--seconds", "3", "--no-decode",
                            background=True)
        wait_for("streaming", 10, lambda: host.status("session", state="streaming"))
        wait_for("sound", 5, lambda: host.status("session")[0]["packets"] > 50)
        found = collections.defaultdict(set)
        for pid in census.tree(host.process.pid):
            found[census.name_of(pid)].add(tuple(threads_of(pid)))
        for name in sorted(found):
            print(f"  {name}: " + "; ".join(" ".join(one) for one in sorted(found[name])))
        for name, ways in found.items():
            if name.startswith(OURS):
                known = LIBRARIES.get(name, [])
                expect(f"{name} has its main thread and {known or 'no other'}: {ways}", all(
                    sorted(one) == sorted([name[:15], *known]) or len(one) == 1 for one in ways))
        host.report(viewer)


if __name__ == "__main__":
    run([each_process_of_ours_has_one_thread])
