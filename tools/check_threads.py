#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every thread and every lock of ours, by name: there are none, and docs/reliability.md says so.

A lock that a dying thread leaves behind, two that are taken crosswise, one that a library
holds across a fork: what does not exist cannot fail. A new one needs a line in that page, and
here.
"""
import pathlib
import re
import sys

WORDS = re.compile(
    r"\b(pthread_\w+|thrd_\w+|mtx_\w+|cnd_\w+|sem_(?:init|open|wait|post|timedwait)|"
    r"SYS_futex|futex|flock\(|lockf\(|F_SETLKW?|std::mutex|CLONE_THREAD)")
# Where, what, why.
KNOWN = {
    ("desktop/main.c", "pthread_atfork"): "gives a forked Xwayland its signals back; no thread",
    ("supervisor/claim.c", "flock("): "claims the state folder at the start; never waited for",
    ("supervisor/hold_start.c", "flock("): "gives that claim up for a version that makes its own",
    ("supervisor/cgroup.c", "flock("): "says that who made the folder lives; never waited for",
    ("supervisor/confine_table.c", "futex"): "the name of a call that a filter lets through",
    ("supervisor/confine_table.c", "CLONE_THREAD"): "the same",
}
# Faults that a test injects, in a build that nobody runs.
APART = {"ipc/obey_faults.c", "ipc/obey.c"}


def main():
    root = pathlib.Path(sys.argv[1])
    page = (root / "docs/reliability.md").read_text()
    bad = []
    for path in sorted((root / "src").rglob("*.[ch]")):
        name = str(path.relative_to(root / "src"))
        if name in APART:
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for word in WORDS.findall(line):
                if (name, word) not in KNOWN:
                    bad.append(f"src/{name}:{number}: {word} is new: give it a line in "
                               "docs/reliability.md and in tools/check_threads.py")
                elif word not in page:
                    bad.append(f"docs/reliability.md does not name {word} of src/{name}")
    print("\n".join(bad) or "no thread and no lock but those known")
    sys.exit(1 if bad else 0)


main()
