#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each way to run an app, in a whole host: what it gets, and what it does not."""
import contextlib
import os
import pathlib
import pwd
import shutil
import subprocess
import sys

import nodes
import sockets
from host import Host, expect, run, wait_for

# Prints a line for everything that it should not be able to do.
ESCAPES = """
cd /
for path in {folder}/state {folder}/run/api.sock {folder}/secret /run/docker.sock \
            /run/podman/podman.sock /run/perigee /root/.ssh /home; do
    ls $path/* >/dev/null 2>&1 && echo ESCAPED: sees $path
    test -S $path && echo ESCAPED: socket $path
done
echo x >/usr/perigee-escape 2>/dev/null && echo ESCAPED: writes /usr
for other in {folder}/data/homes/*/* {folder}/run/s-*; do
    test "$other" = "$HOME" -o "$other" = "$XDG_RUNTIME_DIR" || echo ESCAPED: sees $other
done
set -- /tmp/.X11-unix/*; test $# -le 1 || echo ESCAPED: sees X servers: $*
grep -aq 'perigee-deskto[p]' /proc/[0-9]*/cmdline 2>/dev/null && echo ESCAPED: sees processes
test -S $XDG_RUNTIME_DIR/wayland-0 && echo has-wayland
test -S $XDG_RUNTIME_DIR/pulse/native && echo has-sound
test $(grep -c : /proc/net/dev) = 1 && echo has-no-network
echo kept >>$HOME/kept; echo runs=$(grep -c kept $HOME/kept)
echo box-done
"""

APPS = """
apps:
  - title: Process
    command: [sh, -c, "echo at=$PWD word=$WORD wide=$GAMESCOPE_WIDTH"]
    runner: {type: process, folder: /usr/share, env: [WORD=hello]}
  - title: Box
    command: [sh, SCRIPT]
    runner: {type: sandbox, network: false, mounts: ["SCRIPT:SCRIPT:ro"]}
  - title: Pads
    command: [sh, FOLDER/pads/run.sh]
    runner: {type: sandbox, network: false, mounts: ["FOLDER/pads:FOLDER/pads:ro"]}
  - title: Door of a box
    command: [sh, -c, "WAITS"]
    runner: {type: sandbox}
  - title: Door of a process
    command: [sh, -c, "WAITS"]
    runner: {type: process}
  - title: Usual
    command: [sh, -c, "echo usual-done"]
  - title: Holds
    command: [sleep, "1000"]
"""


# For what is put into its home, which no other app sees.
WAITS = "mkfifo $HOME/go; cat $HOME/go; exec python3 $HOME/door.py $HOME/others"


def config(script):
    return APPS.replace("SCRIPT", str(script)).replace("WAITS", WAITS).replace(
        "FOLDER", str(script.parent))


class Boxed(Host):
    """Its script is in its folder."""

    def before_start(self):
        script = self.folder / "escapes.sh"
        script.write_text(ESCAPES.format(folder=self.folder))
        pads = self.folder / "pads"
        pads.mkdir(mode=0o755)
        (pads / "run.sh").write_text(nodes.SCRIPT.replace("FIFO", str(pads / "fifo")))
        os.mkfifo(pads / "fifo")
        (self.folder / "secret").mkdir(mode=0o755)
        (self.folder / "secret/file").write_text("secret")
        path = self.folder / "perigee.yaml"
        path.write_text(config(script))
        self.command += ["--config", str(path)]


def other_user():
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("perigee") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    return None


def can_sandbox(user):
    command = ["bwrap", "--unshare-user", "--unshare-pid", "--ro-bind", "/", "/", "--proc", "/proc",
               "--dev", "/dev", "/bin/true"]
    who = {"user": user.pw_uid, "group": user.pw_gid} if os.getuid() == 0 else {}
    try:
        return subprocess.run(command, stderr=subprocess.DEVNULL, **who).returncode == 0
    except OSError:
        return False


@contextlib.contextmanager
def holding(host):
    """Another client's desktop is there meanwhile."""
    host.paired("Holds")
    viewer = host.probe("stream", "--app", "Holds", "--seconds", "60", "--no-decode", keys="Holds",
                        background=True)
    wait_for("another session runs", 20, lambda: host.status("session", state="streaming"))
    yield
    viewer.kill()
    viewer.wait()


def launch(host, title, words):
    host.paired(title)
    mark = len(host.log())
    viewer = host.probe("stream", "--app", title, "--seconds", "60", "--no-decode", keys=title,
                        background=True)
    host.wait_log(words, 20, mark)
    viewer.kill()
    viewer.wait()
    host.probe("quit", keys=title, check=False)
    return host.log()[mark:]


def its_own_sockets_alone_are_open(host, titles):
    """Those of another desktop and the host's are not reached, nor X11's abstract one."""
    others = sockets.of_desktop(host, "Holds") + [str(host.folder / "run/api.sock")]
    for title in titles:
        host.paired(title)
        mark = len(host.log())
        viewer = host.probe("stream", "--app", title, "--seconds", "60", "--no-decode",
                            keys=title, background=True)
        go = wait_for("it waits", 20, lambda: list(
            (host.folder / "data/homes").glob(f"*/{title.replace(' ', '_')}/go")))[0]
        (go.parent / "others").write_text("\n".join(others))
        shutil.copy(pathlib.Path(__file__).parent / "door.py", go.parent)
        go.write_text("go")
        host.wait_log("door-done", 20, mark)
        log = host.log()[mark:]
        viewer.kill()
        viewer.wait()
        expect(f"nothing escapes: {log}", "ESCAPED" not in log)
        for words in (f"door-own 200 app={title} viewers=[", "door-picture 200 PNG",
                      "door-input 200"):
            expect(f"{words}: {log}", words in log)
        expect(f"all are closed: {log}", log.count("door-closed") == len(others))


def a_process_gets_its_folder_and_environment(build):
    with Boxed(build) as host:
        launch(host, "Process", "at=/usr/share word=hello wide=1280")


def nodes_of_gamepads_come_to_a_sandbox(host):
    if not nodes.can_make():
        print("# nobody may make device nodes here")
        return
    host.paired("Pads")
    mark = len(host.log())
    viewer = host.probe("stream", "--app", "Pads", "--seconds", "20", "--no-decode", keys="Pads",
                        background=True, check=False)
    folder = nodes.come_to(host, "Pads", host.folder / "pads/fifo", mark)
    viewer.kill()
    viewer.wait()
    host.probe("quit", keys="Pads", check=False)
    nodes.are_gone(folder)


def nothing_gets_out_of_a_sandbox(build):
    user = other_user()
    if not user or not can_sandbox(user):
        print("# no sandbox can be made here")
        return
    with Boxed(build) as host, holding(host):
        for times in (1, 2):
            log = launch(host, "Box", "box-done")
            expect(f"nothing escapes: {log}", "ESCAPED" not in log)
            for words in ("has-wayland", "has-sound", "has-no-network", f"runs={times}"):
                expect(f"{words}: {log}", words in log)
        nodes_of_gamepads_come_to_a_sandbox(host)
        its_own_sockets_alone_are_open(host, ("Door of a box", "Door of a process"))


def a_plain_users_apps_are_sandboxed_or_it_is_said_why_not(build):
    user = other_user()
    if not user:
        return
    with Boxed(build, user=user if os.getuid() == 0 else None) as host:
        log = launch(host, "Usual", "usual-done")
        words = "sandbox, with network" if can_sandbox(user) else "no sandbox: "
        expect(f"{words}: {log}", words in log)
        if can_sandbox(user):
            with holding(host):
                its_own_sockets_alone_are_open(host, ["Door of a box"])


if __name__ == "__main__":
    run([
        a_process_gets_its_folder_and_environment,
        nothing_gets_out_of_a_sandbox,
        a_plain_users_apps_are_sandboxed_or_it_is_said_why_not,
    ])
