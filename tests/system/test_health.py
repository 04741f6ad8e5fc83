#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whether the host lives, whether a session can start, and its figures."""
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

from host import Host, Failed, expect, libexec_folders, run, wait_for
from prometheus import Families, Malformed


def ask(host, path):
    """GET over the API's socket: status, type, body."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect(str(host.folder / "run/api.sock"))
        return talk(s, path)


def ask_web(host, path, key=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", host.port + 1), timeout=10) as s, \
            context.wrap_socket(s) as tls:
        return talk(tls, path, f"Authorization: Bearer {key}\r\n" if key else "")


def talk(s, path, fields=""):
    s.sendall(f"GET {path} HTTP/1.1\r\nHost: perigee\r\nConnection: close\r\n{fields}\r\n".encode())
    answer = b""
    while chunk := s.recv(65536):
        answer += chunk
    head, body = answer.decode().split("\r\n\r\n", 1)
    kind = [line.split(": ", 1)[1] for line in head.splitlines() if line.startswith("Content-Type")]
    return int(head.split(" ")[1]), kind[0] if kind else "", body


def figures(host):
    status, kind, body = ask(host, "/metrics")
    expect(f"figures: {status} {kind}", status == 200 and kind.startswith("text/plain; version="))
    try:
        return Families(body)
    except Malformed as reason:
        raise Failed(f"malformed: {reason}")


def web_key(host):
    return host.api("/api/v1/pair/link")["url"].split("#key=")[1]


def figures_are_well_formed_and_rise(build):
    with Host(build) as host:
        wait_for("ready", 10, lambda: ask(host, "/readyz")[0] == 200)
        before = figures(host)
        expect(f"60 series and more: {len(before.samples)}, families {len(before.families)}",
               len(before.samples) >= 60 and len(before.families) >= 60)
        host.paired()
        host.probe("stream", "--app", "Pattern", "--seconds", "1.5", "--drop", "3")
        wait_for("the pictures are counted", 5,
                 lambda: figures(host).value("perigee_stream_pictures_total") > 10)
        after = figures(host)
        for name in ("perigee_launches_total", "perigee_streams_begun_total",
                     "perigee_stream_packets_total", "perigee_stream_fec_packets_total",
                     "perigee_stream_key_frames_total", "perigee_stream_sound_packets_total",
                     "perigee_desktop_pictures_total", "perigee_encoder_frames_total",
                     "perigee_gate_handshakes_total", "perigee_picture_age_seconds_count",
                     "perigee_launch_seconds_count", "perigee_process_starts_total"):
            expect(f"{name} rose: {before.sum(name)} {after.sum(name)}",
                   after.sum(name) > before.sum(name))
        for name, kind in before.families.items():
            if kind == "counter":
                for key, value in before.samples.items():
                    expect(f"{key} does not fall", key[0] != name or after.samples[key] >= value)
        for stage in ("render", "convert", "encode", "pace"):
            expect(f"stage {stage}", after.value("perigee_picture_stage_seconds_count",
                                                 stage=stage) > 10)
        keys = after.value("perigee_stream_key_frames_total")
        expect(f"few pictures are key frames: {keys}",
               0 < keys < after.value("perigee_stream_pictures_total") / 4)
        status, _, _ = ask_web(host, "/metrics")
        expect(f"a stranger gets no figures: {status}", status == 401)
        status, _, body = ask_web(host, "/metrics", web_key(host))
        expect(f"a monitor with the key does: {status}", status == 200 and Families(body))


def an_incident_is_counted_by_reason(build):
    with Host(build) as host:
        os.kill(host.pid("facts"), signal.SIGKILL)
        wait_for("it is counted", 5,
                 lambda: figures(host).sum("perigee_incidents_total") == 1 and
                 figures(host).value("perigee_service_restarts_total", service="facts") == 1)
        probe = host.probe("stream", "--app", "Pattern", "--seconds", "1", check=False)
        expect(f"not paired: {probe}", not probe.get("ok"))
        host.paired()
        probe = host.probe("resume", check=False)
        wait_for("a refusal is counted, too", 5,
                 lambda: figures(host).sum("perigee_launches_refused_total") == 1)


def health_is_answered_while_the_supervisor_stands_still(build):
    with Host(build) as host:
        wait_for("ready", 10, lambda: ask(host, "/readyz")[0] == 200)
        expect("on the web port too", ask_web(host, "/readyz")[0] == 200 and
               ask_web(host, "/healthz")[2] == "alive\n")
        supervisor = [pid for pid, name in host.remains() if name.endswith("perigeed")][0]
        os.kill(supervisor, signal.SIGSTOP)
        try:
            begun = time.monotonic()
            times = []
            for path in ("/healthz", "/readyz", "/metrics") * 20:
                asked = time.monotonic()
                expect(f"{path} is answered", ask(host, path)[0] == 200)
                times.append(time.monotonic() - asked)
            print(f"    median {sorted(times)[len(times) // 2] * 1000:.2f} ms, "
                  f"slowest {max(times) * 1000:.2f} ms")
            expect("soon", sorted(times)[len(times) // 2] < 0.02)
            if time.monotonic() - begun < 3:
                expect("the age is shown", figures(host).value("perigee_board_age_seconds") < 5)
        finally:
            os.kill(supervisor, signal.SIGCONT)
        wait_for("the board is fresh again", 5,
                 lambda: figures(host).value("perigee_board_age_seconds") < 1.5)


def a_restart_is_no_outage(build):
    with Host(build) as host:
        wait_for("ready", 10, lambda: ask(host, "/readyz")[0] == 200)
        os.kill(host.pid("store"), signal.SIGKILL)
        expect("still alive", ask(host, "/healthz")[0] == 200)
        wait_for("still ready", 5, lambda: ask(host, "/readyz")[0] == 200)


def command(host, *args):
    """The operator's command: exit status and what it printed."""
    done = subprocess.run([str(host.build / "src/cli/perigee"), *args], capture_output=True,
                          text=True, timeout=90)
    return done.returncode, done.stdout


def doctor(host, *args):
    status, text = command(host, "doctor", "--json", *args)
    report = json.loads(text)
    expect(f"the exit status says it too: {status} {report}", status == (not report["possible"]))
    return report["possible"], {row["name"]: row for row in report["checks"]}


def refusal(host):
    """A launch: how long it took to be refused, and why. None: it was not."""
    begun = time.monotonic()
    report = host.probe("stream", "--app", "Pattern", "--launch", "--frames", "2", "--seconds", "8",
                        "--no-decode", "--quit", check=False)
    return None if report["ok"] else (time.monotonic() - begun, report["error"])


def readiness_is_proven_by_a_small_session_of_its_own(build):
    with Host(build, trial=True) as host:
        expect("nothing is proven yet", ask(host, "/readyz")[0] == 503)
        wait_for("ready", 20, lambda: ask(host, "/readyz")[0] == 200)
        expect("by a trial", "event=readiness-trial result=passed" in host.log())
        wait_for("its session is over", 5, lambda: not host.status("session"))
        expect("nobody is paired", host.api("/api/v1/clients")["clients"] == [])
        expect("its app is not listed", not [row for row in host.status("app")
                                             if "trial" in row["title"].lower()])
        expect("no home is left", not list((host.folder / "data").rglob("*rial*")))
        wait_for("it is counted apart", 5, lambda: figures(host).value(
            "perigee_trials_total", result="passed") == 1)
        seen = figures(host)
        expect("and not among the users'", seen.value("perigee_launches_total") == 0 and
               seen.sum("perigee_sessions_ended_total") == 0 and
               seen.value("perigee_streams_begun_total") == 0)
        wait_for("its process is gone", 5, lambda: not host.status("process", kind="trial"))
        expect("one is enough", host.log().count("event=readiness-trial ") == 1)


def program_of(build, name):
    folders = libexec_folders(pathlib.Path(build).resolve(),
                              pathlib.Path(__file__).resolve().parents[2])
    return next(path for path in (pathlib.Path(folder) / name for folder in folders)
                if path.exists())


def a_broken_part_is_named_and_launches_are_refused_until_it_works(build):
    for name, leg in (("perigee-encoder", "encoder"), ("perigee-desktop", "desktop")):
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            # The holder keeps the programs open: broken is one that nobody may execute.
            program = pathlib.Path(shutil.copy(program_of(build, name), folder))
            with Host(build, trial=True, front=folder) as host:
                wait_for("ready", 20, lambda: ask(host, "/readyz")[0] == 200)
                host.paired()
                program.chmod(0o644)
                expect(f"{leg}: the first launch fails", refusal(host))
                host.probe("quit", check=False)
                wait_for(f"{leg}: not ready", 60, lambda: ask(host, "/readyz")[0] == 503)
                words = ask(host, "/readyz")[2]
                expect(f"the leg is named: {words}", words.startswith(f"not ready: {leg}: "))
                host.wait_log(f"result=failed leg={leg}")
                took, why = refusal(host)
                expect(f"{leg}: refused at once and told why: {took} {why}",
                       f"cannot start a session now ({leg})" in why and took < 2)
                wait_for("and counted", 5, lambda: figures(host).value(
                    "perigee_launches_refused_total", reason="host-sick") == 1)
                expect("so is the trial", figures(host).value(
                    "perigee_trial_failures_total", leg=leg) >= 1)
                expect("the host itself is alive", ask(host, "/healthz")[0] == 200)
                row = host.status("health")[0]
                expect(f"the status too, and when it is tried again: {row}",
                       not row["ready"] and row["leg"] == leg and row["trials_failed"] >= 1 and
                       row["launches"] in ("open", "trying"))
                run_folder = str(host.folder / "run")
                expect("perigee health says so", command(
                    host, "health", "--runtime", run_folder)[0] == 0)
                status, line = command(host, "health", "--ready", "--runtime", run_folder)
                expect(f"and --ready the leg: {line}", status == 1 and
                       line.startswith(f"alive, not ready: {leg}: ") and line.count("\n") == 1)
                possible, rows = doctor(host, "--runtime", run_folder)
                row = rows[{"encoder": "encoder in use", "desktop": "compositor"}[leg]]
                expect(f"the doctor too: {row}", not possible and row["verdict"] == "fails" and
                       row["detail"] and row["remedy"])
                expect(f"what comes before works: {rows}",
                       rows["tls identity"]["verdict"] == "works" and
                       rows["one picture"]["verdict"] == "unknown")
                program.chmod(0o755)
                wait_for("it closes by itself", 90, lambda: ask(host, "/readyz")[0] == 200)
                expect("launches go again", refusal(host) is None)
                possible, rows = doctor(host, "--runtime", run_folder)
                expect(f"all is well: {rows}", possible and
                       rows["one picture"]["verdict"] == "works")


def systemd_is_told_when_the_doors_are_open(build):
    with tempfile.TemporaryDirectory() as folder, \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(f"{folder}/notify")
        notify.settimeout(20)
        with Host(build, env={"NOTIFY_SOCKET": f"{folder}/notify"}):
            said = notify.recv(4096).decode()
            while "READY=1" not in said.splitlines():
                said = notify.recv(4096).decode()
            while "WATCHDOG=1" not in said.splitlines():
                said = notify.recv(4096).decode()
        said = notify.recv(4096).decode()
        while "STOPPING=1" not in said.splitlines():
            said = notify.recv(4096).decode()


def a_trial_that_cannot_run_refuses_nobody(build):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        front = pathlib.Path(folder)
        (front / "perigee-trial").symlink_to("/bin/false")
        with Host(build, trial=True, front=front) as host:
            wait_for("the trial fails", 20, lambda: "result=failed leg=trial" in host.log())
            wait_for("that is said", 5,
                     lambda: ask(host, "/readyz")[2].startswith("not ready: trial: "))
            host.paired()
            expect("launches go", refusal(host) is None)
            wait_for("which is a proof", 5, lambda: ask(host, "/readyz")[0] == 200)


def the_doctor_starts_a_host_of_its_own_where_none_runs(build):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        front = pathlib.Path(folder)
        with Host(build, front=front) as host:
            libexec = host.command[2]
        before = set(os.listdir("/tmp"))
        env = {**os.environ, "XDG_RUNTIME_DIR": folder}
        for broken in (False, True):
            if broken:
                (front / "perigee-desktop").symlink_to("/bin/false")
            done = subprocess.run([str(host.build / "src/cli/perigee"), "doctor", "--json",
                                   "--libexec", libexec], capture_output=True, text=True,
                                  timeout=120, env=env)
            rows = {row["name"]: row for row in json.loads(done.stdout)["checks"]}
            expect(f"{broken}: {rows}", done.returncode == int(broken) and
                   rows["tls identity"]["verdict"] == "works" and
                   rows["compositor"]["verdict"] == ("fails" if broken else "works"))
        expect("nothing is left", not [name for name in set(os.listdir("/tmp")) - before
                                       if name.startswith("perigee-doctor")])


if __name__ == "__main__":
    run([
        figures_are_well_formed_and_rise,
        an_incident_is_counted_by_reason,
        health_is_answered_while_the_supervisor_stands_still,
        a_restart_is_no_outage,
        readiness_is_proven_by_a_small_session_of_its_own,
        a_broken_part_is_named_and_launches_are_refused_until_it_works,
        systemd_is_told_when_the_doors_are_open,
        a_trial_that_cannot_run_refuses_nobody,
        the_doctor_starts_a_host_of_its_own_where_none_runs,
    ])
