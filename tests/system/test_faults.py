#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A fault stays where it happened, and says why."""
import os
import pathlib
import signal
import time

from host import Host, Failed, expect, run, wait_for


def fds_of(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def apps_are_known(host):
    """A runner that has not told yet what it started takes its session along."""
    lines = [line for line in host.log().splitlines() if " kind=supervisor " in line]
    return sum(" event=app-started " in line for line in lines) >= \
        sum(" event=session-start " in line for line in lines)


def a_process_that_dies_ends_its_own_session_at_most(build):
    """Beside every death a second viewer loses nothing."""
    ends_view = {"desktop"}
    with Host(build) as host:
        host.paired("sick")
        host.paired("well")
        well = host.probe("stream", "--app", "Pattern", "--seconds", "120", keys="well",
                          background=True)
        wait_for("the well one streams", 10, lambda: host.status("session", state="streaming"))
        healthy = host.status("session")[0]["id"]
        for kind in ("encoder", "stream", "desktop", "runner", "sound", "gate", "store", "web",
                     "facts"):
            sick = host.probe("stream", "--app", "Pattern", "--seconds", "30", keys="sick",
                              background=True)
            wait_for("the sick one streams", 10, lambda: len([
                row for row in host.status("session", state="streaming")
                if row["pictures"] > 10]) == 2)
            wait_for("the apps are known", 10, lambda: apps_are_known(host))
            session = [s["id"] for s in host.status("session") if s["id"] != healthy][0]
            machine = kind in ("gate", "store", "web", "facts")
            pid = host.pid(kind) if machine else host.pid(kind, session=session)
            mark = len(host.log())
            os.kill(pid, signal.SIGKILL)
            host.wait_log("event=worker-reaped", 5, mark)
            sick.send_signal(signal.SIGUSR2)
            report = host.report(sick, check=False)
            if kind in ends_view:
                expect(f"{kind}: the viewer was told: {report.get('end')} "
                       f"{report.get('termination')}", report["end"] == "terminated")
                expect(f"{kind}: with a reason", f"reason={kind}-died" in host.log()[mark:])
            else:
                # A stream that dies may have sent a part of a picture.
                lost = 1 if kind == "stream" else 0
                expect(f"{kind}: the viewer noticed nothing: {report}", report["ok"] and
                       report["video"]["missing_numbers"] <= lost and
                       report["video"]["decode_errors"] == 0)
            wait_for("the doors are back", 10, lambda: host.api("/api/v1/status", optional=True)
                     and len(host.status("process", kind="gate")) == 1)
            wait_for(f"{kind}: no viewer of it is left", 10,
                     lambda: not [s for s in host.status("session")
                                  if s["id"] != healthy and s["state"] != "paused"])
        well.send_signal(signal.SIGUSR2)
        report = host.report(well)
        video = report["video"]
        expect(f"the well one lost nothing: {video}", video["missing_numbers"] == 0 and
               video["decode_errors"] == 0 and video["pattern"]["backwards"] == 0)


def a_pairing_that_loses_its_gate_is_said_and_goes_on(build):
    """Whoever typed the PIN hears it at once; clients ask again by themselves."""
    with Host(build) as host:
        process = host.probe("pair", "--pin", "1234", background=True)

        def waiting():
            return host.api("/api/v1/pair/pending")["requests"]

        first = wait_for("a waiting client", 10, waiting)
        gate = host.pid("gate")
        os.kill(gate, signal.SIGSTOP)  # the PIN reaches a gate that will not answer
        begun = time.monotonic()
        answer = host.api("/api/v1/pair/client",
                          {"pin": "1234", "pairing": first[0]["pairing"], "name": "x"})
        expect(f"refused in words: {answer}", not answer["success"] and
               "broke off" in answer["error"])
        took = time.monotonic() - begun
        expect(f"as soon as the gate was found to hang: {took:.1f} s", took < 5)
        wait_for("another gate", 10, lambda: set(host.pids("gate")) - {gate})
        wait_for("the client waits again", 10, waiting)
        answer = host.api("/api/v1/pair/client", {"pin": "1234", "name": "x"})
        expect(f"paired: {answer}", answer["success"])
        host.report(process)


def a_process_that_hangs_is_noticed(build):
    with Host(build) as host:
        host.paired()
        for kind in ("stream", "encoder", "desktop", "runner"):
            viewer = host.probe("stream", "--app", "Pattern", "--seconds", "30", background=True)
            wait_for("streaming", 10, lambda: host.status("session", state="streaming"))
            wait_for("the app is known", 10, lambda: apps_are_known(host))
            mark = len(host.log())
            os.kill(host.pid(kind), signal.SIGSTOP)
            wait_for("it is named", 6, lambda: "reason=worker-hung" in host.log()[mark:] or
                     "reason=slots-held" in host.log()[mark:])
            viewer.send_signal(signal.SIGUSR2)
            report = host.report(viewer, check=False)
            if kind in ("stream", "encoder", "runner"):
                expect(f"{kind}: another one goes on: {report}", report["end"] == "time" and
                       report["input"]["seen"] == 5)
            wait_for("the session is over or waits", 10,
                     lambda: not host.status("session", state="streaming"))


def a_blocked_helper_is_not_felt(build):
    """Host name and addresses come from a helper: stopped, nothing waits for it."""
    with Host(build) as host:
        host.paired()
        os.kill(host.pid("facts"), signal.SIGSTOP)
        for _ in range(20):
            report = host.probe("serverinfo")
            expect(f"answered at once: {report['serverinfo_https_ms']}",
                   report["serverinfo_https_ms"] < 1000)


def comings_and_goings_leave_nothing(build):
    with Host(build) as host:
        host.paired()
        supervisor = wait_for("perigeed", 5, lambda: [
            pid for pid, name in host.remains() if name.endswith("perigeed")])[0]
        gate = host.pid("gate")

        def cycle():
            host.probe("stream", "--app", "Pattern", "--size", "320x240", "--frames", "5",
                       "--seconds", "5", "--no-decode")
            host.probe("resume", "--frames", "2", "--seconds", "5", "--no-decode")
            host.probe("quit")
            wait_for("the session's end", 5, lambda: not host.status("session"))

        for _ in range(2):
            cycle()
        before = fds_of(supervisor), fds_of(gate), len(host.remains())
        for _ in range(5):
            cycle()
        # Fewer is fine: a connection may just have been ending when they were counted before.
        wait_for("as many descriptors and processes as before", 5, lambda: all(
            now <= then for now, then in zip(
                (fds_of(supervisor), fds_of(gate), len(host.remains())), before)))
        left = [p.name for p in (host.folder / "run").iterdir() if p.name.startswith("s-")]
        expect(f"no runtime folder: {left}", not left)


def a_client_that_vanishes_is_let_go(build):
    with Host(build) as host:
        host.paired()
        viewer = host.probe("stream", "--app", "Pattern", "--seconds", "60", background=True)
        wait_for("streaming", 10, lambda: host.status("session", state="streaming"))
        viewer.kill()
        viewer.wait()
        wait_for("paused", 15, lambda: host.status("session", state="paused"))
        expect("with a reason", "reason=client-silent" in host.log())


def the_supervisor_is_started_again(build):
    with Host(build) as host:
        host.paired()
        supervisor = [pid for pid, name in host.remains() if name.endswith("perigeed")][0]
        mark = len(host.log())
        os.kill(supervisor, signal.SIGKILL)
        host.wait_log("event=took-over", 15, mark)
        host.wait_ready()
        report = host.probe("stream", "--app", "Pattern", "--seconds", "1.5")
        expect("a stream as before", report["video"]["frames"] > 5)


def who_was_stopped_when_the_supervisor_died_does_not_stay(build):
    """It cannot leave by itself; nor can its app, which it alone would end."""
    with Host(build) as host:
        host.paired()
        host.probe("stream", "--app", "Pattern", "--size", "320x240", "--frames", "3", "--no-decode")
        runner = host.pid("runner")
        supervisor = [pid for pid, name in host.remains() if name.endswith("perigeed")][0]
        os.kill(runner, signal.SIGSTOP)
        os.kill(supervisor, signal.SIGKILL)
        wait_for("the next one ends it", 30, lambda: not os.path.exists(f"/proc/{runner}"))
        host.probe("quit", check=False)
        wait_for("no app is left", 30, lambda: not [
            pid for pid, name in host.remains() if name.endswith("perigee-pattern")])


def no_secret_is_written_down(build):
    with Host(build, "--log-level", "debug") as host:
        host.paired()
        transcript = host.folder / "transcript"
        host.probe("stream", "--app", "Pattern", "--seconds", "1", "--transcript", str(transcript))
        text = transcript.read_text(errors="replace")
        import re
        keys = set(re.findall(r"rikey=([0-9A-Fa-f]{32})", text))
        expect("the transcript has the key", keys)
        link = re.search(r"#key=(\S+)", host.text()).group(1)
        log = host.log().lower()
        for secret in keys | {link}:
            expect("no key in the log", secret.lower() not in log)
        expect("no PIN in the log", "pin=1234" not in log)


if __name__ == "__main__":
    run([
        a_process_that_dies_ends_its_own_session_at_most,
        a_pairing_that_loses_its_gate_is_said_and_goes_on,
        a_process_that_hangs_is_noticed,
        a_blocked_helper_is_not_felt,
        comings_and_goings_leave_nothing,
        a_client_that_vanishes_is_let_go,
        the_supervisor_is_started_again,
        who_was_stopped_when_the_supervisor_died_does_not_stay,
        no_secret_is_written_down,
    ])
