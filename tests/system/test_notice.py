#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An app that fails, leaves or shows nothing: who watches is told, with its last lines, and then the
session ends with the reason."""
import os
import signal

from host import Host, expect, run, wait_for
from pictures import shows_notice

APPS = """
apps:
  - title: Fails
    command: [sh, -c, "echo reading settings; echo no such level >&2; exit 4"]
  - title: Blind
    command: [sh, -c, "echo asking for a licence; exec sleep 60"]
    window_deadline: 3
  - title: Late
    command: [sh, -c, "echo unpacking; sleep 3; exec foot"]
    window_deadline: 4
  - title: Leaves
    command: [sh, -c, "echo nothing to do"]
  - title: Fails in a box
    command: [sh, -c, "echo no such level; exit 5"]
    runner: {type: sandbox}
  - title: Blind in a box
    command: [sh, -c, "echo asking in a box; exec sleep 60"]
    runner: {type: sandbox}
    window_deadline: 3
"""
BOXED = ("Fails in a box", "app-failed", "0x50450007", "no such level\n"), \
    ("Blind in a box", "app-no-window", "0x50450055", "asking in a box\n")


def notices(host, state):
    return [row for row in host.status("output") if row["notice"] == state]


def an_app_that_fails_or_shows_nothing_is_told_of(build):
    with Host(build, config=APPS) as host:
        viewers = {}
        for app in ("Fails", "Blind", "Late", "Leaves"):
            host.paired(app)
        for app, seconds in (("Fails", 30), ("Blind", 30), ("Late", 9), ("Leaves", 30)):
            viewers[app] = host.probe("stream", "--app", app, "--seconds", str(seconds), "--fps",
                                      "30", "--shot", str(host.folder / f"{app}.png"), keys=app,
                                      background=True)
        for lines in ("reading settings\nno such level\n", "nothing to do\n"):
            wait_for(f"who watches is told, with its last lines: {lines}", 20, lambda: [
                row for row in notices(host, "end-read") if row["lines"] == lines])
        wait_for("those without a window as well", 20, lambda: "state=wait" in host.log())
        reports = {app: host.report(viewer, check=False) for app, viewer in viewers.items()}
        log = host.log()
        for app, code, reason in (("Fails", "0x50450007", "app-failed"),
                                  ("Leaves", "0x80030023", "app-exited"),
                                  ("Blind", "0x50450055", "app-no-window")):
            report = reports[app]
            expect(f"{app}: {report.get('end')} {report.get('termination')}",
                   report["end"] == "terminated" and report["termination"] == code)
            expect(f"{app}: the picture said so", shows_notice(host.folder / f"{app}.png"))
            expect(f"{app}: the log has the reason and the lines", f"reason={reason}" in log)
        expect("the lines are in the log", "no such level" in log and "asking for a" in log)
        late = reports["Late"]
        expect(f"one that is late goes on: {late.get('end')}", late["end"] == "time")
        expect("and is seen, without a notice", "before=wait" in log and
               not shows_notice(host.folder / "Late.png"))
        wait_for("no notice is left", 5, lambda: not host.pids("notice"))


def an_app_in_a_sandbox_is_told_of_alike(build):
    none = "no sandbox can be made"
    with Host(build, config=APPS) as host:
        viewers, shown = {}, set()
        for app, *_ in BOXED:
            host.paired(app)
        for app, *_ in BOXED:
            viewers[app] = host.probe("stream", "--app", app, "--seconds", "30", "--no-decode",
                                      keys=app, background=True)

        def told():
            shown.update(row["lines"] for row in notices(host, "end-read"))
            return all([text for text in shown if lines in text or none in text]
                       for *_, lines in BOXED)
        wait_for("who watches is told", 30, told)
        for app, reason, code, _ in BOXED:
            report = host.report(viewers[app], check=False)
            if none in host.log():
                code, reason = "0x50450007", "app-failed"
            expect(f"{app}: {report.get('end')} {report.get('termination')}",
                   report["end"] == "terminated" and report["termination"] == code)
            expect(f"{app}: {reason}", f"reason={reason}" in host.log())


def an_end_that_is_held_back_survives_the_supervisor(build):
    with Host(build, config=APPS) as host:
        host.paired()
        viewer = host.probe("stream", "--app", "Fails", "--seconds", "30", "--shot",
                            str(host.folder / "end.png"), background=True)
        wait_for("it is told", 20, lambda: notices(host, "end-read"))
        mark = len(host.log())
        os.kill([pid for pid, name in host.remains() if name.endswith("perigeed")][0],
                signal.SIGKILL)
        report = host.report(viewer, check=False)
        expect(f"the end comes: {report.get('end')} {report.get('termination')}",
               report["end"] == "terminated" and report["termination"] == "0x50450007")
        expect("the picture said so", shows_notice(host.folder / "end.png"))
        host.wait_log("event=session-end ", 10, mark)
        expect("by the next supervisor", "event=took-over" in host.log()[mark:])
        wait_for("nothing is left", 5, lambda: not host.status("session") and
                 not host.pids("notice") and not host.pids("desktop"))


def who_launches_again_need_not_read_on(build):
    with Host(build, config=APPS) as host:
        host.paired()
        viewer = host.probe("stream", "--app", "Fails", "--seconds", "30", background=True)
        wait_for("it is told", 20, lambda: notices(host, "end-read"))
        report = host.probe("stream", "--app", "Pattern", "--seconds", "1.5")
        expect(f"another app runs: {report['end']}", report["end"] == "time" and
               report["video"]["frames"] > 10)
        report = host.report(viewer, check=False)
        expect(f"the old stream ended: {report['end']}", report["end"] == "terminated")


if __name__ == "__main__":
    run([
        an_app_that_fails_or_shows_nothing_is_told_of,
        an_app_in_a_sandbox_is_told_of_alike,
        an_end_that_is_held_back_survives_the_supervisor,
        who_launches_again_need_not_read_on,
    ])
