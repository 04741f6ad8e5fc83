#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Everything that can happen to a host, in an order that a seed decides, and then: is
everything as before, does everybody who stayed stream, has everything that happened a reason?

    tests/chaos/chaos.py BUILD-FOLDER [--seed N] [--seconds N] [--parts N]

tools/chaos runs it for minutes or hours. A viewer beside another is a client with a session
of its own: sessions are not shared yet.
"""
import argparse
import collections
import json
import os
import pathlib
import re
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

import census  # noqa: E402
import plan as plans  # noqa: E402
import slope  # noqa: E402
from pace import Pace  # noqa: E402
from host import Failed, Host, wait_for  # noqa: E402

STREAM = ["--app", "Pattern", "--size", "320x240", "--fps", "30", "--kbps", "1000", "--no-decode"]
SIGNALS = {"KILL": signal.SIGKILL, "STOP": signal.SIGSTOP, "SEGV": signal.SIGSEGV}
MACHINE = ("gate", "web", "store", "facts")
KINDS = {"sound-encoder": ("encoder", "sound"), "encoder": ("encoder", "pictures")}
CONFIG = "evidence:\n  megabytes: 100\n  core_megabytes: 4\n"  # more than once round
LIMITS = {"descriptors": ("nofile", "Max open files"), "memory": ("as", "Max address space")}
NOTICED_S = 4  # twice the longest promise
CALM_S = 25  # until all that was restarted, fenced and looked at is done with


class Viewer:
    def __init__(self, host, number):
        self.host = host
        self.keys = host.paired(f"client{number}")
        self.process = None
        self.excused = True  # something was done to it, or to all
        self.struck_at = 0.0
        self.reports = []

    def watches(self):
        return self.process is not None and self.process.poll() is None

    def start(self, mode="stream"):
        self.collect()
        extra = STREAM if mode == "stream" else STREAM[2:]
        self.process = self.host.probe(mode, *extra, "--seconds", "100000", keys=self.keys,
                                       background=True)
        # What was stopped before it came may not have been noticed yet.
        self.excused = time.monotonic() < self.struck_at + NOTICED_S

    def collect(self, seconds=20):
        """The report of the one that ran, if it is over or is being ended."""
        if self.process is None:
            return None
        process, self.process = self.process, None
        try:
            report = self.host.report(process, seconds, check=False)
        except Failed:
            report = {"error": "the probe hangs", "hangs": True}
        report["excused"] = self.excused
        self.reports.append(report)
        return report

    def leave(self, how=signal.SIGINT):
        if self.watches():
            self.process.send_signal(how)
        return self.collect()


class Log:
    """The rows of the host's log since the last mark, also when the file was rotated once."""

    def __init__(self, host):
        self.path = host.log_path
        self.file = open(self.path, errors="replace", encoding="utf-8")
        self.rest, self.rows, self.ever = "", [], set()
        self.mark()

    def mark(self):
        self.follow()
        self.rows.clear()

    def take(self):
        text = self.rest + self.file.read()
        *rows, self.rest = text.split("\n")
        self.rows += rows
        for row in rows:
            self.ever |= {word for word in row.split() if word.startswith("event=")}

    def follow(self):
        self.take()
        try:
            newer = open(self.path, errors="replace", encoding="utf-8")
        except FileNotFoundError:
            return
        if os.fstat(newer.fileno()).st_ino == os.fstat(self.file.fileno()).st_ino:
            newer.close()
            return
        self.take()
        self.file.close()
        self.file = newer
        self.take()

    def said(self, *events):
        """Since the host's start."""
        self.follow()
        return any(f"event={event}" in self.ever for event in events)


class Chaos:
    def __init__(self, host, clients=plans.CLIENTS, say=print):
        self.host = host
        self.say = say
        self.viewers = [Viewer(host, number) for number in range(clients)]
        self.aimed_at = {}                    # pid -> what was done to it
        self.done = collections.Counter()
        self.idle = 0
        self.undo = []                        # (when, what)
        self.faults = []                      # what must not be
        self.log = Log(host)
        self.all_excused_until = 0.0

    # ---- whom an action means ----

    def session_of(self, number):
        for row in self.host.status("session"):
            if row["client"] == self.viewers[number].keys:
                return row
        return None

    def pid_of(self, kind, number):
        if kind == "supervisor":
            return next((pid for pid in census.tree(self.host.process.pid)
                         if census.name_of(pid) == "perigeed"
                         and (census.stat_of(pid) or "T")[0] != "T"), None)  # no corpse
        if kind in MACHINE:
            rows = self.host.status("process", kind=kind)
            return rows[0]["pid"] if rows else None
        session = self.session_of(number)
        if not session:
            return None
        rows = self.host.status("process", session=session["id"])
        if kind == "app":
            runner = next((row["pid"] for row in rows if row["kind"] == "runner"), None)
            below = census.tree(runner)[1:] if runner else []
            return below[0] if below else None
        kind, name = KINDS.get(kind, (kind, None))
        return next((row["pid"] for row in rows if row["kind"] == kind and
                     (name is None or row["name"] == name)), None)

    def find(self, action):
        """Whom it means: the named client's, else the next one's that has such a process."""
        for step in range(len(self.viewers)):
            number = (action.client + step) % len(self.viewers)
            pid = self.pid_of(action.kind, number)
            if pid is not None:
                return number, pid
        return action.client, None

    def excuse(self, number=None):
        for at, viewer in enumerate(self.viewers):
            if number in (None, at):
                viewer.excused = True
                viewer.struck_at = time.monotonic()

    # ---- the deeds ----

    def launch(self, action, viewer):
        if viewer.watches():
            return False
        viewer.start()
        return True

    def leave(self, action, viewer):
        return viewer.watches() and bool(viewer.leave())

    def vanish(self, action, viewer):
        return viewer.watches() and bool(viewer.leave(signal.SIGKILL) or True)

    def resume(self, action, viewer):
        if viewer.watches() or not self.session_of(action.client):
            return False
        viewer.start("resume")
        return True

    def take_over(self, action, viewer):
        """The same client from elsewhere: the first one is told so and leaves."""
        if not viewer.watches() or not self.session_of(action.client):
            return False
        viewer.excused = True
        old = viewer.process
        viewer.process = None
        viewer.start("resume")
        try:
            viewer.reports.append({**self.host.report(old, 30, check=False), "excused": True})
        except Failed as reason:
            self.faults.append(f"a viewer that was taken over from: {reason}")
        return True

    def quit(self, action, viewer):
        if not self.session_of(action.client):
            return False
        viewer.excused = True
        self.host.probe("quit", keys=viewer.keys, check=False)
        return True

    def move(self, action, viewer):
        if not viewer.watches():
            return False
        viewer.process.send_signal(signal.SIGUSR1)
        viewer.excused = True  # until its pings move pictures, they go to where it was
        return True

    def ask(self, action, viewer):
        self.host.probe("serverinfo", keys=viewer.keys, check=False)
        return True

    def kill(self, action, viewer):
        number, pid = self.find(action)
        if pid is None:
            return False
        if action.kind not in (*MACHINE, "supervisor"):
            self.excuse(number)
        self.aimed_at[pid] = f"{action.signal} {action.kind}"
        return self.signal(pid, SIGNALS[action.signal])

    @staticmethod
    def signal(pid, number):
        try:
            os.kill(pid, number)
            return True
        except ProcessLookupError:
            return False

    def clock_jump(self, action, viewer):
        """Time passes and nobody ran: a suspended machine, a moved guest."""
        pids = census.tree(self.host.process.pid)
        self.excuse()
        for pid in pids:
            self.signal(pid, signal.SIGSTOP)
        select.select([], [], [], action.for_s)
        for pid in reversed(pids):
            if not self.aimed_at.get(pid, "").startswith("STOP"):
                self.signal(pid, signal.SIGCONT)
        return True

    def disk_full(self, action, viewer):
        if not getattr(self.host, "small_disk", None):
            return False
        filler = self.host.small_disk / "filler"
        try:
            with open(filler, "wb", buffering=0) as out:
                while True:
                    out.write(bytes(1 << 16))
        except OSError:
            pass
        self.later(action.for_s, lambda: filler.unlink(missing_ok=True))
        return True

    def few_fds(self, action, viewer):
        number, pid = self.find(action)
        if pid is None:
            return False
        used = len(census.fds_of(pid))
        old = self.limit(pid, "descriptors", used + 1)
        if old:
            self.aimed_at[pid] = f"few fds for {action.kind}"
            if action.kind not in MACHINE:
                self.excuse(number)
            self.later(action.for_s, lambda: self.limit(pid, "descriptors", old))
        return bool(old)

    def no_memory(self, action, viewer):
        """As much address space as it has, and no more: the next allocation fails."""
        number, pid = self.find(action)
        size = census.read(f"/proc/{pid}/statm").split() if pid else None
        if not size:
            return False
        old = self.limit(pid, "memory", int(size[0]) * resource.getpagesize() + (64 << 10))
        if not old:
            return False
        self.later(float("inf"), lambda: self.limit(pid, "memory", old))  # when all is calm
        self.excuse(number)
        self.aimed_at[pid] = f"no memory for {action.kind}"
        return True

    @staticmethod
    def limit(pid, name, soft):
        """By whoever it belongs to: not every root may set the limits of others. Returns the
        limit before."""
        option, row = LIMITS[name]
        try:
            before = re.search(rf"^{row} +(\S+)", census.read(f"/proc/{pid}/limits").decode(), re.M)
            owner = os.stat(f"/proc/{pid}")
            done = subprocess.run(["prlimit", f"--pid={pid}", f"--{option}={soft}:"],
                                  user=owner.st_uid, group=owner.st_gid, extra_groups=[],
                                  stderr=subprocess.DEVNULL, timeout=10)
            return before[1] if before and done.returncode == 0 else None
        except (OSError, subprocess.SubprocessError):
            return None

    def later(self, seconds, what):
        self.undo.append((time.monotonic() + seconds, what))

    def undo_due(self, everything=False):
        now = time.monotonic()
        for entry in list(self.undo):
            if everything or entry[0] <= now:
                self.undo.remove(entry)
                entry[1]()

    # ---- a part of a run ----

    DEEDS = {"launch": launch, "leave": leave, "vanish": vanish, "resume": resume,
             "take-over": take_over, "quit": quit, "move": move, "ask": ask, "kill": kill,
             "clock-jump": clock_jump, "disk-full": disk_full, "few-fds": few_fds,
             "no-memory": no_memory}

    def act(self, action):
        try:
            hit = self.DEEDS[action.deed](self, action, self.viewers[action.client])
        except (OSError, Failed, ValueError, KeyError, IndexError):
            hit = False  # the API is away just now: whom it would mean is not known
        name = f"{action.signal} {action.kind}" if action.deed == "kill" else action.deed
        self.done[name] += bool(hit)
        self.idle += not hit
        self.say(f"  {'' if hit else '(nobody) '}{action.words()}")

    def run(self, actions):
        self.log.mark()
        with Pace(self.host) as pace:
            for action in actions:
                pace.reach(action.at_s)
                self.undo_due()
                self.act(action)

    # ---- afterwards ----

    def calm(self):
        """Everything is allowed again; wait until the host has come to rest."""
        self.undo_due(everything=True)
        try:
            wait_for("the doors answer after it all", CALM_S, lambda: self.answers())
        except Failed as reason:
            self.faults.append(str(reason))

    def answers(self):
        try:
            kinds = {row["kind"] for row in self.host.status("process")}
        except (OSError, ValueError, KeyError, IndexError):
            return False
        return {"gate", "web", "store", "facts"} <= kinds

    def check_viewers(self):
        """Who stayed and was not meant streams on; who was, can come back."""
        for number, viewer in enumerate(self.viewers):
            if viewer.watches() and not viewer.excused:
                try:
                    wait_for(f"client{number}, who stayed, still gets pictures", 5,
                             self.rise(number), step=0.1)
                except Failed as reason:
                    self.faults.append(str(reason))
            viewer.leave()
            for report in viewer.reports:
                self.judge(number, report)
            viewer.reports.clear()
            self.come_back(number, viewer)

    def rise(self, number):
        """A condition: its pictures become more. Who has just come is counted from nought,
        and until the first count the row tells that of the viewer before."""
        least = float("inf")

        def rises():
            nonlocal least
            row = self.session_of(number)
            before, least = least, min(least, row["pictures"]) if row else least
            return bool(row) and row["pictures"] > before
        return rises

    def come_back(self, number, viewer):
        last = {}
        for _ in range(4):  # a breaker may refuse the first
            last = self.host.probe("stream", *STREAM, "--frames", "10", "--seconds", "10",
                                   keys=viewer.keys, check=False)
            if last.get("video", {}).get("frames", 0) >= 10:
                return
            select.select([], [], [], 1.0)
        self.faults.append(f"client{number} cannot stream afterwards: {last}")

    def judge(self, number, report):
        if report.get("hangs"):
            self.faults.append(f"client{number}: the probe hangs")
        if report["excused"] or "video" not in report:
            return
        video = report["video"]
        if video["missing_numbers"] or video["malformed"] or video["corrupt"]:
            self.faults.append(f"client{number}, whom nothing was done to, lost pictures: {video}")
        if report.get("end") in ("terminated", "disconnected", "failed"):
            self.faults.append(f"client{number}, whom nothing was done to, was ended: "
                               f"{report.get('end')} {report.get('error')}")

    def events(self):
        self.log.follow()
        for row in self.log.rows:
            fields = dict(word.split("=", 1) for word in row.split() if "=" in word)
            fields["row"] = row
            yield fields

    def check_reasons(self):
        """Every death has a reason, and nobody was ended whom nobody had touched."""
        incidents, seen = collections.Counter(), set()
        for event in self.events():
            row = event["row"]
            if event.get("event") not in ("worker-fenced", "worker-reaped",
                                          "worker-written-off") or "level=info" in row:
                continue
            # The line's own kind and pid are the supervisor's; the worker's come behind.
            fields = dict(word.split("=", 1) for word in row.split(" event=")[1].split()
                          if "=" in word)
            pid = int(fields["pid"])
            if pid in seen:
                continue
            seen.add(pid)
            incidents[f"{fields['kind']} {fields['reason']}"] += 1
            if fields["reason"] in ("none", "unknown"):
                self.faults.append(f"no reason: {row}")
            if pid in self.aimed_at:
                continue
            if fields["reason"] in ("worker-hung", "sound-deaf"):
                self.faults.append(f"a false alarm: {row}")
            if "killed by signal 6" in row or "killed by signal 11" in row:
                self.faults.append(f"crashed by itself: {row}")
        return incidents

    def check_evidence(self):
        """Each incident that the host counts has a folder that a person can read, or says
        why it has none."""
        def rows():
            return [row for row in self.host.status("incident")]
        try:
            wait_for("all evidence is written", CALM_S, lambda: not [
                row for row in rows() if row["evidence"] == "being-written"])
        except Failed as reason:
            self.faults.append(str(reason))
        found = collections.Counter()
        for row in rows():
            found[row["evidence"]] += 1
            if row["reason"] in ("none", "unknown"):
                self.faults.append(f"an incident without a reason: {row}")
            folder = self.host.folder / "state" / "evidence" / row["entry"]
            if row["evidence"] == "written" and folder.is_dir() and \
                    not (folder / "summary.txt").is_file():
                self.faults.append(f"evidence without a summary: {row}")
        if found["none"] and not self.log.said("evidence-skipped"):
            self.faults.append(f"{found['none']} incidents without evidence, and not said so")
        if found["failed"] and not self.log.said("evidence-failed", "evidence-overdue"):
            self.faults.append(f"{found['failed']} times evidence failed, and not said so")
        if sum(found.values()) and not found["written"]:
            self.faults.append(f"no evidence at all: {dict(found)}")
        return dict(found)

    def all_gone(self):
        for viewer in self.viewers:
            viewer.leave()
            self.host.probe("quit", keys=viewer.keys, check=False)
        wait_for("every session's end", CALM_S, lambda: not self.host.status("session"))

    def check_census(self, before):
        """Nothing more than before; what is being looked at may take its time."""
        self.all_gone()
        found = {}

        def same():
            found["now"] = census.count(self.host)
            return not census.more(before, found["now"])
        try:
            wait_for("as it was", CALM_S, same, step=0.2)
        except Failed:
            self.faults += [f"left behind: {text}" for text in census.more(before, found["now"])]
        sessions = {event["session"] for event in self.events() if len(
            event.get("session", "")) == 16}
        self.faults += [f"left behind: {path}" for path in census.cgroups(sessions)]
        return found["now"]


def small_disk(host, megabytes=200):
    """State and evidence on a disk of their own that can be filled. None without the right to."""
    folder = host.folder / "state"
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "none",
                           str(folder)], stderr=subprocess.DEVNULL)
    host.small_disk = folder if done.returncode == 0 else None
    return host


class ChaosHost(Host):
    """Its state lies on a small disk where that can be had."""
    small_disk = None

    def before_start(self):
        small_disk(self)

    def let_go(self):
        if self.small_disk:
            subprocess.run(["umount", "-l", str(self.small_disk)], check=False)
            self.small_disk = None

    def __exit__(self, kind, value, trace):
        try:
            return super().__exit__(kind, value, trace)
        finally:
            self.let_go()


def warm_up(chaos):
    for viewer in chaos.viewers:
        for _ in range(2):
            chaos.host.probe("stream", *STREAM, "--frames", "5", "--seconds", "10",
                             keys=viewer.keys)
            chaos.host.probe("quit", keys=viewer.keys)
    wait_for("the end of the warm-up", 10, lambda: not chaos.host.status("session"))


def keep_log(host, seed, part):
    """The log of a part that failed: its host's folder goes with the host. In the folder that
    PERIGEE_CHAOS_KEEP names, else in one of its own."""
    folder = os.environ.get("PERIGEE_CHAOS_KEEP") or tempfile.mkdtemp(prefix="perigee-chaos-")
    path = pathlib.Path(folder) / f"seed-{seed}-part-{part}.log"
    older = pathlib.Path(f"{host.log_path}.1")
    path.write_text((older.read_text(errors="replace") if older.exists() else "") + host.log())
    return path


def run(build, seed, seconds, parts, say=print):
    """One host, `parts` plans of `seconds` each; after each everything is counted."""
    rows, faults = [], []
    with ChaosHost(build, config=CONFIG) as host:
        chaos = Chaos(host, say=say)
        warm_up(chaos)
        before = census.count(host)
        for part in range(parts):
            actions = plans.plan(seed, seconds, part)
            say(f"seed {seed}, part {part}: {len(actions)} actions")
            chaos.run(actions)
            chaos.calm()
            chaos.check_viewers()
            incidents = chaos.check_reasons()
            evidence = chaos.check_evidence()
            try:
                after = chaos.check_census(before)
            except Failed as reason:
                chaos.faults.append(str(reason))
                after = census.count(host)
            rows.append({"seed": seed, "part": part, "actions": len(actions),
                         "hit": sum(chaos.done.values()), "idle": chaos.idle,
                         "incidents": dict(incidents), "evidence": evidence,
                         "fds": after["fds"], "threads": after["threads"],
                         "sockets": after["sockets"], "pss_kb": census.weights(host),
                         "faults": list(chaos.faults)})
            faults += chaos.faults
            if chaos.faults:
                say("\n".join(f"FAULT {text}" for text in chaos.faults))
                say(f"kept: {keep_log(host, seed, part)}")
            chaos.faults.clear()
            chaos.done.clear()
            chaos.idle = 0
    return rows, faults


def growth(rows):
    """Rows of a long run: what rises from part to part."""
    found = []
    for key, least in (("fds", 1), ("threads", 1), ("sockets", 1), ("pss_kb", 1024)):
        for name in sorted(rows[0][key]):
            values = [row[key].get(name, rows[0][key][name]) for row in rows]
            print(slope.words(f"{key} {name}", values))
            if len(values) >= 8 and slope.grows(values, least):
                found.append(f"grows: {slope.words(f'{key} {name}', values)}")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60, help="of each part")
    parser.add_argument("--parts", type=int, default=1)
    parser.add_argument("--quiet", action="store_true")
    options = parser.parse_args()
    try:
        rows, faults = run(options.build, options.seed, options.seconds, options.parts,
                           (lambda text: None) if options.quiet else
                           (lambda text: print(text, flush=True)))
    except Failed as reason:
        print(f"FAULT {reason}")
        sys.exit(1)
    for row in rows:
        print(json.dumps(row))
    faults += growth(rows)
    print(f"seed {options.seed}: {len(faults)} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
