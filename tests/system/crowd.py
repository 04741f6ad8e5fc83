# SPDX-License-Identifier: MIT
"""Many clients at once: more than pairing lets one address have in a few seconds."""
import hashlib
import os
import pathlib
import shutil
import signal
import sqlite3
import ssl
import subprocess

from host import Failed, expect, wait_for


def make_client(first, folder, serial):
    """A client of its own certificate; the key, which takes long to make, is the first's."""
    folder.mkdir(mode=0o700)
    for name in ("key.pem", "host.der"):
        shutil.copy(first / name, folder)
    made = subprocess.run(
        ["openssl", "req", "-x509", "-key", str(folder / "key.pem"), "-sha256", "-days", "30",
         "-subj", "/CN=NVIDIA GameStream Client", "-set_serial", str(serial), "-out",
         str(folder / "client.pem")], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise Failed(f"openssl: {made.stderr}")
    return ssl.PEM_cert_to_DER_cert((folder / "client.pem").read_text())


def paired_crowd(host, count):
    """So many clients, known to the host; their names for probe(keys=). One pairs, the others are
    written into the state behind the store's back, whose successor reads them."""
    names = [f"crowd{number}" for number in range(count)]
    host.paired(names[0])
    first = host.folder / names[0]
    rows = [make_client(first, host.folder / name, 1000 + number)
            for number, name in enumerate(names) if number > 0]
    with sqlite3.connect(host.folder / "state" / "state.db", timeout=10) as state:
        state.executemany(
            "INSERT INTO client (fingerprint, der, name, created_s, permissions)"
            " SELECT ?, ?, ?, created_s, permissions FROM client LIMIT 1",
            [(hashlib.sha256(der).digest(), der, name) for name, der in zip(names[1:], rows)])
    state.close()
    os.kill(host.pid("store"), signal.SIGKILL)
    wait_for("all of them are known", 15, lambda: len(
        (host.api("/api/v1/clients", optional=True) or {}).get("clients", [])) == count)
    return names


def launch_crowd(host, names, form, abreast=5, then=None, beside=0, app="Pattern"):
    """All of them watch an app, some of them started side by side: the probes, and their
    sessions' numbers as the API wants them. then: what is done with each session before the next
    ones come, for own desktops in full motion are dear. beside: how many stream already."""
    viewers, sessions = [], []
    for first in range(0, len(names), abreast):
        viewers += [host.probe("stream", "--app", app, *form, keys=name, background=True)
                    for name in names[first:first + abreast]]
        rows = wait_for("everybody streams", 30,
                        lambda: streaming(host, beside + len(viewers), viewers), 0.25)
        new = [str(int(row["id"], 16)) for row in rows]
        for session in new:
            if then and session not in sessions:
                then(session)
        sessions += [session for session in new if session not in sessions]
    return viewers, sessions


def streaming(host, count, viewers=()):
    """The rows of so many sessions, when there are. Of the viewers none has ended."""
    over = next((viewer for viewer in viewers if viewer.poll() is not None), None)
    if over:
        raise Failed(f"a viewer ended early: {over.args} {host.report(over, check=False)}")
    rows = [row for row in host.status("session", state="streaming") if row["pictures"] > 0]
    return rows if len(rows) == count else None


def leave_crowd(host, viewers):
    """All of them end together; none missed a picture that was sent to it."""
    for viewer in viewers:
        viewer.send_signal(signal.SIGUSR2)
    for viewer in viewers:
        report = host.report(viewer, check=False)
        video, audio = report.get("video", {}), report.get("audio", {})
        expect(f"to the end: {report}", report.get("end") == "time" and
               report.get("termination") is None)
        expect(f"no picture is missing or broken: {video}",
               video["missing_numbers"] == 0 and video["malformed"] == 0)
        expect(f"sound agrees with itself: {audio}",
               audio["malformed"] == 0 and audio["contradicting"] == 0)
