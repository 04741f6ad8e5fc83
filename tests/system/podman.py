# SPDX-License-Identifier: MIT
"""A Podman service of a test's own, with an image made here: no registry is asked."""
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

from host import wait_for

CONFIG = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[network]
network_config_dir = "{folder}/networks"
"""


class Missing(Exception):
    """Podman cannot run here, and why."""


class Podman:
    """Storage without a file system of its own, runc, no ulimit above the hard one. Root's, or that
    of a user (a passwd entry) of whom nothing but the user itself is mapped inside."""

    def __init__(self, user=None):
        if os.getuid() != 0:
            raise Missing("only root can start both kinds of Podman")
        for program in ("podman", "runc"):
            if not shutil.which(program):
                raise Missing(f"{program} is not installed")
        if not pathlib.Path("/bin/busybox").exists():
            raise Missing("busybox is not installed")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="podman-", dir="/tmp"))
        self.socket = self.folder / "podman.sock"
        config = self.folder / "containers.conf"
        config.write_text(CONFIG.format(folder=self.folder))
        self.env = {**os.environ, "CONTAINERS_CONF": str(config)}
        self.become = {}
        if user:
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.env.update(HOME=str(self.folder), XDG_RUNTIME_DIR=str(self.folder / "user"))
            self.become = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            (self.folder / "user").mkdir()
            os.chown(self.folder / "user", user.pw_uid, user.pw_gid)
        self.command = ["podman", "--root", str(self.folder / "store"), "--runroot",
                        str(self.folder / "run"), "--storage-driver", "vfs", "--runtime", "runc",
                        "--cgroup-manager", "cgroupfs", "--events-backend", "none"]
        self.service = None

    def __enter__(self):
        try:
            self.make_image()
            self.start()
            self.try_it()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.service:
            for row in self.containers():
                self.ask("DELETE", f"/containers/{row['Id']}?force=1&v=1")
            self.stop()
        subprocess.run([*self.command, "unmount", "--all"], env=self.env, check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self.become)
        # What keeps a user's namespaces.
        for pause in self.folder.glob("user/**/pause.pid"):
            os.kill(int(pause.read_text()), signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def make_image(self):
        root = self.folder / "root"
        for name in ("bin", "tmp", "etc", "proc", "sys", "dev"):
            (root / name).mkdir(parents=True)
        shutil.copy("/bin/busybox", root / "bin/busybox")
        for name in ("sh", "sleep", "ls", "cat", "test", "id", "touch", "env", "grep", "true",
                     "chown", "su"):
            (root / "bin" / name).symlink_to("busybox")
        subprocess.run(["tar", "--owner", "0", "--group", "0", "-C", str(root), "-cf",
                        str(self.folder / "image.tar"), "."], check=True)
        made = subprocess.run([*self.command, "import", str(self.folder / "image.tar"),
                               "perigee-test:latest"], env=self.env, capture_output=True,
                              text=True, check=False, cwd=self.folder, **self.become)
        if made.returncode != 0:
            raise Missing(made.stderr.strip()[-200:])

    def start(self):
        self.service = subprocess.Popen([*self.command, "system", "service", "--time", "0",
                                         f"unix://{self.socket}"], env=self.env,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, cwd=self.folder, **self.become)
        wait_for("podman answers", 20, self.alive)

    def stop(self):
        self.service.terminate()
        self.service.wait()
        self.service = None

    def alive(self):
        try:
            return self.ask("GET", "/version")[0] == 200
        except OSError:
            return False

    def try_it(self):
        """Whether a container starts at all, on this kernel and as this user."""
        status, answer = self.ask("POST", "/containers/create?name=trial", {
            "Image": "perigee-test:latest", "Cmd": ["true"], "HostConfig": {"NetworkMode": "none"}})
        if status == 201:
            status, answer = self.ask("POST", "/containers/trial/start")
        # Podman refuses while it cleans up behind a container that has just ended.
        wait_for("the trial is gone", 20, lambda: self.ask(
            "DELETE", "/containers/trial?force=1") and not self.containers())
        if status >= 300:
            raise Missing(f"podman starts no container: {answer}")

    def ask(self, method, target, body=None):
        connection = http.client.HTTPConnection("podman", timeout=30)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(30)
        connection.sock.connect(str(self.socket))
        try:
            connection.request(method, "/v1.40" + target, json.dumps(body) if body else None,
                               {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        finally:
            connection.close()
        try:
            return answer.status, json.loads(text) if text else None
        except ValueError:
            return answer.status, text

    def containers(self):
        return self.ask("GET", "/containers/json?all=1")[1] or []
