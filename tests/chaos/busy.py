#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Viewers beside eight busy loops of the same priority: slow is not hung.

    tests/chaos/busy.py BUILD-FOLDER [--seconds N]
"""
import argparse
import pathlib
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))
sys.dont_write_bytecode = True

from host import Failed, Host, wait_for  # noqa: E402

LOOPS = 8
STREAM = ["--app", "Pattern", "--size", "640x360", "--fps", "30", "--no-decode"]


def alarms(host):
    return [row for row in host.log().splitlines() if "level=info" not in row and (
        "event=worker-fence" in row or "event=worker-kill" in row or "event=worker-reaped" in row
        or "reason=worker-hung" in row)]


def run(build, seconds):
    loops = []
    try:
        with Host(build) as host:
            clients = [host.paired(f"client{number}") for number in range(2)]
            viewers = [host.probe("stream", *STREAM, "--seconds", str(seconds + 60), keys=keys,
                                  background=True) for keys in clients]
            wait_for("both stream", 20,
                     lambda: len(host.status("session", state="streaming")) == 2)
            loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"])
                     for _ in range(LOOPS)]
            until = time.monotonic() + seconds
            while time.monotonic() < until and not alarms(host):
                try:
                    wait_for("an alarm", min(5, max(0.1, until - time.monotonic())),
                             lambda: alarms(host), step=1.0)
                except Failed:
                    pass
            streaming = len(host.status("session", state="streaming"))
            found = alarms(host)
            row = host.status("host")[0]
            print(f"starved {row['starved']}, rounds late {row['late']}")
            if row["hung"] or row["fenced"]:
                found.append(f"counted as hung {row['hung']}, as stopped {row['fenced']}")
            for loop in loops:
                loop.kill()
            frames = []
            for viewer in viewers:
                viewer.send_signal(signal.SIGINT)
                frames.append(host.report(viewer, check=False)["video"]["frames"])
            for keys in clients:
                host.probe("quit", keys=keys, check=False)
    except Failed as reason:
        print(f"FAULT {reason}")
        return 1
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
    print(f"{seconds:.0f} s beside {LOOPS} busy loops: {len(found)} alarms, {streaming} of 2 "
          f"stream on, frames {frames}")
    for row in found:
        print(f"FAULT a false alarm: {row}")
    if streaming != 2 or min(frames) < seconds:
        print("FAULT they do not stream all the time")
        return 1
    return 1 if found else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build")
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    sys.exit(run(options.build, options.seconds))
