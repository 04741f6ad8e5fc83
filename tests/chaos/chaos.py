#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Everything that can happen to a host, in an order that a seed decides, and then: is
everything as before, does everybody who stayed stream, has everything that happened a reason?

    tests/chaos/chaos.py BUILD-FOLDER [--seed N] [--seconds N, of each part] [--parts N] [--quiet]

tools/chaos runs it for minutes or hours. Viewers have desktops of their own and meet in lobbies.
"""
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
import script  # noqa: E402
import slope  # noqa: E402
from checks import Checks  # noqa: E402
from host import Failed, Host, wait_for  # noqa: E402
from lobbies import Lobbies  # noqa: E402
from pace import Pace  # noqa: E402
from viewers import STREAM, Log, Viewer  # noqa: E402

SIGNALS = {"KILL": signal.SIGKILL, "STOP": signal.SIGSTOP, "SEGV": signal.SIGSEGV}
MACHINE = ("gate", "web", "store", "facts")
KINDS = {"sound-encoder": ("encoder", "sound"), "encoder": ("encoder", "pictures")}
CONFIG = "evidence:\n  megabytes: 100\n  core_megabytes: 4\n"  # more than once round
LIMITS = {"descriptors": ("nofile", "Max open files"), "memory": ("as", "Max address space")}


class Chaos(Lobbies, Checks):
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
        self.struck = {}                      # a lobby's id -> when something was done to it

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
        return self.pid_at(session["id"], kind) if session else None

    def pid_at(self, desk, kind):
        rows = self.host.status("process", session=desk)
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
        """The same client from elsewhere: the first one is told so and leaves, unless the second
        one was not let in. A door without descriptors gets them back meanwhile."""
        if not viewer.watches() or not self.session_of(action.client):
            return False
        old, viewer.process = viewer.process, None
        viewer.start("resume")
        new = viewer.process
        try:
            wait_for("one of the two is over", 30, lambda: self.undo_due() or
                     old.poll() is not None or new.poll() is not None, step=0.1)
            if old.poll() is None:
                viewer.collect()
                viewer.process, viewer.excused = old, True
                return False
            viewer.reports.append({**self.host.report(old, 10, check=False), "excused": True})
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
        if action.kind.startswith("lobby-"):
            return self.strike_lobby(action, SIGNALS[action.signal])
        number, pid = self.find(action)
        if pid is None:
            return False
        if action.kind not in (*MACHINE, "supervisor"):
            self.excuse(number)
        elif action.kind == "supervisor":
            for between in self.between():
                self.excuse(between)
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
        self.viewers[number].limited = True
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
             "no-memory": no_memory, "lobby-make": Lobbies.lobby_make,
             "lobby-join": Lobbies.lobby_join, "lobby-leave": Lobbies.lobby_leave,
             "lobby-stop": Lobbies.lobby_stop}

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
    chaos.warm_lobby()
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
            chaos.check_members()
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
    options = script.options(__doc__, seed=1, seconds=60.0, parts=1, quiet=False)
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
