#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Another version takes over while streams go on; one that does not start is taken back."""
import os
import pathlib
import shutil
import signal
import subprocess

from api_client import Api
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


def stream(host, keys, size="1280x720", fps=60):
    """A viewer that stays until it is told to show that all works (SIGUSR2), and its session."""
    host.paired(keys)
    before = {row["id"] for row in host.status("session")}
    viewer = host.probe("stream", "--app", "Pattern", "--size", size, "--fps", str(fps),
                        "--seconds", "120", keys=keys, background=True)
    return viewer, wait_for(f"{keys} streams", 20, lambda: [
        row["id"] for row in host.status("session", state="streaming")
        if row["id"] not in before and row["pictures"] > 30])[0]


def shows(host, what, viewer, lost=False):
    """The viewer types something, sees it, and leaves. lost: an encoder of it has died."""
    viewer.send_signal(signal.SIGUSR2)
    report = host.report(viewer, check=False)
    video, typed = report["video"], report.get("input", {})
    expect(f"{what}: it stayed to the end: {report.get('end')}", report.get("end") == "time" and
           report.get("termination") is None)
    expect(f"{what}: a key shows: {typed}", typed.get("seen") == 5 and typed.get("missed") == 0)
    expect(f"{what}: no decode error: {video}", video["decode_errors"] == 0 and
           video["malformed"] == 0 and video["pattern"]["backwards"] == 0)
    expect(f"{what}: no picture is missing: {video}", lost or video["missing_numbers"] == 0)
    print(f"# {what}: longest gap of pictures {video['gap_ms']['max']:.0f} ms", flush=True)


def expect_serving(host, version):
    got = {row["kind"]: row["version"] for row in host.status("process", session="0" * 16)
           if row["kind"] in SERVES_ALL}
    expect(f"all that serve everybody are of {version}: {got}",
           got == dict.fromkeys(SERVES_ALL, version))
    expect("the supervisor too", host.status("host")[0]["version"] == version)


def expect_session(host, session, version):
    got = {row["name"]: row["version"] for row in host.status("process", session=session)}
    expect(f"the session is of {version}: {got}", set(got.values()) == {version})


def quit_all(host, *keys):
    for name in keys:
        host.probe("quit", keys=name)
    wait_for("the sessions are over", 10, lambda: not host.status("session"))


def files_of(pid):
    """What a process has open, by the files' names."""
    names = []
    for entry in os.listdir(f"/proc/{pid}/fd"):
        try:
            names.append(os.readlink(f"/proc/{pid}/fd/{entry}"))
        except OSError:
            pass
    return names


def programs_of(pid):
    return [name for name in files_of(pid) if "/perigee" in name and "/old/" in name]


def nobody_notices(build):
    """The files are replaced where they are, as a package manager does."""
    with Installed(build) as host:
        quiet, first = stream(host, "quiet")
        struck, second = stream(host, "struck", "640x360", 30)
        for path in host.installation.iterdir():
            put(path, path, "0.1.1")
        done = upgrade(host, "--check")
        expect(f"said what would be: {done}", done.returncode == 0 and
               "Would go from version 0.1.0 to 0.1.1" in done.stdout and
               "2 sessions go on" in done.stdout)
        answer = Api(host).post("/api/v1/system/upgrade", {"check": True})
        expect(f"the same over the API: {answer}", answer["new_version"] == "0.1.1")
        expect("and nothing was done", host.status("host")[0]["version"] == OLD and
               not host.status("upgrade"))
        print("# " + went(host).replace("\n", "\n# "), flush=True)
        expect_serving(host, "0.1.1")
        rows = host.status("upgrade")
        expect(f"it is told: {rows}", rows[0]["phase"] == "done" and
               rows[0]["old_version"] == OLD and rows[0]["new_version"] == "0.1.1")
        expect("nobody died of it", not host.status("incident"))
        expect_session(host, first, OLD)
        expect_session(host, second, OLD)

        mark = len(host.log())
        encoder = host.pid("encoder", name="pictures", session=second)
        os.kill(encoder, signal.SIGKILL)
        host.wait_log("event=part-replaced", 10, mark)
        expect("another encoder", host.pid("encoder", name="pictures", session=second) != encoder)
        expect_session(host, second, OLD)
        mark = len(host.log())
        os.kill(host.pid("gate"), signal.SIGKILL)
        host.wait_log("event=door-open kind=gate", 10, mark)
        expect_serving(host, "0.1.1")
        fresh, third = stream(host, "fresh", "640x360", 30)
        expect_session(host, third, "0.1.1")

        shows(host, "not struck", quiet)
        shows(host, "its encoder died", struck, lost=True)
        shows(host, "of the new version", fresh)
        expect("both are kept open", len(host.status("version")) == 2)
        quit_all(host, "quiet", "struck", "fresh")
        wait_for("nothing of the old one is left", 10, lambda: (
            [row["version"] for row in host.status("version")] == ["0.1.1"]))
        wait_for("nor with the holder", 10, lambda: not [
            name for name in programs_of(host.process.pid) if name.endswith(" (deleted)")])
        expect("which keeps the new one's", programs_of(host.process.pid))
        wait_for("nor as a process", 10, lambda: {
            pid for pid, _ in host.remains()
            if os.readlink(f"/proc/{pid}/exe").endswith(" (deleted)")} == {host.process.pid})


def broken(host, name, kind, **programs):
    """An installation whose perigeed, or another program, is one that does not start."""
    folder = install(host, name, "0.1.1")
    for program in programs.get("programs", ["perigeed"]):
        (folder / program).unlink()
        shutil.copy(host.build / "tests/system" / f"perigeed-that-{kind}", folder / program)
    return str(folder)


def one_that_does_not_start_is_taken_back(build):
    with Installed(build) as host:
        viewer, session = stream(host, "viewer")
        for words, kind, programs, told in (
                ([], "leaves", ["perigeed"], "exited with status 3"),
                (["--deadline", "2"], "hangs", ["perigeed"], "not ready within 2000 ms"),
                (["--deadline", "4"], "leaves", ["perigee-gate"], "not ready within 4000 ms")):
            name = f"{kind}-{programs[0]}"
            done = upgrade(host, "--from", broken(host, name, kind, programs=programs), *words)
            expect(f"{name}: it is told why: {done}", done.returncode == 1 and
                   told in done.stderr and "Version 0.1.0 goes on" in done.stderr)
            row = host.status("upgrade")[0]
            expect(f"{name}: and kept: {row}", row["phase"] == "went back" and
                   row["reason"] == "upgrade-back" and told in row["detail"])
            wait_for(f"{name}: the old ones serve", 15, lambda: (
                {row["kind"]: row["version"] for row in host.status(
                    "process", session="0" * 16) if row["kind"] in SERVES_ALL}
                == dict.fromkeys(SERVES_ALL, OLD)))
            expect_session(host, session, OLD)
            wait_for(f"{name}: nothing of the other is left", 10,
                     lambda: len(host.status("version")) == 1)
        expect("the log says so", host.log().count("event=upgrade-back") >= 3)
        shows(host, "all along", viewer)
        viewer, _ = stream(host, "another", "640x360", 30)
        shows(host, "afterwards", viewer)


def what_cannot_be_is_refused_before(build):
    with Installed(build) as host:
        open_one = install(host, "open", "0.1.1")
        (open_one / "perigee-gate").chmod(0o757)
        for words, told in (
                ([], "Nothing to do"),
                (["--from", str(host.folder / "nowhere")], "There is no perigeed in"),
                (["--from", str(host.folder / "state")], "Perigee's own folders"),
                (["--from", str(open_one)], "could have been written by somebody else"),
                (["--from", broken(host, "unfit", "unfit")], "it reads no layout of this kind"),
                (["--from", broken(host, "mute", "leaves", programs=["perigee-exec", "perigeed"]),
                  "--check"], None)):
            done = upgrade(host, *words)
            expect(f"{words}: {done}", done.returncode == (1 if told else 0) and
                   (not told or told in done.stderr))
            expect("nothing was touched", not host.status("upgrade") and
                   len(host.status("version")) == 1)
        done = upgrade(host, "--deadline", "soon")
        expect(f"a deadline is a number: {done}", done.returncode == 2)


if __name__ == "__main__":
    run([
        nobody_notices,
        one_that_does_not_start_is_taken_back,
        what_cannot_be_is_refused_before,
    ])
