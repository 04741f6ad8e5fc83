#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Viewers beside eight busy loops of the same priority: slow is not hung.

    tests/chaos/busy.py BUILD-FOLDER [--seconds N]
"""
import pathlib
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))
sys.dont_write_bytecode = True

import script  # noqa: E402
from host import Failed, Host, wait_for  # noqa: E402

LOOPS = 8
STREAM = ["--app", "Pattern", "--size", "640x360", "--fps", "30", "--no-decode"]


def alarms(host):
    return [row for row in host.log().splitlines() if "level=info" not in row and (
        "event=worker-fence" in row or "event=worker-kill" in row or "event=worker-reaped" in row
        or "reason=worker-hung" in row)]


def watch(host, seconds):
    """What looks like an alarm in the time, or until one comes."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and not alarms(host):
        try:
            wait_for("an alarm", min(5, max(0.1, until - time.monotonic())),
                     lambda: alarms(host), step=1.0)
        except Failed:
            pass
    found, row = alarms(host), host.status("host")[0]
    print(f"starved {row['starved']}, rounds late {row['late']}")
    if row["hung"] or row["fenced"]:
        found.append(f"counted as hung {row['hung']}, as stopped {row['fenced']}")
    return [f"a false alarm: {text}" for text in found]


def run(build, seconds):
    with Host(build) as host:
        clients = [host.paired(f"client{number}") for number in range(2)]
        viewers = [host.probe("stream", *STREAM, "--seconds", str(seconds + 60), keys=keys,
                              background=True) for keys in clients]
        wait_for("both stream", 20, lambda: len(host.status("session", state="streaming")) == 2)
        loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"])
                 for _ in range(LOOPS)]
        try:
            faults = watch(host, seconds)
            streaming = len(host.status("session", state="streaming"))
        finally:
            for loop in loops:
                loop.kill()
                loop.wait()
        frames = []
        for viewer in viewers:
            viewer.send_signal(signal.SIGINT)
            frames.append(host.report(viewer, check=False)["video"]["frames"])
        for keys in clients:
            host.probe("quit", keys=keys, check=False)
    print(f"{seconds:.0f} s beside {LOOPS} busy loops: {len(faults)} alarms, {streaming} of 2 "
          f"stream on, frames {frames}")
    if streaming != 2 or min(frames) < seconds:
        faults.append("they do not stream all the time")
    return faults


if __name__ == "__main__":
    options = script.options(__doc__, seconds=30.0)
    script.end(lambda: run(options.build, options.seconds))
