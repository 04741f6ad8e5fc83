#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What confines each process is in force, and what each has mapped is what it needs."""
import contextlib
import os
import pathlib
import pwd
import re
import shutil
import sys

from host import Failed, Host, expect, run, wait_for

FRAME = {"ld-linux", "libc", "libsystemd", "libcap", "libgcrypt", "libgpg-error", "liblzma",
         "liblz4", "libzstd"}
SANITIZERS = {"libasan", "libubsan", "libtsan", "libstdc++", "libm", "libgcc_s", "libdl",
              "libpthread", "librt", "libresolv", "libclang_rt"}
CRYPTO = {"libcrypto"}
# Nothing else may be mapped by these ...
ALLOWED = {
    "gate": FRAME | CRYPTO | {"libssl", "libjansson", "libisal"},
    "web": FRAME | CRYPTO | {"libssl", "libjansson", "libisal"},
    "stream": FRAME | CRYPTO | {"libisal"},
    "store": FRAME | CRYPTO | {"libsqlite3", "libm"},
    "facts": FRAME,
    "discover": FRAME | {"libavahi-core", "libavahi-common"},
    "runner": FRAME,
    "perigeed": FRAME | {"libcyaml", "libyaml"},
    "perigee-hold": FRAME,
    "perigee-log": FRAME,
}
# ... and of the big ones, whose libraries bring their own, none of these.
NETWORK = {"libssl", "libsqlite3", "libjansson", "libcyaml", "libavahi-core", "libisal"}
CODECS = {"libavcodec", "libavformat", "libx264", "libcuda", "libnvidia-encode", "libva"}
FORBIDDEN = {
    "desktop": NETWORK | CODECS | {"libcrypto", "libpulse", "libopus", "libcuda"},
    "encoder": NETWORK | {"libwlroots", "libwayland-server", "libEGL"},
    "sound": NETWORK | CODECS | {"libwlroots", "libwayland-server", "libEGL", "libGL"},
}


BEFORE = ("perigee-exec", "perigee-hold", "perigeed")


def libraries(pid):
    found = set()
    for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
        match = re.search(r"/([^/]+)\.so(\.[0-9.]+)?( \(deleted\))?$", line)
        if match:
            name = match[1]
            found.add("ld-linux" if name.startswith("ld-linux") else name)
    return found


def is_one_of(name, names):
    return any(name == other or re.fullmatch(re.escape(other) + r"[-.0-9]*", name)
               for other in names)


def streaming(host, viewers):
    host.paired()
    viewers.append(host.probe("stream", "--app", "Pattern", "--seconds", "30", "--no-decode",
                              background=True))
    wait_for("it streams", 20, lambda: host.status("session", state="streaming"))
    # Until then it is perigee-exec, which is about to confine it.
    wait_for("the app runs", 10, lambda: "event=app-started" in host.log())
    wait_for("each process is what it shall be", 10, lambda: not [
        row for row in host.status("process") if program_of(row["pid"]) in BEFORE])


def program_of(pid):
    try:
        return pathlib.Path(os.readlink(f"/proc/{pid}/exe")).name
    except OSError:
        return ""


def ended(viewers):
    for viewer in viewers:
        viewer.kill()
        viewer.wait()


def every_kind_maps_what_it_needs_and_no_more(build):
    viewers = []
    with Host(build, discovery=True) as host:
        streaming(host, viewers)
        processes = [(row["kind"], row["pid"]) for row in host.status("process")]
        processes += [(pathlib.Path(name).name, pid) for pid, name in host.remains()
                      if pathlib.Path(name).name in ALLOWED]
        sanitized = {}
        for kind, pid in processes:
            found = libraries(pid)
            sanitized[kind] = SANITIZERS if any(is_one_of(n, {"libasan", "libtsan"})
                                                for n in found) else set()
            allowed = ALLOWED.get(kind)
            wrong = {n for n in found if is_one_of(n, FORBIDDEN.get(kind, set()))}
            if allowed is not None:
                wrong |= {n for n in found if not is_one_of(n, allowed | sanitized[kind])}
            expect(f"{kind} maps {sorted(wrong)}", not wrong)
        missing = (set(ALLOWED) | set(FORBIDDEN)) - set(sanitized)
        expect(f"none of {missing} was looked at", not missing)
        ended(viewers)


def status_of(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def device_groups():
    devices = [*pathlib.Path("/dev/dri").glob("*"), *pathlib.Path("/dev").glob("nvidia*")]
    return {str(device.stat().st_gid) for device in devices}


def confinement_is_in_force(build):
    viewers = []
    with Host(build, discovery=True) as host:
        streaming(host, viewers)
        known = host.status("confinement")[0]
        for row in host.status("process"):
            kind, status = row["kind"], status_of(row["pid"])
            expect(f"{kind} cannot gain privileges", status["NoNewPrivs"] == "1")
            for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                expect(f"{kind} has no capability: {name}", int(status[name], 16) == 0)
            if os.getuid() == 0:
                expect(f"{kind} can get none back", int(status["CapBnd"], 16) == 0)
                expect(f"{kind} is not root", status["Uid"].split()[0] != "0")
                groups = set(status["Groups"].split())
                expect(f"{kind} is in no group: {groups}", groups <= device_groups())
            if known["seccomp"]:
                expect(f"{kind} has a filter", status["Seccomp"] == "2")
            if known["seccomp"] and kind in ("gate", "web", "stream", "store"):
                expect(f"{kind} has settled", status["Seccomp_filters"] == "2")
            limits = pathlib.Path(f"/proc/{row['pid']}/limits").read_text()
            expect(f"{kind} leaves no core", re.search(r"core file size +0 +0", limits))
        ended(viewers)


def run_app(host, title):
    host.paired(title)
    report = host.probe("stream", "--app", title, "--seconds", "5", "--no-decode", keys=title,
                        check=False)
    host.wait_log("event=app-exited", 10)
    return report


def groups(name):
    """Those of other hosts come and go meanwhile."""
    return [pathlib.Path(folder) / name for folder, folders, _ in os.walk("/sys/fs/cgroup")
            if name in folders]


class LeavesNoGroup(Host):
    def let_go(self):
        wait_for("none is left", 5, lambda: not groups(f"perigee-{self.port}"))


def a_session_has_a_control_group_of_its_own(build):
    viewers = []
    limits = "limits: { session_memory: 3000, session_processes: 300 }"
    with LeavesNoGroup(build, config=limits) as host:
        streaming(host, viewers)
        known = host.status("confinement")[0]
        if known["cgroup_version"] == 0:
            expect("it is said why", "control group" in known["missing"])
        else:
            session = host.status("session")[0]["id"]
            found = groups(f"s-{session}")
            expect("there is one", found)
            pids = {str(r["pid"]) for r in host.status("process", session=session)}
            for group in found:
                limit = group / ("memory.max" if known["cgroup_version"] == 2 else
                                 "memory.limit_in_bytes")
                if limit.exists():
                    expect("with a limit of memory", limit.read_text().strip() == str(3000 << 20))
                    inside = set((group / "cgroup.procs").read_text().split())
                    expect(f"with every process in it: {pids - inside}", pids <= inside)
                if (group / "pids.max").exists():
                    expect("and one of processes", (group / "pids.max").read_text().strip() == "300")
        ended(viewers)


APPS = """
apps:
  - title: Keyboard
    command: [sh, -c, "setxkbmap -query && echo the-x-server-works"]
  - title: Confined
    command: [sh, -c, "grep NoNewPrivs /proc/self/status"]
  - title: Normal
    command: [sh, -c, "grep NoNewPrivs /proc/self/status"]
    privileges: normal
"""


def an_x_program_finds_its_server(build):
    """Xwayland and xkbcomp are what a desktop may execute; also of a plain user's host."""
    if not shutil.which("setxkbmap") or not shutil.which("Xwayland"):
        return
    users = [None]
    if os.getuid() == 0:
        with contextlib.suppress(KeyError):
            users.append(pwd.getpwnam("perigee"))
    for user in users:
        with Host(build, config=APPS, user=user) as host:
            run_app(host, "Keyboard")
            host.wait_log("the-x-server-works", 10)


def an_app_keeps_its_privileges_if_its_configuration_says_so(build):
    with Host(build, config=APPS) as host:
        for title, flag in (("Confined", 1), ("Normal", 0)):
            mark = len(host.log())
            run_app(host, title)
            host.wait_log(f"NoNewPrivs: {flag}", 10, mark)


if __name__ == "__main__":
    run([
        every_kind_maps_what_it_needs_and_no_more,
        confinement_is_in_force,
        a_session_has_a_control_group_of_its_own,
        an_x_program_finds_its_server,
        an_app_keeps_its_privileges_if_its_configuration_says_so,
    ])
