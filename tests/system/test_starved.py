#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who is kept from a processor does not hang: a machine that others have filled."""
import subprocess
import sys

from host import Host, expect, run

LOOPS = 8
SECONDS = 30


def eight_busy_loops_are_no_reason_to_kill_anybody(build):
    with Host(build) as host:
        host.paired("one")
        host.paired("other")
        loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"])
                 for _ in range(LOOPS)]
        try:
            viewers = [host.probe("stream", "--app", "Pattern", "--size", "320x240", "--seconds",
                                  str(SECONDS), keys=keys, background=True)
                       for keys in ("one", "other")]
            reports = [host.report(viewer, check=False) for viewer in viewers]
        finally:
            for loop in loops:
                loop.kill()
                loop.wait()
        row = host.status("host")[0]
        expect(f"nobody was taken for hung: {row}", row["hung"] == 0 and row["fenced"] == 0)
        expect("nobody was stopped", "event=worker-fence" not in host.log())
        for report in reports:
            expect(f"it streamed all the time: {report}", report.get("seconds", 0) > SECONDS - 5 and
                   report["video"]["frames"] > SECONDS)
        print(f"# starved {row['starved']}, rounds late {row['late']}", flush=True)


if __name__ == "__main__":
    run([eight_busy_loops_are_no_reason_to_kill_anybody])
