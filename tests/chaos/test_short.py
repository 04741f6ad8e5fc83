#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A desktop that gets no memory any more refuses a viewer or two, and is then replaced."""
import os
import pathlib
import signal
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

import census  # noqa: E402
from chaos import Chaos  # noqa: E402
from host import Host, expect, run, wait_for  # noqa: E402

LITTLE = ["--fps", "30", "--kbps", "1000", "--no-decode", "--frames", "3", "--seconds", "10"]


def a_desktop_without_memory_is_replaced(build):
    with Host(build) as host:
        host.paired()
        host.probe("stream", "--app", "Pattern", "--size", "320x240", *LITTLE, check=False)
        wait_for("nobody watches", 10, lambda: host.status("session", state="paused"))
        pid, mark = host.pid("desktop"), len(host.log())
        app = wait_for("the app", 10, lambda: [
            pid for pid, name in host.remains() if name.endswith("perigee-pattern")])[0]
        os.kill(app, signal.SIGSTOP)  # its next picture would find no room, and end it
        pages = int(census.read(f"/proc/{pid}/statm").split()[0])
        expect("limited", Chaos.limit(pid, "memory", pages * 4096 + (64 << 10)))
        for times in range(1, 6):  # each wants pictures of a size that nobody else has
            host.probe("resume", "--size", f"{320 + 160 * times}x480", *LITTLE, check=False)
            if "event=worker-fence " in host.log()[mark:]:
                break
        log = host.log()[mark:]
        refusals = log[:log.find("event=worker-fence ")].count("event=worker-failure ")
        expect(f"after three refusals: {refusals} in {times} tries", refusals == 3)
        host.wait_log(f"-desktop-{pid}-resources took_ms=", 10, mark)
        host.wait_log("event=session-end ", 10, mark)
        again = host.probe("stream", "--app", "Pattern", "--size", "320x240", *LITTLE)
        expect("another one streams", again["video"]["frames"] >= 3)


if __name__ == "__main__":
    run([a_desktop_without_memory_is_replaced])
