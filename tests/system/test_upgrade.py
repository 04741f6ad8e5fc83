#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Another version takes over while streams go on; one that does not start is taken back."""
import os
import pathlib
import shutil
import signal
import subprocess
import time

from host import Host, expect, libexec_folders, run, wait_for

OLD, MARK = "0.1.0", b"@(#)perigee "
SERVES_ALL = {"gate", "web", "store", "facts"}


def install(host, name, version=OLD):
    """An installation: the programs of this build, whose version is another string of the
    same length."""
    folder = host.folder / name
    folder.mkdir()
    for source in libexec_folders(host.build, host.source):
        for path in pathlib.Path(source).iterdir():
            put(path, folder / path.name, version)
    return folder


def put(source, target, version=OLD):
    """As package managers do: the name gets another file, the old one stays for who has it."""
    if not source.name.startswith("perigee") or not source.is_file() or \
            not os.access(source, os.X_OK):
        return
    text = source.read_bytes().replace(MARK + OLD.encode(), MARK + version.encode())
    fresh = target.with_name(target.name + ".new")
    fresh.write_bytes(text)
    fresh.chmod(0o755)
    fresh.rename(target)


class Installed(Host):
    """Runs from an installation of its own, not from the build."""

    def before_start(self):
        self.installation = install(self, "old")
        self.command[0] = str(self.installation / "perigee-hold")
        self.command[2] = str(self.installation)


def upgrade(host, *words):
    return subprocess.run([str(host.build / "src/cli/perigee"), "--runtime",
                           str(host.folder / "run"), "upgrade", *words],
                          capture_output=True, text=True, timeout=200, check=False)


def went(host, *words):
    done = upgrade(host, *words)
    expect(f"upgraded: {done}", done.returncode == 0)
    return done.stdout


def versions(host, **wanted):
    return {row["kind"] + "/" + row["name"]: row["version"]
            for row in host.status("process", **wanted)}


def stream(host, seconds, *flags, keys="viewer", mode="stream"):
    viewer = host.probe(mode, "--app", "Pattern", "--size", "1280x720", "--fps", "60",
                        "--seconds", str(seconds), *flags, keys=keys, background=True)
    wait_for("it streams", 20, lambda: host.status("session", state="streaming"))
    return viewer


def expect_whole(what, report):
    video = report["video"]
    expect(f"{what}: nothing was lost: {report}", report["ok"] and video["missing_numbers"] == 0
           and video["decode_errors"] == 0 and video["pattern"]["backwards"] == 0)


def expect_serving(host, version):
    got = {row["kind"]: row["version"] for row in host.status("process", session="0" * 16)
           if row["kind"] in SERVES_ALL}
    expect(f"all that serve everybody are of {version}: {got}",
           got == dict.fromkeys(SERVES_ALL, version))
    expect("the supervisor too", host.status("host")[0]["version"] == version)


def nobody_notices(build):
    with Installed(build) as host:
        new = install(host, "new", "0.1.1")
        host.paired()
        viewer = stream(host, 12)
        session = host.status("session")[0]["id"]
        done = upgrade(host, "--check", "--from", str(new))
        expect(f"said what would be: {done}", done.returncode == 0 and
               "Would go from version 0.1.0 to 0.1.1" in done.stdout and
               "1 session " in done.stdout)
        expect("and nothing was done", host.status("host")[0]["version"] == OLD and
               not host.status("upgrade"))
        print(went(host, "--from", str(new)), flush=True)
        expect_serving(host, "0.1.1")
        expect("the session's are as they were",
               set(versions(host, session=session).values()) == {OLD})
        report = host.report(viewer)
        expect_whole("the viewer", report)


if __name__ == "__main__":
    run([
        nobody_notices,
    ])
