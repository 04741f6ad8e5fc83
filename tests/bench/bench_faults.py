#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a viewer sees when a process dies, and what everybody else sees of it.

    tests/bench/bench_faults.py BUILD-FOLDER [--repeats N] [--only KIND ...] [--size WxH]

One host, two viewers of Pattern. For each kind of process and each signal, `repeats` times:
A streams, and viewer B watches through a quiet while and then through one in which A's process
(or the machine's) is struck. Printed are the longest gap of A's pictures and sound, whether A was still
connected, whether a key typed afterwards showed, and B's missing pictures, decode errors and
p99 of the picture's age in both whiles: the medians, and the median of what the second has more
than the quiet one just before it. Nothing passes or fails; the load is printed too.
"""
import argparse
import json
import os
import pathlib
import signal
import statistics
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))
sys.path.insert(0, str(HERE.parent / "chaos"))
sys.dont_write_bytecode = True

import census  # noqa: E402
from host import Failed, Host, wait_for  # noqa: E402

SIGNALS = {"SIGKILL": signal.SIGKILL, "SIGSEGV": signal.SIGSEGV, "SIGSTOP": signal.SIGSTOP}
KINDS = ("encoder", "stream", "gate", "runner", "desktop", "sound", "store", "supervisor")
MACHINE = ("gate", "store")
BESIDE_S = 5                    # each of B's two whiles
STRUCK_S = 2 * BESIDE_S + 3     # A streams through both
AFTER_MS = 1000 * (STRUCK_S - 3)


class Bench:
    def __init__(self, host, size):
        self.host = host
        self.form = ["--size", size, "--fps", "60"]
        self.script = host.folder / "keys"
        self.script.write_text(f"{AFTER_MS} inputcheck 2\n")

    def ensure(self, keys):
        """Its session runs, nobody watches. The one whose desktop died may just be ending."""
        def paused():
            rows = [row for row in self.host.status("session") if row["client"] == keys]
            if not rows:
                self.host.probe("stream", "--app", "Pattern", *self.form, "--frames", "5",
                                "--no-decode", keys=keys)
            return [row for row in rows if row["state"] == "paused"]
        wait_for(f"{keys} is not watched", 15, paused)

    def session(self, keys):
        return [row for row in self.host.status("session") if row["client"] == keys][0]

    def begin(self, keys, seconds, *extra):
        process = self.host.probe("resume", *self.form, "--seconds", str(seconds), *extra,
                                  keys=keys, background=True)
        wait_for(f"{keys} streams", 15, lambda: self.session(keys)["state"] == "streaming")
        return process

    def pid(self, kind):
        if kind == "supervisor":
            return next(pid for pid in census.tree(self.host.process.pid)
                        if census.name_of(pid) == "perigeed")
        if kind in MACHINE:
            return self.host.pid(kind)
        name = {"encoder": {"name": "pictures"}}.get(kind, {})
        return self.host.pid(kind, session=self.session("a")["id"], **name)

    def turn(self, kind, number):
        for keys in ("a", "b"):
            self.ensure(keys)
        a = self.begin("a", STRUCK_S, "--script", str(self.script))
        quiet = self.host.report(self.begin("b", BESIDE_S))
        b = self.begin("b", BESIDE_S)
        wait_for("some pictures", 5, lambda: self.session("b")["pictures"] > 30)
        os.kill(self.pid(kind), number)
        struck = self.host.report(b, check=False)
        seen = self.host.report(a, check=False)
        wait_for("the doors", 30, self.answers)
        return quiet, struck, seen

    def answers(self):
        """Without a supervisor the door answers, and has no status to tell."""
        try:
            return {"gate", "web", "store"} <= {row["kind"] for row in
                                                self.host.status("process")}
        except (OSError, ValueError, KeyError, IndexError):
            return False


def middle(values):
    return statistics.median(values) if values else float("nan")


def row_of(kind, name, turns):
    gaps, sounds, shown, kept, ends = [], [], 0, 0, []
    missing = errors = 0
    quiet_p99, struck_p99, more = [], [], []
    for quiet, struck, seen in turns:
        if "video" in seen:
            gaps.append(max(seen["video"]["gap_ms"]["max"], seen["video"]["silent_at_end_ms"]))
            sounds.append(max(seen["audio"]["gap_ms"]["max"], seen["audio"]["silent_at_end_ms"]))
        shown += seen.get("input", {}).get("seen", 0) >= 1
        kept += seen.get("end") == "time"
        ends.append(seen.get("end", "no stream"))
        if "video" in struck:
            missing += struck["video"]["missing_numbers"]
            errors += struck["video"]["decode_errors"]
            struck_p99.append(struck["video"]["host_ms"]["p99"])
            more.append(struck_p99[-1] - quiet["video"]["host_ms"]["p99"])
        quiet_p99.append(quiet["video"]["host_ms"]["p99"])
    return {"process": kind, "signal": name, "turns": len(turns), "gap_ms": round(middle(gaps)),
            "gap_max_ms": round(max(gaps, default=0)), "sound_gap_ms": round(middle(sounds)),
            "connected": kept, "key_shown": shown, "ends": sorted(set(ends)),
            "others_missing": missing, "others_errors": errors,
            "others_p99_quiet_ms": round(middle(quiet_p99), 1),
            "others_p99_ms": round(middle(struck_p99), 1),
            "others_p99_more_ms": round(middle(more), 1)}


def show(rows):
    print("| process | signal | gap of pictures, median (longest) | of sound | stayed connected | "
          "key afterwards shows | others: missing, errors | others: p99 age, quiet -> struck (paired: more) |")
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        print(f"| {row['process']} | {row['signal']} | {row['gap_ms']} ({row['gap_max_ms']}) ms | "
              f"{row['sound_gap_ms']} ms | {row['connected']} of {row['turns']} | "
              f"{row['key_shown']} of {row['turns']} | {row['others_missing']}, "
              f"{row['others_errors']} | {row['others_p99_quiet_ms']} -> "
              f"{row['others_p99_ms']} ({row['others_p99_more_ms']:+}) ms |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--signals", nargs="+", choices=SIGNALS, default=list(SIGNALS))
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = []
    for kind in options.only:
        for name in options.signals:
            name_number = SIGNALS[name]
            turns = []
            try:
                with Host(options.build) as host:
                    for keys in ("a", "b"):
                        host.paired(keys)
                    bench = Bench(host, options.size)
                    for _ in range(options.repeats):
                        turns.append(bench.turn(kind, name_number))
            except Failed as reason:
                print(f"{kind} {name}: {reason}", file=sys.stderr)
            if turns:
                rows.append(row_of(kind, name, turns))
                print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    show(rows)
    print(f"\nload: {' '.join(f'{value:.1f}' for value in os.getloadavg())}, "
          f"{len(os.sched_getaffinity(0))} processors, {options.size} at 60")


if __name__ == "__main__":
    main()
