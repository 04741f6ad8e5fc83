# SPDX-License-Identifier: MIT
"""A Perigee of its own for each system test: own ports, own folders, own end.

Waits are for events, each with a deadline; nothing here sleeps for a result.
"""
import atexit
import functools
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOMS = ["supervisor", "gate", "store", "host", "desktop", "runner", "encoder", "stream", "apps",
         "cli", "autopsy"]
OFFSETS_TCP = [-5, 0, 1, 21]
OFFSETS_UDP = [9, 10, 11]
FIRST_PORT, PLACE_PORTS, PLACES = 20000, 32, 390  # start.sh has those below for itself

# A script's background commands ignore it, and so would the clients that they start: those are
# asked by it to leave.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Failed(Exception):
    pass


def deadline(seconds):
    """Sanitizers make everything slower; so may whoever shares the machine."""
    return time.monotonic() + seconds * float(os.environ.get("PERIGEE_TEST_SLOWNESS", "1"))


def wait_for(what, seconds, condition, step=0.02):
    """Asks again and again: for states of others that announce nothing."""
    until = deadline(seconds)
    while time.monotonic() < until:
        value = condition()
        if value:
            return value
        select.select([], [], [], step)
    raise Failed(f"{what}: not within {seconds} s")


def free_base():
    """A base port whose seven ports are all free now, and a socket whose name keeps every other
    test away from them for as long as it is open. Below the ports that the kernel gives to
    clients: one of these may be gone again before the host binds it."""
    start = os.getpid() % PLACES
    for place in ((start + step) % PLACES for step in range(PLACES)):
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        base = FIRST_PORT + place * PLACE_PORTS - min(OFFSETS_TCP)
        try:
            claim.bind(f"\0perigee-test-ports-{place}")
            for offsets, kind in ((OFFSETS_TCP, socket.SOCK_STREAM),
                                  (OFFSETS_UDP, socket.SOCK_DGRAM)):
                for offset in offsets:
                    with socket.socket(socket.AF_INET6, kind) as probe:
                        probe.bind(("::", base + offset))
            return base, claim
        except OSError:
            claim.close()
    raise Failed("no free ports")


def pss_kb(pid):
    """What a process holds for itself; pages of files are shared with the hosts of other tests,
    which come and go."""
    try:
        rows = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(row.split()[1]) for row in rows if row.startswith(("Pss_Anon:", "Pss_Shmem:")))


@functools.lru_cache
def libexec_folders(build, source):
    """Where the programs are. As root the workers are somebody else's processes: when a
    folder above the build is closed to others, the programs are installed to an open one."""
    if os.getuid() != 0 or all(above.stat().st_mode & 0o001 for above in build.parents):
        return [str(build / "src" / room) for room in ROOMS] + [str(source / "src" / "apps")]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="perigee-programs-", dir="/tmp"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)
    subprocess.run(["meson", "install", "-C", str(build), "--no-rebuild", "--quiet"], check=True,
                   env={**os.environ, "DESTDIR": str(folder)})
    return [str(next(folder.rglob("perigeed")).parent), str(next(folder.rglob("bin/perigee")).parent)]


class Host:
    """processor: "measured" refuses what the processors would not keep up with; on a machine
    that does other things as well most tests want to be let in.
    user: a passwd entry, for a root who starts the host as somebody else."""

    def __init__(self, build, *flags, env=None, discovery=False, config=None, processor="off",
                 user=None, trial=False, front=None, place="/tmp"):
        self.build = pathlib.Path(build).resolve()
        self.source = pathlib.Path(__file__).resolve().parents[2]
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="perigee-", dir=place))
        os.chmod(self.folder, 0o755)
        self.port, self.claim = free_base()
        self.log_path = self.folder / "state" / "perigee.log"
        libexec = ([str(front)] if front else []) + libexec_folders(self.build, self.source)
        self.command = [
            str(self.build / "src/supervisor/perigee-hold"), "--libexec", ":".join(libexec),
            "--port", str(self.port), "--state", str(self.folder / "state"),
            "--data", str(self.folder / "data"), "--runtime", str(self.folder / "run"),
            "--limit-processor", processor,
            *([] if discovery else ["--no-discovery"]), *([] if trial else ["--no-trial"]),
            *flags]
        if config is not None:
            path = self.folder / "perigee.yaml"
            path.write_text(config)
            self.command += ["--config", str(path)]
        self.refusals = False  # whether a worker may be refused a call
        self.output = open(self.folder / "out", "a+b")
        self.before_start()
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=self.output,
                                        stderr=self.output, start_new_session=True,
                                        env={**os.environ, **(env or {}), **self.become(user)[0]},
                                        **self.become(user)[1])

    def become(self, user):
        if not user:
            return {}, {}
        os.chown(self.folder, user.pw_uid, user.pw_gid)
        return ({"HOME": str(self.folder), "USER": user.pw_name},
                {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []})

    def before_start(self):
        """For who needs something there first."""

    def let_go(self):
        """At the end, while the ports are still ours: for who put something there that must go, and
        for what has the port's number in its name."""

    def __enter__(self):
        try:
            self.wait_ready()
        except BaseException:
            self.abandon()
            raise
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            self.show_log()
            self.abandon()
            print(f"kept for whoever looks into it: {self.folder}", file=sys.stderr)
            return False
        self.stop()
        return False

    # ---- state ----

    def text(self):
        return (self.folder / "out").read_text(errors="replace")

    def log(self):
        try:
            return self.log_path.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def wait_ready(self):
        def ready():
            if self.process.poll() is not None:
                raise Failed(f"ended with {self.process.returncode}: {self.text()[-2000:]}")
            return " is ready. " in self.text() and self.api("/api/v1/status", optional=True)
        wait_for("ready", 15, ready)

    def wait_log(self, what, seconds=10, start=0):
        return wait_for(f"log line {what!r}", seconds, lambda: what in self.log()[start:])

    def show_log(self):
        sys.stderr.write("".join(self.log().splitlines(keepends=True)[-80:]))

    def api(self, path, body=None, optional=False, seconds=10, place="run/api.sock"):
        """HTTP over the API's Unix socket, or another in the host's folder; JSON in, JSON out."""
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(seconds)
                s.connect(str(self.folder / place))
                data = json.dumps(body).encode() if body is not None else b""
                verb = "POST" if body is not None else "GET"
                s.sendall(f"{verb} {path} HTTP/1.1\r\nHost: perigee\r\nConnection: close\r\n"
                          f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
                          .encode() + data)
                answer = b""
                while chunk := s.recv(65536):
                    answer += chunk
        except OSError:
            if optional:
                return None
            raise
        return json.loads(answer.split(b"\r\n\r\n", 1)[1])

    def status(self, what, **wanted):
        rows = self.api("/api/v1/status")["status"]
        return [row for row in rows if row["what"] == what and
                all(row.get(key) == value for key, value in wanted.items())]

    def pids(self, kind, **wanted):
        return [row["pid"] for row in self.status("process", kind=kind, **wanted)]

    def pid(self, kind, **wanted):
        pids = self.pids(kind, **wanted)
        if not pids:
            raise Failed(f"no {kind} runs")
        return pids[0]

    def obey(self, worker, order, argument=""):
        """Only in a build with -Dobey=true: what the worker could do. 0 or an errno, a detail."""
        answer = self.api("/api/v1/debug/obey", {"worker": worker, "order": order,
                                                 "argument": str(argument)})
        if not answer.get("success"):
            raise Failed(f"worker {worker} did not obey {order}: {answer}")
        return answer["outcome"], answer["detail"]

    # ---- clients ----

    def probe(self, mode, *args, keys="viewer", check=True, background=False, steered=False):
        """steered: its standard input takes the lines of a script as they come."""
        command = [str(self.build / "src/cli/perigee-probe"), mode, "--host", "127.0.0.1", "--port",
                   str(self.port), "--keys", str(self.folder / keys), "--json", *args]
        command += ["--script", "-"] if steered else []
        process = subprocess.Popen(command,
                                   stdin=subprocess.PIPE if steered else subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return process if background else self.report(process, check=check)

    def report(self, process, seconds=120, check=True):
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Failed(f"the probe hangs: {process.args}")
        if check and process.returncode != 0:
            raise Failed(f"{' '.join(process.args[1:])}: {process.returncode}\n{out}\n{err}")
        lines = [line for line in out.splitlines() if line.startswith("{")]
        return json.loads(lines[-1]) if lines else {"error": err.strip()}

    def pair(self, keys="viewer", pin="1234", enter=None):
        process = self.probe("pair", "--pin", pin, keys=keys, background=True)
        wait_for("a waiting client", 10,
                 lambda: self.api("/api/v1/pair/pending")["requests"])
        answer = self.api("/api/v1/pair/client", {"pin": enter or pin, "name": keys})
        return answer, process

    def paired(self, keys="viewer"):
        answer, process = self.pair(keys)
        if not answer.get("success"):
            raise Failed(f"pairing: {answer}")
        self.report(process)
        return keys

    # ---- the end ----

    def remains(self):
        """Processes that belong to this run, whoever their parent is."""
        mark = str(self.folder).encode()
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == os.getpid():
                continue
            try:
                what = pathlib.Path(f"/proc/{entry}/cmdline").read_bytes() + \
                    pathlib.Path(f"/proc/{entry}/environ").read_bytes()
            except OSError:
                continue
            if mark in what and b"perigee-probe" not in what:
                found.append((int(entry), what.split(b"\0")[0].decode()))
        return found

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        try:
            code = self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.show_log()
            self.abandon()
            raise Failed("does not stop")
        refused = {line for line in self.log().splitlines() if "event=call-refused" in line}
        if refused and not self.refusals:
            raise Failed(f"calls that src/supervisor/confine_table.c should allow: {refused}")
        if code != 0:
            self.show_log()
            raise Failed(f"ended with {code}")
        wait_for("every process gone", 3, lambda: not self.remains())
        if (self.folder / "run").exists():
            raise Failed(f"left behind: {list((self.folder / 'run').rglob('*'))}")
        self.let_go()
        self.claim.close()
        shutil.rmtree(self.folder)

    def abandon(self):
        self.process.kill()
        self.process.wait()
        for pid, _ in self.remains():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def expect(what, value):
    if not value:
        raise Failed(what)


def run(tests):
    """Runs functions that take the build folder, or those named behind it, or with --part 1/3
    the first third of them; prints cmocka-like lines."""
    build, *names = sys.argv[1:]
    if names[:1] == ["--part"]:
        part, parts = map(int, names[1].split("/"))
        tests, names = tests[part - 1::parts], []
    failed = []
    for test in tests:
        if names and test.__name__ not in names:
            continue
        print(f"[ RUN      ] {test.__name__}", flush=True)
        begun = time.monotonic()
        try:
            test(build)
        except Failed as reason:
            failed.append(f"[  FAILED  ] {test.__name__}: {reason}")
            print(failed[-1], flush=True)
        else:
            print(f"[       OK ] {test.__name__} ({time.monotonic() - begun:.1f} s)", flush=True)
    # Behind the log's last lines too: whoever sees only the end of it sees why.
    if failed:
        sys.exit("\n".join(failed))
