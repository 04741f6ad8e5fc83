#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Installs into an empty folder and looks at what a packager would get.

    check_install.py BUILD

Also asks systemd, where it is there, whether the unit is sound and how much it leaves open.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

EXPOSURE_MAX = 25  # tenths; the unit says what for
PROGRAMS = ["perigee-hold", "perigeed", "perigee-gate", "perigee-store", "perigee-desktop",
            "perigee-encoder", "perigee-stream", "perigee-runner", "perigee-container",
            "perigee-exec", "perigee-log",
            "perigee-facts", "perigee-discover", "perigee-art", "perigee-probe", "perigee-trial",
            "perigee-pattern", "perigee-home"]
FILES = ["bin/perigee", "lib/systemd/system/perigee.service", "lib/sysusers.d/perigee.conf",
         "lib/tmpfiles.d/perigee.conf", "lib/firewalld/services/perigee.xml",
         "share/perigee/perigee.json", "share/perigee/alerts.yml", "share/man/man8/perigeed.8",
         *[f"libexec/perigee/{name}" for name in PROGRAMS]]


def fail(words):
    print(words)
    sys.exit(1)


def run(*command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          **more)


def check_files(root):
    for name in FILES:
        if not (root / name).exists():
            fail(f"{name} is not installed")
    unit = (root / "lib/systemd/system/perigee.service").read_text()
    program = re.search(r"^ExecStart=(\S+)", unit, re.M)[1]
    if not program.endswith("/libexec/perigee/perigee-hold") or "@libexecdir@" in unit:
        fail(f"the unit starts {program}")
    done = run(str(root / "libexec/perigee/perigee-hold"), "--version")
    if done.returncode != 0 or not done.stdout.startswith("perigee "):
        fail(f"the installed holder does not start: {done.stdout}")
    return root / "lib/systemd/system/perigee.service"


def check_user(root):
    if os.geteuid() != 0 or not shutil.which("systemd-sysusers"):
        print("the user was not made: that takes root and systemd-sysusers")
        return
    with tempfile.TemporaryDirectory() as machine:
        os.mkdir(f"{machine}/etc")
        for tool, name, flags in (("systemd-sysusers", "sysusers.d", []),
                                  ("systemd-tmpfiles", "tmpfiles.d", ["--create"])):
            done = run(tool, f"--root={machine}", *flags, str(root / f"lib/{name}/perigee.conf"))
            if done.returncode != 0:
                fail(f"{tool}: {done.stdout}")
        for path in ("run/perigee", "var/lib/perigee/homes", "var/lib/perigee/evidence"):
            if os.stat(f"{machine}/{path}").st_uid == 0:
                fail(f"/{path} is root's")


def check_unit(unit):
    if not shutil.which("systemd-analyze"):
        print("systemd-analyze is not here: the unit was not looked at")
        return
    done = run("systemd-analyze", "security", "--offline=true", "--no-pager",
               f"--threshold={EXPOSURE_MAX}", str(unit))
    print(done.stdout.strip().splitlines()[-1])
    if done.returncode != 0:
        fail(f"the unit leaves more open than {EXPOSURE_MAX / 10}:\n{done.stdout}")
    done = run("systemd-analyze", "verify", "--man=no", str(unit))
    bad = [line for line in done.stdout.splitlines() if "perigee" in line and
           "not executable" not in line and "bus" not in line]
    if bad:
        fail("\n".join(bad))


def main():
    build = pathlib.Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        done = run("meson", "install", "-C", str(build), "--no-rebuild", "--quiet",
                   env={**os.environ, "DESTDIR": folder})
        if done.returncode != 0:
            fail(done.stdout)
        root = next(pathlib.Path(folder).rglob("bin/perigee")).parents[1]
        unit = check_files(root)
        check_user(root)
        check_unit(unit)


if __name__ == "__main__":
    main()
