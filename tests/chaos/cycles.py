#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Comings and goings, and nothing that grows.

    tests/chaos/cycles.py BUILD-FOLDER [--cycles N]        connect, see pictures, leave
    tests/chaos/cycles.py BUILD-FOLDER --maps              also which mappings have grown

Every few cycles fds, threads and sockets of all that last are counted and weighed, and what is in
use in their heaps; the line through them must not rise.
"""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

import census  # noqa: E402
import slope  # noqa: E402
import script  # noqa: E402
from host import Host, wait_for  # noqa: E402

SMALL = ["--size", "320x240", "--fps", "30", "--kbps", "1000", "--no-decode", "--seconds", "10"]
SAMPLES = 40
RING_CYCLES = 1600  # the web door's ring of events is full after a quarter of them
# What may come and go without being a leak: one allocator arena, one late close.
LEAST = {"fds": 0.9, "threads": 0.9, "sockets": 0.9, "pss_kb": 400, "heap": 8192}


class Meter:
    """heaps: also what is in use in those, which says something where nobody is replaced."""

    def __init__(self, host, heaps=()):
        self.host = host
        self.heaps = heaps
        self.rows = {}
        self.maps = []

    def sample(self):
        counted = census.count(self.host)
        counted["pss_kb"] = census.weights(self.host)
        counted["heap"] = census.heaps(self.host, self.heaps)
        for key in LEAST:
            for name, value in counted[key].items():
                self.rows.setdefault((key, name), []).append(value)
        self.maps.append({census.name_of(pid): census.mappings(pid)
                          for pid in census.tree(self.host.process.pid)
                          if census.lasts(census.name_of(pid))})

    def show_maps(self):
        """Of the samples that count: the first, one in the middle and the last."""
        counted = slope.warm(self.maps)
        for name in sorted(counted[0]):
            at = [counted[place].get(name, {}) for place in (0, len(counted) // 2, -1)]
            for mapping in sorted({*at[0], *at[-1]}):
                kb = [each.get(mapping, 0) for each in at]
                if kb[0] != kb[-1]:
                    print(f"  {name} {mapping}: {kb[0]} .. {kb[1]} .. {kb[2]} kB")

    def verdict(self):
        faults = []
        for (key, name), values in sorted(self.rows.items()):
            words = slope.words(f"{key} {name}", values)
            bad = slope.grows(values, LEAST[key])
            print(f"  {'GROWS ' if bad else ''}{words}")
            faults += [words] if bad else []
        return faults


def launch(host, keys):
    return host.probe("stream", "--app", "Pattern", *SMALL, "--frames", "3", keys=keys,
                      check=False)


def resume(host, keys):
    return host.probe("resume", *SMALL, "--frames", "3", keys=keys, check=False)


def settle(host):
    wait_for("nobody streams", 20, lambda: all(
        row["state"] == "paused" for row in host.status("session")))


def connect_and_leave(build, cycles, maps):
    """One session that lives on, one client that comes and goes."""
    with Host(build) as host:
        host.paired()
        launch(host, "viewer")
        for _ in range(10):
            resume(host, "viewer")
        heaps = census.LASTING if cycles >= RING_CYCLES else [
            name for name in census.LASTING if name != "perigee-gate"] + ["perigee-gate-moonlight"]
        meter, missed = Meter(host, heaps), 0
        for cycle in range(cycles):
            report = resume(host, "viewer")
            missed += report.get("video", {}).get("frames", 0) < 3
            if cycle % max(1, cycles // SAMPLES) == 0:
                settle(host)
                meter.sample()
        print(f"{cycles} cycles, {missed} without pictures")
        faults = meter.verdict()
        if maps:
            meter.show_maps()
        host.probe("quit")
    return faults + ([f"{missed} of {cycles} cycles saw no picture"] if missed > cycles // 50
                     else [])


def main():
    options = script.options(__doc__, cycles=200, maps=False)
    script.end(lambda: connect_and_leave(options.build, options.cycles, options.maps))


if __name__ == "__main__":
    main()
