#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What somebody who has taken over a worker cannot do. Needs a build with -Dobey=true.

Two sessions stream; each worker of the first is told to do what would hurt the second or
the host. Run as root, workers are another user's; the same is run as a plain user.
"""
import contextlib
import errno
import os
import pathlib
import pwd
import re
import socket
import subprocess
import sys

from host import Failed, Host, expect, run, wait_for

REFUSED = {errno.EPERM, errno.EACCES}
# What is not there for it, or what it cannot name, it cannot have either.
HIDDEN = REFUSED | {errno.ENOENT, errno.ECONNREFUSED}
MACHINE = ["gate", "web", "store", "facts", "discover"]
SESSION = ["stream", "encoder", "sound encoder", "desktop", "runner"]
ENGINE = pathlib.Path("/run/docker.sock")


@contextlib.contextmanager
def listening(kind, address):
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family, kind) as server:
        server.bind(address)
        if kind == socket.SOCK_STREAM:
            server.listen(16)
        yield server


@contextlib.contextmanager
def engine():
    """A container engine's socket that everybody may write to, if this machine has none and
    we may make one."""
    if ENGINE.exists() or os.getuid() != 0:
        yield ENGINE if ENGINE.exists() else None
        return
    try:
        with listening(socket.SOCK_STREAM, str(ENGINE)):
            ENGINE.chmod(0o666)
            yield ENGINE
    finally:
        ENGINE.unlink()


class Scene:
    """A host with two sessions; the first one's workers are taken over."""

    def __init__(self, host):
        self.host = host
        host.refusals = True
        self.viewers = []
        for name in ("taken", "honest"):
            host.paired(name)
            self.viewers.append(host.probe("stream", "--app", "Pattern", "--seconds", "60",
                                           "--no-decode", keys=name, background=True))
            wait_for(f"{name} streams", 20, lambda: len(
                host.status("session", state="streaming")) == len(self.viewers))
            if name == "taken":
                self.session = host.status("session")[0]["id"]
        self.other = next(s["id"] for s in host.status("session") if s["id"] != self.session)
        self.runtime = host.folder / "run" / f"s-{self.other}"
        homes = [p for p in (host.folder / "data/homes").glob("*/Pattern")]
        self.homes = [str(p) for p in homes]
        mine = self.home_of(self.session)
        self.home = next(p for p in self.homes if p != mine)
        secret = pathlib.Path(self.home) / "secret"
        secret.write_text("the other's")
        secret.chmod(0o644)

    def home_of(self, session):
        app = next(p for p in pathlib.Path("/proc").iterdir() if p.name.isdigit() and
                   self.environ(p, "PERIGEE_SESSION") == session)
        return self.environ(app, "HOME")

    @staticmethod
    def environ(process, name):
        try:
            words = (process / "environ").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            return None
        return next((w.split("=", 1)[1] for w in words if w.startswith(name + "=")), None)

    def worker(self, kind):
        if kind in MACHINE:
            return self.host.status("process", kind=kind)[0]
        if kind in ("encoder", "sound encoder"):
            name = "sound" if kind == "sound encoder" else "pictures"
            return self.host.status("process", kind="encoder", session=self.session, name=name)[0]
        return self.host.status("process", kind=kind, session=self.session)[0]

    def others(self, kind):
        return self.host.pid(kind, session=self.other)

    def close(self):
        for viewer in self.viewers:
            viewer.kill()
            viewer.wait()

    def refused(self, kinds, order, argument="", outcomes=REFUSED, but=()):
        for kind in kinds:
            if kind in but:
                continue
            outcome, detail = self.host.obey(self.worker(kind)["worker"], order, argument)
            expect(f"{kind} may not {order} {argument}: "
                   f"{errno.errorcode.get(outcome, outcome)} {detail}", outcome in outcomes)

    def allowed(self, kinds, order, argument=""):
        """That the same order does work where it may: or the test would prove nothing."""
        for kind in kinds:
            outcome, detail = self.host.obey(self.worker(kind)["worker"], order, argument)
            expect(f"{kind} may {order} {argument}: {errno.errorcode.get(outcome, outcome)} "
                   f"{detail}", outcome == 0)


EVERY = MACHINE + SESSION


def connects_out(scene):
    with listening(socket.SOCK_STREAM, ("127.0.0.1", 0)) as tcp, \
            listening(socket.SOCK_DGRAM, ("127.0.0.1", 0)) as udp:
        port = tcp.getsockname()[1]
        scene.refused(EVERY, "connect-tcp", port, but=["runner"])
        scene.allowed(["runner"], "connect-tcp", port)
        port = udp.getsockname()[1]
        scene.refused(EVERY, "connect-udp", port, but=["runner", "gate", "discover"])
    scene.refused(EVERY, "listen-tcp", 20, but=[])
    for family in (16, 17, 38, 40):  # netlink, packets, crypto, virtual machines
        but = ["facts", "discover", "runner"] if family == 16 else []
        scene.refused(EVERY, "socket", family, but=but,
                      outcomes=REFUSED | {errno.EAFNOSUPPORT})


def reads_memory(scene):
    for kind in ("stream", "desktop"):
        pid = scene.others(kind)
        with open(f"/proc/{pid}/maps") as maps:
            address = int(maps.readline().split("-")[0], 16)
        scene.refused(EVERY, "peek", f"{pid} {address}")
        scene.refused(EVERY, "trace", pid)
        scene.refused(EVERY, "read", f"/proc/{pid}/mem")
        scene.refused(EVERY, "read", f"/proc/{pid}/environ")
        scene.refused(EVERY, "signal", pid)
    scene.refused(EVERY, "signal", scene.host.pid("gate"), but=["gate"])


def reads_files(scene):
    state = scene.host.folder / "state"
    scene.refused(EVERY, "read", state / "state.db", but=["store"], outcomes=HIDDEN)
    scene.refused(EVERY, "write", state / "state.db", but=["store"], outcomes=HIDDEN)
    scene.allowed(["store"], "read", state / "state.db")
    scene.refused(EVERY, "list", state, but=["store", "runner"], outcomes=HIDDEN)
    scene.refused(EVERY, "read", f"{scene.home}/secret", outcomes=HIDDEN)
    scene.refused(EVERY, "list", scene.home, outcomes=HIDDEN)
    scene.refused(EVERY, "list", scene.runtime, outcomes=HIDDEN)
    scene.refused(EVERY, "create", f"{scene.runtime}/x", outcomes=HIDDEN)
    scene.refused(EVERY, "read", "/etc/shadow")
    scene.refused(EVERY, "write", "/usr/bin/env", outcomes=REFUSED | {errno.ETXTBSY})
    scene.refused(["gate", "web", "stream"], "read", "/usr/bin/env")
    scene.refused(["gate", "web", "stream", "facts", "discover", "encoder", "sound encoder"],
                  "create", "/tmp/perigee-taken")


def speaks_to_others(scene):
    for path in ("wayland-0", "pulse/native"):
        expect("it is there", (scene.runtime / path).exists())
        scene.refused(EVERY, "connect-unix", scene.runtime / path, outcomes=HIDDEN)
    number = re.search(rf"event=desktop-ready session={scene.other}.* x_display=\":(\d+)\"",
                       scene.host.log())[1]
    expect("the other's X server is there", pathlib.Path(f"/tmp/.X11-unix/X{number}").exists())
    scene.refused(EVERY, "connect-unix", f"/tmp/.X11-unix/X{number}", outcomes=HIDDEN)
    # A plain user's host has no network namespaces for its desktops: SECURITY.md says so.
    scene.refused(EVERY, "connect-unix", f"@/tmp/.X11-unix/X{number}", outcomes=HIDDEN,
                  but=[] if scene.by_root else ["runner"])
    scene.refused(EVERY, "connect-unix", scene.host.folder / "run/api.sock", outcomes=HIDDEN)
    if scene.engine:
        scene.refused(EVERY, "connect-unix", scene.engine, outcomes=HIDDEN)


def starts_things(scene):
    scene.refused(EVERY, "fork", but=["desktop", "runner"], outcomes=REFUSED | {errno.EAGAIN})
    scene.refused(EVERY, "exec", "/usr/bin/env", but=["runner"],
                  outcomes=REFUSED | {errno.EAGAIN})
    scene.refused(EVERY, "become", "/usr/bin/env", but=["runner"])
    scene.allowed(["runner"], "exec", "/bin/true")


def gains_rights(scene):
    # In a user namespace there is no root to become.
    scene.refused(EVERY, "root", outcomes=REFUSED | {errno.EINVAL})
    # ptrace, mount, init_module, bpf, unshare, keyctl, io_uring_setup
    for number in (101, 165, 175, 321, 272, 250, 425):
        but = ["runner"] if number in (101, 165, 272) else []
        scene.refused(EVERY, "call", number, but=but)


def _take_over(build, user=None):
    with engine() as path, Host(build, discovery=True, user=user, place="/var/tmp") as host:
        scene = Scene(host)
        scene.engine = path
        scene.by_root = os.getuid() == 0 and user is None
        scene.sanitized = "PERIGEE_TEST_SLOWNESS" in os.environ
        try:
            for attempt in (connects_out, reads_memory, reads_files, speaks_to_others,
                            starts_things, gains_rights):
                attempt(scene)
            for kind in EVERY:
                scene.worker(kind)  # still the same ones: nobody had to die for it
            expect("every refusal was told", "event=call-refused call=socket" in host.log())
            if not scene.sanitized:
                refused = scene.worker("stream")["refused"]
                expect(f"and counted: {refused}", refused > 5)
            expect("the honest viewer streams on", host.status("session", id=scene.other,
                                                               state="streaming"))
        finally:
            scene.close()


def a_worker_obeys_in_this_build(build):
    """Or the rest of this file would prove nothing."""
    with Host(build) as host:
        for row in [host.status("process", kind=kind)[0] for kind in ("gate", "web", "store")]:
            outcome, _ = host.obey(row["worker"], "call", 39)  # getpid
            expect(f"{row['kind']} obeys: {outcome}", outcome == 0)
        expect("no such order", host.obey(row["worker"], "sing")[0]
               == errno.ENOSYS)
        expect("no such worker", host.obey(4000, "fork")[0] == errno.ESRCH)


def a_worker_that_was_taken_over_hurts_nobody(build):
    _take_over(build)


def nor_does_one_of_a_host_that_a_plain_user_started(build):
    if os.getuid() == 0:
        try:
            user = pwd.getpwnam("perigee")
        except KeyError:
            return
        _take_over(build, user=user)


if __name__ == "__main__":
    run([
        a_worker_obeys_in_this_build,
        a_worker_that_was_taken_over_hurts_nobody,
        nor_does_one_of_a_host_that_a_plain_user_started,
    ])
