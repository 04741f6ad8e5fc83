#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The supervisor may die: whoever watches does not notice, and the next one goes on."""
import os
import signal
import time

from host import Host, expect, run, wait_for

KEPT = ("id", "app", "client", "state", "width", "height")


def supervisor_of(host):
    """The perigeed that runs; None in between."""
    found = [pid for pid, name in host.remains() if name.endswith("perigeed")]
    return found[0] if len(found) == 1 else None


def next_supervisor(host, before, seconds=10):
    return wait_for("another perigeed", seconds, lambda: (
        lambda pid: pid if pid not in (None, before) else None)(supervisor_of(host)))


def sessions_of(host):
    return sorted(tuple(row[key] for key in KEPT) for row in host.status("session"))


def workers_of(host):
    return {row["worker"]: (row["kind"], row["pid"], row["session"])
            for row in host.status("process")}


def kill(host, number=signal.SIGKILL):
    """Ends perigeed and returns the log's length before that."""
    before = supervisor_of(host)
    mark = len(host.log())
    os.kill(before, number)
    return before, mark


def streams(host, count, seconds, *flags):
    viewers = []
    for i in range(count):
        host.paired(f"viewer{i}")
        viewers.append(host.probe("stream", "--app", "Pattern", "--size", "1280x720", "--fps", "30",
                                  "--seconds", str(seconds), *flags, keys=f"viewer{i}",
                                  background=True))
    wait_for("all stream", 20, lambda: len(host.status("session", state="streaming")) == count)
    return viewers


def expect_whole(what, report):
    video = report["video"]
    expect(f"{what}: nothing was lost: {report}", report["ok"] and video["missing_numbers"] == 0
           and video["decode_errors"] == 0 and video["pattern"]["backwards"] == 0)


def viewers_do_not_notice_a_death(build):
    with Host(build) as host:
        viewers = streams(host, 2, 8)
        sessions, workers = sessions_of(host), workers_of(host)
        before, mark = kill(host)
        begun = time.monotonic()
        wait_for("the same sessions", 2, lambda: host.api("/api/v1/status", optional=True) and
                 sessions_of(host) == sessions)
        took_ms = 1000 * (time.monotonic() - begun)
        print(f"the same sessions after {took_ms:.0f} ms", flush=True)
        expect("it is another", supervisor_of(host) != before)
        host.wait_log("event=settled", 5, mark)
        expect(f"the same workers: {workers} {workers_of(host)}", workers_of(host) == workers)
        for viewer in viewers:
            expect_whole("a viewer", host.report(viewer))
        wait_for("both wait", 5, lambda: len(host.status("session", state="paused")) == 2)
        expect_whole("resumed", host.probe("resume", "--seconds", "2", keys="viewer0"))
        host.probe("quit", keys="viewer0")
        wait_for("one is over", 5, lambda: len(host.status("session")) == 1)
        expect_whole("launched", host.probe("stream", "--app", "Pattern", "--seconds", "1.5",
                                            keys="viewer0"))


if __name__ == "__main__":
    run([
        viewers_do_not_notice_a_death,
    ])
