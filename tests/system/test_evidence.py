#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whoever hangs, crashes or is killed leaves evidence that a person can read."""
import os
import pathlib
import re
import signal
import subprocess
import time

from host import Host, expect, wait_for

NAMES = {"stream": r"worker_run|run_once|pacer|handle_", "encoder": r"worker_run|run_once|handle_",
         "desktop": r"main|handle_|run", "gate": r"worker_run|run_once|handle_"}
# Stopped in what was written in assembly, from where no unwinder knows the way back.
PATHLESS = r"#0 .*\((libx264|libpixman)[^)]*\)\n(?!  #1)"


NOTICED_S = {"stream": 1, "gate": 1, "encoder": 2, "desktop": 2}
SANITIZED = "PERIGEE_TEST_SLOWNESS" in os.environ


def incidents(host, **wanted):
    return host.status("incident", **wanted)


def evidence_of(host, pid):
    """The folder of a process's incident, once it is written."""
    def written():
        rows = [row for row in incidents(host, pid=pid) if row["evidence"] != "being-written"]
        return rows and rows[0]
    row = wait_for(f"evidence of {pid}", 15, written)
    expect(f"written: {row}", row["evidence"] == "written")
    folder = pathlib.Path(host.status("evidence")[0]["folder"]) / row["entry"]
    expect(f"named by kind, pid and reason: {row['entry']}", re.fullmatch(
        rf"\d{{8}}-\d{{6}}-{row['kind']}-{pid}-{row['reason']}", row["entry"]))
    return row, folder


def pid_of(host, kind):
    return host.pid(kind, **({"name": "pictures"} if kind == "encoder" else {}))


def streams(host):
    viewer = host.probe("stream", "--app", "Pattern", "--size", "320x240", "--seconds", "60",
                        "--no-decode", background=True)
    wait_for("streaming", 15, lambda: host.status("session", state="streaming"))
    return viewer


def let_go(host, viewer):
    viewer.kill()
    viewer.communicate()
    host.probe("quit", check=False)
    wait_for("no session", 15, lambda: not host.status("session"))


def who_is_stopped_tells_where_it_stood(build):
    with Host(build) as host:
        host.paired()
        for kind in ("stream", "encoder", "desktop", "gate"):
            viewer = streams(host)
            pid = pid_of(host, kind)
            wait_for(f"{kind} has counted", 10,
                     lambda: host.status("process", pid=pid)[0]["counters"][0] > 0)
            mark, begun = len(host.log()), time.monotonic()
            os.kill(pid, signal.SIGSTOP)
            limit = NOTICED_S[kind]
            wait_for(f"{kind} is noticed within twice {limit} s", 2 * limit,
                     lambda: re.search(rf"event=worker-fenced \S+ \S+ pid={pid} ",
                                       host.log()[mark:]), step=0.005)
            print(f"# {kind}: fenced after {time.monotonic() - begun:.2f} s", flush=True)
            row, folder = evidence_of(host, pid)
            expect(f"{kind} hung: {row}", row["incident"] == "hung" and
                   row["reason"] == "worker-hung")
            summary = (folder / "summary.txt").read_text()
            backtrace = (folder / "backtrace.txt").read_text()
            expect(f"the summary says so:\n{summary}",
                   "worker-hung" in summary and f"perigee-{kind}" in summary and
                   "Complete:   yes" in summary)
            if not re.search(PATHLESS, backtrace):
                expect(f"a function of ours is named:\n{backtrace}",
                       re.search(rf"({NAMES[kind]})\S* \(perigee-{kind}\)", backtrace))
                expect("with its place in the source",
                       re.search(r"src/\w+/\w+\.c:\d+", backtrace))
            expect("its last lines", "event=worker-start" in (folder / "log.txt").read_text())
            expect(f"{kind}: its counters", "counter 0:" in (folder / "pulse.txt").read_text())
            expect("a core", (folder / "core").stat().st_size > 4096)
            wait_for("the corpse is gone", 10, lambda: not host.status("corpse"))
            expect("it has ended", not os.path.exists(f"/proc/{pid}"))
            let_go(host, viewer)


def who_crashes_is_looked_at_before_it_dies(build):
    with Host(build) as host:
        host.paired()
        for kind, number in (("stream", signal.SIGSEGV), ("encoder", signal.SIGABRT),
                             ("desktop", signal.SIGBUS), ("gate", signal.SIGSEGV)):
            viewer = streams(host)
            pid = pid_of(host, kind)
            os.kill(pid, number)
            row, folder = evidence_of(host, pid)
            if SANITIZED:  # it reports itself and exits
                expect(f"{kind}: an incident: {row}", row["incident"] in ("ended", "crashed"))
                let_go(host, viewer)
                continue
            expect(f"{kind} crashed: {row}", row["incident"] == "crashed" and
                   f"signal {int(number)}" in row["detail"])
            summary = (folder / "summary.txt").read_text()
            expect(f"the summary says by what:\n{summary}", f"signal {int(number)}" in summary)
            backtrace = (folder / "backtrace.txt").read_text()
            expect(f"the handler and what it interrupted:\n{backtrace}",
                   "handle_crash" in backtrace and
                   re.search(rf"({NAMES[kind]})\S* \(perigee-{kind}\)", backtrace))
            let_go(host, viewer)


def of_who_is_killed_there_is_what_it_had_said(build):
    with Host(build) as host:
        host.paired()
        for kind in ("stream", "encoder", "desktop", "gate"):
            viewer = streams(host)
            pid = pid_of(host, kind)
            os.kill(pid, signal.SIGKILL)
            row, folder = evidence_of(host, pid)
            expect(f"{kind} was killed: {row}", row["incident"] == "killed" and
                   "signal 9" in row["detail"])
            expect("its last lines", "event=worker-start" in (folder / "log.txt").read_text())
            expect("its counters", "beats:" in (folder / "pulse.txt").read_text())
            expect("the machine", "MemTotal" in (folder / "machine.txt").read_text())
            let_go(host, viewer)


def no_key_is_in_the_evidence(build):
    with Host(build) as host:
        host.paired()
        transcript = host.folder / "transcript"
        viewer = host.probe("stream", "--app", "Pattern", "--size", "320x240", "--seconds", "60",
                            "--no-decode", "--transcript", str(transcript), background=True)
        wait_for("streaming", 15, lambda: host.status("session", state="streaming"))
        key = wait_for("the key", 5, lambda: re.search(
            r"rikey=([0-9A-Fa-f]{32})", transcript.read_text(errors="replace"))).group(1)
        forms = [bytes.fromhex(key), key.lower().encode(), key.upper().encode()]
        for kind in ("stream", "gate"):
            pid = host.pid(kind)
            # The control: it is in the process.
            expect(f"{kind} has the key or had it", kind == "gate" or in_memory(pid, forms[0]))
            os.kill(pid, signal.SIGSTOP)
            _, folder = evidence_of(host, pid)
            for path in folder.iterdir():
                content = path.read_bytes()
                expect(f"no key in {path}", not any(form in content for form in forms))
                expect(f"no key of the host in {path}", b"PRIVATE KEY" not in content)
        viewer.kill()
        viewer.communicate()


def in_memory(pid, what):
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
        for line in maps:
            begin, end = (int(part, 16) for part in line.split()[0].split("-"))
            if "rw" in line.split()[1] and end - begin < 1 << 30:
                try:
                    memory.seek(begin)
                    if what in memory.read(end - begin):
                        return True
                except OSError:
                    continue
    return False


def a_folder_that_cannot_be_written_stops_no_restart(build):
    with Host(build) as host:
        (host.folder / "state" / "evidence").rmdir()
        (host.folder / "state" / "evidence").write_text("in the way")
        before = host.pid("gate")
        os.kill(before, signal.SIGSTOP)
        wait_for("another gate", 10, lambda: set(host.pids("gate")) - {before})
        wait_for("it is said", 10, lambda: incidents(host, pid=before, evidence="failed"))
        wait_for("the corpse is gone", 10, lambda: not os.path.exists(f"/proc/{before}"))


def on_hang_keep_leaves_it_for_a_debugger(build):
    folder = pathlib.Path("/tmp") / f"perigee-keep-{os.getpid()}.yaml"
    folder.write_text("on_hang: keep\nevidence:\n  incidents: 2\n  core_megabytes: 0\n")
    try:
        with Host(build, "--config", str(folder)) as host:
            pids = []
            for _ in range(3):
                pid = host.pid("gate")
                pids.append(pid)
                os.kill(pid, signal.SIGSTOP)
                _, entry = evidence_of(host, pid)
                wait_for("kept", 10, lambda: host.status("corpse", pid=pid, kept=True))
                wait_for("another gate", 10, lambda: host.status("process", kind="gate"))
                state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")")[1].split()[0]
                expect("stopped and there", state == "T")
                expect("no core was asked for", not (entry / "core").exists())
            left = list(entry.parent.iterdir())
            expect(f"two are kept: {left}", len(left) == 2)
    finally:
        folder.unlink()


def perigee(host, *words, expected=0):
    done = subprocess.run([str(host.build / "src/cli/perigee"), "--runtime",
                           str(host.folder / "run"), *words], capture_output=True, text=True,
                          timeout=60, stdin=subprocess.DEVNULL)
    expect(f"perigee {words}: {done}", done.returncode == expected)
    return done.stdout


def healthy_ones_are_looked_at_without_their_noticing(build):
    with Host(build) as host:
        host.paired()
        viewer = host.probe("stream", "--app", "Pattern", "--seconds", "8", background=True)
        wait_for("streaming", 15, lambda: host.status("session", state="streaming"))
        before = {row["pid"] for row in host.status("process")}
        text = perigee(host, "evidence", "take")
        held = [int(us) for us in re.findall(r"held for (\d+) us", text)]
        print(f"# held for at most {max(held)} us, {len(held)} processes", flush=True)
        stayed = before & {row["pid"] for row in host.status("process")}
        seen = set(map(int, re.findall(r"process (\d+): held", text)))
        expect(f"everybody: {stayed - seen} of {text}", len(stayed) >= 8 and stayed <= seen)
        expect(f"for less than 5 ms: {text}", max(held) <= 5000)
        entry = re.search(r"stream \d+.*/(\S+)", text).group(1)
        shown = perigee(host, "evidence", "show", entry)
        expect(f"a summary: {shown}", "stream" in shown and "Held for" in shown and
               "Was doing" in shown)
        expect("in the list", entry in perigee(host, "evidence", "list"))
        expect("one kind", len(perigee(host, "evidence", "take", "gate").splitlines()) == 1)
        perigee(host, "evidence", "take", "nobody", expected=1)
        perigee(host, "evidence", "show", "1999", expected=1)
        report = host.report(viewer)
        expect(f"nobody noticed: {report['video']}", report["video"]["missing_numbers"] == 0)
        expect("no incident", not incidents(host))


if __name__ == "__main__":
    from host import run
    run([
        who_is_stopped_tells_where_it_stood,
        who_crashes_is_looked_at_before_it_dies,
        of_who_is_killed_there_is_what_it_had_said,
        no_key_is_in_the_evidence,
        a_folder_that_cannot_be_written_stops_no_restart,
        on_hang_keep_leaves_it_for_a_debugger,
        healthy_ones_are_looked_at_without_their_noticing,
    ])
