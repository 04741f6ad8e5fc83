# SPDX-License-Identifier: MIT
"""A Perigee of our own from a build folder, its API, and a viewer for it."""
import http.client
import json
import os
import pathlib
import shlex
import signal
import socket
import subprocess
import time

ROOMS = ("supervisor", "gate", "store", "host", "desktop", "runner", "encoder", "stream", "apps",
         "cli", "autopsy")
PIN = "1234"
START_S, PAIR_S, STOP_S = 20, 30, 15


def build_benches(build):
    subprocess.run(["ninja", "-C", str(build), "all", "bench"], check=True,
                   stdout=subprocess.DEVNULL)


def wait_for(what, seconds, condition):
    """The first true answer of condition, asked again and again until the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.02)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def pss_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def cpu_s(pid):
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as text:
        main = int(text.read().split()[0])
    threads = list(pathlib.Path(f"/proc/{pid}/task").iterdir())
    if len(threads) > 1:
        main = sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads)
    return main / 1e9


def tree(root):
    """root and all its descendants."""
    parents = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(text.rpartition(")")[2].split()[1])
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def tree_cpu_s(root):
    return sum(cpu_s(pid) for pid in tree(root))


def busy_s():
    """Of the whole machine since it started: all but idle, waiting and stolen time."""
    with open("/proc/stat", encoding="ascii") as lines:
        ticks = [int(word) for word in lines.readline().split()[1:]]
    return (sum(ticks[:3]) + sum(ticks[5:7])) / os.sysconf("SC_CLK_TCK")


class Others:
    """What everybody else took of the machine meanwhile, in percent of one core."""

    def __init__(self, *roots):
        self.roots = roots
        self.begun = (time.monotonic(), busy_s(), self.ours_s())

    def ours_s(self):
        return sum(tree_cpu_s(root) for root in self.roots)

    def percent(self):
        took = time.monotonic() - self.begun[0]
        return max(0, busy_s() - self.begun[1] - self.ours_s() + self.begun[2]) / took * 100


class Viewer:
    """How a client is run: by default the probe that comes with Perigee."""

    def __init__(self, build, port, keys, command):
        probe = build / "src" / "cli" / "perigee"
        self.custom = command
        self.command = command or (f"{probe} probe {{mode}} --json --no-decode --host 127.0.0.1 "
                                   f"--port {port} --keys {{keys}}")
        self.keys = keys

    def line(self, mode, **values):
        words = shlex.split(self.command.format(mode=mode, keys=self.keys, **values))
        if self.custom:
            return words
        if mode == "pair":
            words += ["--pin", PIN]
        if mode == "stream":
            words += ["--app", values["app"], "--seconds", str(values["seconds"]),
                      "--size", "1280x720", "--fps", "60", "--kbps", "8000"]
            if values.get("script"):
                words += ["--script", values["script"]]
        return words

    def start(self, mode, **values):
        values = {"app": "", "seconds": 0, "script": ""} | values
        return subprocess.Popen(self.line(mode, **values), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def run(self, mode, **values):
        process = self.start(mode, **values)
        output, _ = process.communicate(timeout=120)
        try:
            return json.loads(output.strip().splitlines()[-1])
        except (IndexError, ValueError):
            return {}


class Host:
    def __init__(self, build, folder, port, viewer):
        self.build, self.folder, self.port = build, folder, port
        self.runtime, self.log = folder / "run", folder / "state" / "perigee.log"
        self.viewer = Viewer(build, port, folder / "keys", viewer)
        self.process = None

    def __enter__(self):
        source = pathlib.Path(__file__).resolve().parents[2]
        libexec = ":".join(str(self.build / "src" / room) for room in ROOMS)
        line = [str(self.build / "src" / "supervisor" / "perigee-hold"),
                "--libexec", f"{libexec}:{source / 'src' / 'apps'}", "--port", str(self.port),
                "--state", str(self.folder / "state"), "--data", str(self.folder / "data"),
                "--runtime", str(self.runtime), "--no-discovery", "--no-trial"]
        with open(self.folder / "output", "w", encoding="utf-8") as output:
            self.process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=output, start_new_session=True)
        try:
            wait_for("the host to be ready", START_S, self.is_ready)
            self.pair()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def is_ready(self):
        try:
            return self.log.exists() and b"event=ready" in self.log.read_bytes() and self.status()
        except OSError:
            return False

    def api(self, method, target, body=None):
        connection = UnixConnection(self.runtime / "api.sock")
        try:
            connection.request(method, target, body and json.dumps(body))
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def status(self):
        return self.api("GET", "/api/v1/status").get("status", [])

    def pair(self):
        waiting = self.viewer.start("pair")
        wait_for("pairing", PAIR_S, lambda: self.api(
            "POST", "/api/v1/pair/client", {"pin": PIN}).get("success"))
        waiting.communicate(timeout=PAIR_S)

    def session(self):
        return next((line for line in self.status() if line["what"] == "session"), None)

    def processes(self):
        """The workers of the one session that there is, by kind and name."""
        session = self.session()
        return [line for line in self.status()
                if session and line["what"] == "process" and line["session"] == session["id"]]

    def counters(self, kind):
        found = next(p for p in self.processes() if p["kind"] == kind)
        return found["counters"] + [0] * 48

    def quit(self):
        self.viewer.run("quit")
        wait_for("the session to end", 20, lambda: not self.session())

    def log_size(self):
        return self.log.stat().st_size

    def events(self, event, since):
        """The fields of this event's lines beyond a place in the log."""
        with open(self.log, encoding="utf-8", errors="replace") as lines:
            lines.seek(since)
            for line in lines:
                if f" event={event} " in line:
                    yield dict(word.split("=", 1) for word in line.split() if "=" in word)


def path_of(host, name):
    return os.fspath(host.build / "tests" / "bench" / name)
