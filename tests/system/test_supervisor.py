#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The supervisor may die: whoever watches does not notice, and the next one goes on."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

from host import Host, expect, free_base, run, wait_for

KEPT = ("id", "app", "client", "state", "width", "height")


def supervisor_of(host):
    """The perigeed that runs; None in between."""
    found = [pid for pid, name in host.remains() if name.endswith("perigeed")
             and not is_stopped(pid)]
    return found[0] if len(found) == 1 else None


def is_stopped(pid):
    """A corpse, which perigee-autopsy looks at."""
    try:
        return "State:\tT" in pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def evidence_of(host, pid):
    """The row and the folder of a perigeed's end, once all of it is written."""
    def written():
        rows = [row for row in host.status("incident", kind="supervisor", pid=pid)
                if row["evidence"] != "being-written"]
        return rows and rows[0]
    row = wait_for(f"evidence of {pid}", 15, written)
    expect(f"written: {row}", row["evidence"] == "written")
    return row, pathlib.Path(host.status("evidence")[0]["folder"]) / row["entry"]


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


def asked_at(door):
    """What a desktop's own door says of it."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect(str(door))
        s.sendall(b"GET /api/v2/desktop HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n")
        answer = b""
        while chunk := s.recv(65536):
            answer += chunk
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def viewers_do_not_notice_a_death(build):
    with Host(build) as host:
        viewers = streams(host, 2, 8)
        sessions, workers = sessions_of(host), workers_of(host)
        doors = [host.folder / f"run/s-{row[0]}/perigee.sock" for row in sessions]
        files = [door.stat().st_ino for door in doors]
        before, mark = kill(host)
        begun = time.monotonic()
        wait_for("the same sessions", 2, lambda: host.api("/api/v1/status", optional=True) and
                 sessions_of(host) == sessions)
        took_ms = 1000 * (time.monotonic() - begun)
        print(f"the same sessions after {took_ms:.0f} ms", flush=True)
        expect("it is another", supervisor_of(host) != before)
        expect("which is said", host.status("host")[0]["successions"] == 1 and
               host.status("incident", kind="supervisor"))
        host.wait_log("event=settled", 5, mark)
        row, folder = evidence_of(host, before)
        expect(f"of one that was killed: {row}", row["incident"] == "killed" and
               "signal 9" in row["detail"])
        expect("with its last words", f" pid={before} " in (folder / "log.txt").read_text())
        expect(f"the same workers: {workers} {workers_of(host)}", workers_of(host) == workers)
        for viewer in viewers:
            expect_whole("a viewer", host.report(viewer))
        expect("the desktops' own doors are the same", files == [d.stat().st_ino for d in doors])
        for door in doors:
            expect("and answer", asked_at(door)["desktop"]["app"] == "Pattern")
        wait_for("both wait", 5, lambda: len(host.status("session", state="paused")) == 2)
        expect_whole("resumed", host.probe("resume", "--seconds", "2", keys="viewer0"))
        host.probe("quit", keys="viewer0")
        wait_for("one is over", 5, lambda: len(host.status("session")) == 1)
        expect_whole("launched", host.probe("stream", "--app", "Pattern", "--seconds", "1.5",
                                            keys="viewer0"))


def one_that_hangs_is_replaced(build):
    with Host(build) as host:
        viewers = streams(host, 1, 12)
        sessions, workers = sessions_of(host), workers_of(host)
        before, mark = kill(host, signal.SIGSTOP)
        begun = time.monotonic()
        next_supervisor(host, before, 10)
        print(f"replaced after {time.monotonic() - begun:.1f} s", flush=True)
        wait_for("the same sessions", 2, lambda: sessions_of(host) == sessions)
        host.wait_log("event=settled", 5, mark)
        expect("the same workers", workers_of(host) == workers)
        expect("it is said why", "perigeed-hung" in host.text())
        row, folder = evidence_of(host, before)
        expect(f"it hung: {row}", row["incident"] == "hung" and row["reason"] == "worker-hung")
        expect_looked_at(folder, "it answered nothing for")
        wait_for("the corpse is gone", 10, lambda: not os.path.exists(f"/proc/{before}"))
        expect_whole("the viewer", host.report(viewers[0]))


def expect_looked_at(folder, words):
    summary = (folder / "summary.txt").read_text()
    expect(f"the summary says it:\n{summary}", words in summary and "Complete:   yes" in summary
           and "perigee-supervisor" in summary)
    backtrace = (folder / "backtrace.txt").read_text()
    expect(f"a function of ours, and where it is:\n{backtrace}",
           re.search(r"main\S* \(perigeed\)", backtrace) and
           re.search(r"src/supervisor/\w+\.c:\d+", backtrace))
    expect("its last words", "supervisor-start" in (folder / "log.txt").read_text())


def one_that_crashes_is_looked_at(build):
    """Its successor does not wait for that."""
    with Host(build) as host:
        viewers = streams(host, 1, 6)
        sessions = sessions_of(host)
        before, mark = kill(host, signal.SIGSEGV)
        begun = time.monotonic()
        wait_for("the same sessions", 4, lambda: supervisor_of(host) not in (None, before) and
                 host.api("/api/v1/status", optional=True) and sessions_of(host) == sessions)
        print(f"the same sessions after {1000 * (time.monotonic() - begun):.0f} ms", flush=True)
        host.wait_log("event=settled", 5, mark)
        row, folder = evidence_of(host, before)
        if "PERIGEE_TEST_SLOWNESS" not in os.environ:  # sanitizers report it and exit
            expect(f"it crashed: {row}", row["incident"] == "crashed" and
                   "signal 11" in row["detail"])
            expect_looked_at(folder, "signal 11")
            expect("the handler is seen", "handle_crash" in (folder / "backtrace.txt").read_text())
        expect_whole("the viewer", host.report(viewers[0]))


def one_death_follows_another(build):
    """Also before the next has asked anybody anything."""
    with Host(build) as host:
        viewers = streams(host, 1, 10)
        sessions, workers = sessions_of(host), workers_of(host)
        before, mark = kill(host)
        for _ in range(3):
            before = next_supervisor(host, before)
            os.kill(before, signal.SIGKILL)
        next_supervisor(host, before)
        host.wait_log("event=settled", 10, mark)
        wait_for("the same sessions", 2, lambda: sessions_of(host) == sessions)
        # Whom one told something just before it died, and could not write that down, is replaced.
        told = {pid for pid in (row[1] for row in workers.values())
                if re.search(rf"event=worker-fence .*pid={pid} .*nobody remembers",
                             host.log()[mark:])}
        others = {worker: row for worker, row in workers.items() if row[1] not in told}
        expect("the same workers", others.items() <= workers_of(host).items())
        if told:
            report = host.report(viewers[0])
            expect(f"the viewer stays: {report}", report["ok"] and
                   report["video"]["decode_errors"] == 0)
        else:
            expect_whole("the viewer", host.report(viewers[0]))


def what_dies_meanwhile_is_noticed(build):
    """Ends that only the holder saw, and one after the change."""
    with Host(build) as host:
        viewers = streams(host, 1, 8)
        encoder, facts = host.pid("encoder", name="pictures"), host.pid("facts")
        before, mark = kill(host, signal.SIGSTOP)
        os.kill(encoder, signal.SIGKILL)
        os.kill(facts, signal.SIGKILL)
        os.kill(before, signal.SIGKILL)
        next_supervisor(host, before)
        host.wait_log("event=part-replaced", 10, mark)
        wait_for("the helper is back", 10,
                 lambda: set(host.pids("facts")) - {facts})
        mark = len(host.log())
        os.kill(host.pid("encoder", name="pictures"), signal.SIGKILL)
        host.wait_log("event=part-replaced", 10, mark)
        report = host.report(viewers[0])
        expect(f"the viewer stayed: {report}", report["ok"])


def a_launch_on_its_way_goes_on_or_fails_with_a_reason(build):
    moments = ["event=session-start", "event=worker-spawned", "event=desktop-ready",
               "event=launch-answered", "event=announce", "event=encoder-ready"]
    with Host(build) as host:
        host.paired()
        for moment in moments:
            mark = len(host.log())
            viewer = host.probe("stream", "--app", "Pattern", "--seconds", "1", background=True)
            host.wait_log(moment, 10, mark)
            before, _ = kill(host)
            report = host.report(viewer, seconds=60, check=False)
            print(f"killed at {moment}: ok={report.get('ok')} {report.get('error', '')[:100]}",
                  flush=True)
            next_supervisor(host, before)
            host.wait_log("event=settled", 10, mark)
            host.probe("quit", check=False)
            wait_for("nothing of it is left", 12, lambda: not host.status("session"))
            expect_whole("the next one", host.probe("stream", "--app", "Pattern", "--seconds", "1"))
            host.probe("quit")
            wait_for("nothing is left", 5, lambda: not host.status("session"))


def quitting_goes_on(build):
    with Host(build) as host:
        host.paired()
        for moment in ("event=session-reason", "event=session-ending", "kind=runner"):
            host.probe("stream", "--app", "Pattern", "--seconds", "1")
            mark = len(host.log())
            quitting = host.probe("quit", background=True)
            host.wait_log(moment, 10, mark)
            before, _ = kill(host)
            host.report(quitting, seconds=60, check=False)
            next_supervisor(host, before)
            host.probe("quit", check=False)
            wait_for("nothing of it is left", 10, lambda: not host.status("session"))


def pairing_goes_on(build):
    with Host(build) as host:
        client = host.probe("pair", "--pin", "1234", background=True)
        wait_for("a waiting client", 10,
                 lambda: host.api("/api/v1/pair/pending")["requests"])
        before, mark = kill(host)
        next_supervisor(host, before)
        answer = host.api("/api/v1/pair/client", {"pin": "1234", "name": "viewer"})
        expect(f"paired: {answer}", answer.get("success"))
        host.report(client)
        host.wait_log("event=settled", 5, mark)
        expect_whole("a stream", host.probe("stream", "--app", "Pattern", "--seconds", "1"))


def without_the_holder_everything_ends(build):
    host = Host(build)
    try:
        host.wait_ready()
        viewers = streams(host, 1, 20)
        os.kill(host.process.pid, signal.SIGKILL)
        host.process.wait()
        wait_for("every process gone", 15, lambda: not host.remains())
        expect("with a word", "event=holder-gone" in host.log())
        report = host.report(viewers[0], check=False)
        expect(f"the viewer was told: {report.get('end')}", report.get("seconds", 99) < 19)
        shutil.rmtree(host.folder)
    finally:
        host.abandon()


def what_a_killed_host_left_is_ended_by_the_next(build):
    """Holder and supervisor die in the same moment: who has no channel, or was stopped,
    stays. So do empty control groups, which the next one finds whatever its port is."""
    host = Host(build)
    try:
        host.wait_ready()
        viewer = streams(host, 1, 30)[0]
        supervisor = supervisor_of(host)
        encoder = host.pid("encoder", name="pictures")
        os.kill(encoder, signal.SIGSTOP)
        for pid in (host.process.pid, supervisor):
            os.kill(pid, signal.SIGSTOP)
        for pid in (host.process.pid, supervisor):
            os.kill(pid, signal.SIGKILL)
        host.process.wait()
        host.report(viewer, check=False)
        wait_for("who can leave has left", 15, lambda: {
            name.split("/")[-1] for _, name in host.remains()} <= {"pulseaudio", "perigee-encoder"})
        left = {pid for pid, _ in host.remains()}
        expect(f"the stopped one stays: {left}", encoder in left)
        groups = [path for path in pathlib.Path("/sys/fs/cgroup").rglob(f"perigee-{host.port}")]
        command = list(host.command)
        port, claim = free_base()
        command[command.index("--port") + 1] = str(port)
        with open(host.folder / "out", "r+b") as output:
            output.truncate()
            host.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=output, start_new_session=True)
            host.wait_ready()
        expect("they are gone", not left & {pid for pid, _ in host.remains()})
        expect("and that was said", "left-ended" in host.text())
        for path in groups:
            for group in path.iterdir():
                if group.is_dir():
                    expect(f"no process is in {group}",
                           not (group / "cgroup.procs").read_text())
            os.utime(path, (0, 0))  # a minute has passed
        with Host(build):
            expect(f"removed: {groups}", not [path for path in groups if path.exists()])
        host.stop()
        claim.close()
    finally:
        host.abandon()


if __name__ == "__main__":
    run([
        viewers_do_not_notice_a_death,
        one_that_hangs_is_replaced,
        one_that_crashes_is_looked_at,
        one_death_follows_another,
        what_dies_meanwhile_is_noticed,
        a_launch_on_its_way_goes_on_or_fails_with_a_reason,
        quitting_goes_on,
        pairing_goes_on,
        without_the_holder_everything_ends,
        what_a_killed_host_left_is_ended_by_the_next,
    ])
