#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Apps in containers of a real Podman, on the whole host."""
import contextlib
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import sys

import nodes
import sockets
from api_lobbies import gone_at
from host import Failed, Host, expect, libexec_folders, run, wait_for
from podman import Missing, Podman

SHARED = {}
APP_FAILED, APP_NO_WINDOW = "0x50450007", "0x50450055"  # as clients show them

WORDS = """
test -S $XDG_RUNTIME_DIR/wayland-0 && test -S $XDG_RUNTIME_DIR/pulse-socket && echo has-sockets
echo $WORD at $PWD of $PUID in $HOME with $BASE
echo kept >>$HOME/kept; echo runs=$(grep -c kept $HOME/kept)
touch /data/new 2>/dev/null || echo read-only
test -e /run/podman/podman.sock -o -e /run/docker.sock || echo no-engine
exit 3
"""

# As images of Games on Whales begin: root makes a user of what the environment says, and becomes it.
INIT = """
echo $UNAME:x:$PUID:$PGID::$HOME:/bin/sh >/etc/passwd
echo $UNAME:x:$PGID: >/etc/group
chown $PUID:$PGID $HOME
test $PUID = 0 && exec sh /data/user.sh
exec su -s /bin/sh $UNAME /data/user.sh
"""
USER = """
for name in wayland-0 pulse-socket perigee.sock; do
    test -w $XDG_RUNTIME_DIR/$name || echo closed: $name
done
touch $HOME/of-$PUID && echo user-wrote $(id -u):$(id -g) as $UNAME
trap 'exit 0' TERM; sleep 1000 & wait
"""

CONFIG = """
container_engine: {socket}
apps:
  - title: Words
    command: [sh, /data/words.sh]
    runner:
      type: container
      image: perigee-test
      network: false
      folder: /tmp
      env: [WORD=hello]
      mounts: ["{folder}/shared:/data:ro"]
      base_create_json: '{{"Hostname": "base-host", "Env": ["BASE=1"], "Labels": {{"mine": "yes"}}}}'
  - title: Pattern inside
    command: [{pattern}]
    runner:
      type: container
      image: perigee-test
      network: false
      mounts: [{system}]
  - title: Door inside
    command: [/usr/bin/python3, /data/door.py, --again, /data/again]
    runner:
      type: container
      image: perigee-test
      network: false
      mounts: ["{folder}/shared:/data:ro", {system}]
  - title: Door to others
    command: [/usr/bin/python3, /data/door.py, /data/others]
    runner:
      type: container
      image: perigee-test
      mounts: ["{folder}/shared:/data:ro", {system}]
      base_create_json: '{{"HostConfig": {{"NetworkMode": "host"}}}}'
  - title: User
    command: [sh, /data/init.sh]
    runner: {{type: container, image: perigee-test, network: false, mounts: ["{folder}/shared:/data:ro"]}}
  - title: Waits
    command: [sh, -c, "echo waits-begin; trap 'echo asked; exit 0' TERM; sleep 1000 & wait"]
    runner: {{type: container, image: perigee-test, network: false}}
  - title: Pads
    command: [sh, /data/pads.sh]
    runner: {{type: container, image: perigee-test, network: false, mounts: ["{folder}/shared:/data:ro"]}}
  - title: Blind
    command: [sh, -c, "echo asking for a licence; trap 'exit 0' TERM; sleep 1000 & wait"]
    window_deadline: 2
    runner: {{type: container, image: perigee-test, network: false}}
  - title: Nowhere
    command: [sh]
    runner: {{type: container, image: "localhost:1/no/such:tag", network: false}}
  - title: Broken
    command: [/no/such/program]
    runner: {{type: container, image: perigee-test, network: false}}
"""


class Contained(Host):
    def before_start(self):
        (self.folder / "shared").mkdir(mode=0o755)
        (self.folder / "shared/words.sh").write_text(WORDS)
        (self.folder / "shared/pads.sh").write_text(nodes.SCRIPT.replace("FIFO", "/data/fifo"))
        (self.folder / "shared/init.sh").write_text(INIT)
        (self.folder / "shared/user.sh").write_text(USER)
        for fifo in ("fifo", "again"):
            os.mkfifo(self.folder / "shared" / fifo)
            os.chmod(self.folder / "shared" / fifo, 0o666)
        shutil.copy(pathlib.Path(__file__).parent / "door.py", self.folder / "shared")
        folders = libexec_folders(self.build, self.source)
        pattern = next(f"{f}/perigee-pattern" for f in folders
                       if os.access(f"{f}/perigee-pattern", os.X_OK))
        system = [f for f in ("/usr", "/lib", "/lib64", "/etc/fonts", os.path.dirname(pattern))
                  if os.path.exists(f)]
        path = self.folder / "perigee.yaml"
        path.write_text(CONFIG.format(
            socket=SHARED["podman"].socket, folder=self.folder, pattern=pattern,
            system=", ".join(f'"{f}:{f}:ro"' for f in system)))
        self.command += ["--config", str(path)]


def launched(host, title, seconds=20, background=True, app=None):
    if not app:
        host.paired(title)
    return host.probe("stream", "--app", app or title, "--seconds", str(seconds), "--no-decode",
                      keys=title, background=background, check=False)


def ended(viewer):
    viewer.kill()
    viewer.wait()


def none_is_left():
    try:
        wait_for("no container is left", 20, lambda: not SHARED["podman"].containers())
    except Failed as failed:
        raise Failed(f"{failed}: {SHARED['podman'].containers()}") from failed


def told_of(host, *cases):
    """Who watches reads the app's last lines, and then hears the reason: (viewer, lines, code)."""
    shown = set()

    def all_told():
        shown.update(row["lines"] for row in host.status("output") if row["notice"] == "end-read")
        return all(any(lines in text for text in shown) for _, lines, _ in cases)
    wait_for(f"{[case[1] for case in cases]} are shown", 30, all_told)
    for viewer, lines, code in cases:
        report = host.report(viewer, check=False)
        expect(f"the reason behind {lines!r}: {report.get('end')} {report.get('termination')}",
               report["end"] == "terminated" and report["termination"] == code)


def a_container_gets_its_desktop_and_what_is_configured(host):
    for times in (1, 2):
        mark = len(host.log())
        if times == 2:
            host.api("/api/v1/clients/settings", {
                "client_id": host.api("/api/v1/clients")["clients"][0]["client_id"],
                "settings": {"run_uid": 1500}})
        viewer = launched(host, "Words", 60, app="Words" if times == 2 else None)
        for words in ("has-sockets", "hello at /tmp of ", "in /home/retro", "with 1", f"runs={times}",
                      "read-only", "no-engine", *(["of 1500 in"] if times == 2 else [])):
            host.wait_log(words, 10, mark)
        if times == 1:
            told_of(host, (viewer, "no-engine\n", APP_FAILED))
            host.wait_log("Words ended with status 3", 10, mark)
        ended(viewer)
        host.probe("quit", keys="Words", check=False)
        none_is_left()


def its_windows_are_seen(host):
    host.paired("Inside")
    report = host.probe("stream", "--app", "Pattern inside", "--seconds", "3", keys="Inside")
    expect(f"Pattern is seen: {report['video']}", report["video"]["pattern"]["last"] > 10)
    host.probe("quit", keys="Inside")
    none_is_left()


def its_door_stays_the_same_file(host):
    """A container has the socket itself: whoever dies, it is not made anew."""
    mark = len(host.log())
    viewer = launched(host, "Door inside", 60)
    host.wait_log("door-first 200 app=Door inside viewers=", 20, mark)
    gate = host.pid("web")
    os.kill(gate, signal.SIGKILL)
    wait_for("another door", 10, lambda: host.api("/api/v1/status", optional=True) and
             host.pids("web") not in ([], [gate]))
    (host.folder / "shared/again").write_text("again")
    host.wait_log("door-again 200 app=Door inside viewers=", 20, mark)
    ended(viewer)
    host.probe("quit", keys="Door inside", check=False)
    none_is_left()


def it_reaches_no_other_sockets(host):
    """Those of another desktop, of the host and of the engine, also in the host's network."""
    mark = len(host.log())
    other = launched(host, "Waits", 60)
    host.wait_log("waits-begin", 20, mark)
    paths = sockets.of_desktop(host, "Waits") + [str(host.folder / "run/api.sock"),
                                                 str(SHARED["podman"].socket)]
    (host.folder / "shared/others").write_text("\n".join(paths))
    viewer = launched(host, "Door to others", 60)
    host.wait_log("door-done", 20, mark)
    log = host.log()[mark:]
    expect(f"nothing escapes: {log}", "ESCAPED" not in log)
    expect(f"its own is open: {log}", "door-own 200 app=Door to others viewers=[" in log)
    expect(f"all others are closed: {log}", log.count("door-closed") == len(paths))
    for process, keys in ((other, "Waits"), (viewer, "Door to others")):
        ended(process)
        host.probe("quit", keys=keys, check=False)
    none_is_left()


def wrote(host, uid, gid, inside=None):
    """The app ran as whom it should, reached its desktop, and its files are that user's."""
    mark = len(host.log())
    if not (host.folder / "User").exists():
        host.paired("User")
    viewer = launched(host, "User", 60, app="User")
    host.wait_log(f"user-wrote {inside or f'{uid}:{gid}'} as {'root' if inside else 'retro'}", 20,
                  mark)
    expect("its sockets are open to it", "closed: " not in host.log()[mark:])
    home = next((host.folder / "data/homes").glob("*/User"))
    for path in (home, home / f"of-{inside.split(':')[0] if inside else uid}"):
        expect(f"{path} is {uid}'s: {path.stat()}", path.stat().st_uid == uid and
               path.stat().st_gid == gid)
    ended(viewer)
    host.probe("quit", keys="User", check=False)
    none_is_left()


def its_files_have_the_right_owner(host):
    """The apps' user's, or whose the client's settings say, also when these change."""
    apps = pathlib.Path(host.folder / "data/homes").stat()
    wrote(host, apps.st_uid, apps.st_gid)
    client = next(row["client_id"] for row in host.api("/api/v1/clients")["clients"]
                  if row["name"] == "User")
    for uid, gid in ((1500, 1501), (1500, 1501), (1600, 1601)):
        host.api("/api/v1/clients/settings", {"client_id": client, "settings": {
            "run_uid": uid, "run_gid": gid}})
        wrote(host, uid, gid)


def a_container_is_labelled_and_goes_when_the_session_does(host):
    mark = len(host.log())
    viewer = launched(host, "Waits")
    host.wait_log("waits-begin", 20, mark)
    session = host.status("session", app="Waits")[0]["id"]
    rows = SHARED["podman"].containers()
    labels = next(r["Labels"] for r in rows if r["Labels"].get("perigee.session") == session)
    expect(f"of this host: {labels}", labels.get("perigee.host"))
    # Its runner's death is not noticed: the next finds it by its label.
    os.kill(host.pid("runner", session=session), signal.SIGKILL)
    host.wait_log("event=app-adopted", 10, mark)
    expect("it is the same", [r["Id"] for r in rows] ==
           [r["Id"] for r in SHARED["podman"].containers()])
    ended(viewer)
    host.probe("quit", keys="Waits")
    none_is_left()


def another_container_runs_beside_the_app(host):
    """It has the session's desktop; nobody takes it for the app's; and the session ends with it."""
    podman, mark = SHARED["podman"], len(host.log())
    host.paired("Beside")
    viewer = launched(host, "Beside", app="Waits")
    host.wait_log("waits-begin", 20, mark)
    session = host.status("session", app="Waits")[0]["id"]
    app = podman.containers()[0]["Id"]
    answer = host.api("/api/v1/runners/start", {
        "session_id": str(int(session, 16)), "stop_stream_when_over": True,
        "runner": {"type": "docker", "name": "more", "image": "perigee-test", "env": ["WORD=more"],
                   "run_cmd": "test -S $XDG_RUNTIME_DIR/wayland-0 && echo $WORD sees; "
                              "exec sleep 1000",
                   "base_create_json": json.dumps({"HostConfig": {"NetworkMode": "none"}})}},
                      seconds=60)
    expect(f"it runs: {answer}", answer["success"])
    host.wait_log("more sees", 20, mark)
    rows = {row["Id"]: row["Labels"] for row in podman.containers()}
    more = next(one for one in rows if one != app)
    expect(f"both are the session's, one is extra: {rows}", len(rows) == 2 and
           {labels["perigee.session"] for labels in rows.values()} == {session} and
           [one for one in rows if "perigee.extra" in rows[one]] == [more])
    runner = min(host.status("process", kind="runner", session=session),
                 key=lambda row: row["worker"])
    os.kill(runner["pid"], signal.SIGKILL)
    host.wait_log(f"event=app-adopted container={app}", 10, mark)
    expect("both are still there", {row["Id"] for row in podman.containers()} == {app, more})
    podman.ask("POST", f"/containers/{more}/kill")
    wait_for("its end is the session's", 20, lambda: not host.status("session", id=session))
    ended(viewer)
    none_is_left()


def nodes_of_gamepads_come_to_a_container(host):
    if not nodes.can_make():
        print("# nobody may make device nodes here")
        return
    mark = len(host.log())
    viewer = launched(host, "Pads")
    # Podman takes no rules for devices by this API before 4.4.
    version = SHARED["podman"].ask("GET", "/version")[1]["Version"].split(".")
    allows = [int(part) for part in version[:2]] >= [4, 4]
    folder = nodes.come_to(host, "Pads", host.folder / "shared/fifo", mark,
                           "No such device" if allows else "not permitted")
    host.wait_log("event=pads-told ", 10, mark)
    expect("it has a network of its own, which can be spoken in",
           re.search(r"event=pads-told .* error=0 links_error=0", host.log()[mark:]))
    ended(viewer)
    host.probe("quit", keys="Pads", check=False)
    nodes.are_gone(folder)
    none_is_left()


def its_image_is_told_of(host):
    path = "/api/v1/docker/images/inspect?image_name="
    expect("what the engine says of it", host.api(f"{path}perigee-test")["Id"])
    absent = host.api(f"{path}localhost/no-such")
    expect(f"there is no other: {absent}", absent["success"] is False and
           "no such image" in absent["error"])


def a_lobby_runs_a_container_of_its_own(host):
    """As an agent platform has it: a lobby with a docker runner, and a session that begins in it."""
    base = {"Cmd": ["sh", "-c", "echo lobby $WORD $BASE $PUID:$PGID; trap 'exit 0' TERM; "
                    "sleep 1000 & wait"], "Env": ["BASE=1"],
            "HostConfig": {"NetworkMode": "none"}}
    runner = {"type": "docker", "name": "agent", "image": "perigee-test", "mounts": [],
              "env": ["WORD=hello"], "devices": [], "ports": [],
              "base_create_json": json.dumps(base)}
    mark = len(host.log())
    lobby = host.api("/api/v1/lobbies/create", {
        "profile_id": "agents", "name": "agent", "pin": [0, 4, 7, 1], "multi_user": True,
        "stop_when_everyone_leaves": False, "runner_state_folder": "agents/one", "runner": runner,
        "client_settings": {"run_uid": 1234, "run_gid": 1235},
        "video_settings": {"width": 640, "height": 360, "refresh_rate": 30}})["lobby_id"]
    host.wait_log("lobby hello 1 1234:1235", 20, mark)
    desk = host.status("lobby", id=lobby)[0]["desk"]
    labels = [row["Labels"]["perigee.session"] for row in SHARED["podman"].containers()]
    expect(f"it is the lobby's: {labels}", labels == [desk])
    row = host.api("/api/v1/lobbies")["lobbies"][0]
    expect(f"and told as that: {row}", row["runner"]["type"] == "docker" and
           row["runner"]["image"] == "perigee-test" and row["runner"]["env"] == ["WORD=hello"])
    host.paired("Agent")
    client = next(row["client_id"] for row in host.api("/api/v1/clients")["clients"]
                  if row["name"] == "Agent")
    host.api("/api/v1/sessions/configure", {"client_id": client, "immediate_lobby_id": lobby,
                                            "pin": [0, 4, 7, 1]})
    viewer = launched(host, "Agent", app="Waits")
    wait_for("it is in the lobby", 20, lambda: host.status("session", lobby=lobby, member="in"))
    viewer.kill()
    viewer.wait()
    host.probe("quit", keys="Agent")
    expect("stopped", host.api("/api/v1/lobbies/stop", {"lobby_id": lobby,
                                                       "pin": [0, 4, 7, 1]})["success"])
    none_is_left()
    # An image that is not there: the lobby ends, and says so.
    answer = host.api("/api/v1/lobbies/create", {
        "name": "nowhere", "runner": {"type": "docker", "image": "localhost:1/no/such:tag"}})
    host.wait_log(f"event=lobby-end lobby={answer['lobby_id']} reason=app-failed", 30, mark)


def a_lobby_that_nobody_waits_for_leaves_no_container(host):
    """Whoever asked went away when it was begun, and when its container was on its way."""
    body = {"name": "gone", "runner": {
        "type": "docker", "image": "perigee-test", "run_cmd": "exec sleep 1000",
        "base_create_json": json.dumps({"HostConfig": {"NetworkMode": "none"}})}}
    for moment in ("event=lobby-start", "event=desktop-ready"):
        gone_at(host, body, moment)
    none_is_left()


def what_fails_is_told_of(host):
    """An image that is not there, a program that is not in one, an app without a window."""
    cases = (("Nowhere", "pull: ", APP_FAILED), ("Broken", "start: ", APP_FAILED),
             ("Blind", "asking for a licence\n", APP_NO_WINDOW))
    mark = len(host.log())
    for title, *_ in cases:
        host.paired(title)
    told_of(host, *((launched(host, title, 60, app=title), lines, code)
                    for title, lines, code in cases))
    for title, lines, _ in cases[:2]:
        host.wait_log(f"{title} ended with status 126: {lines}", 20, mark)
    none_is_left()


def an_engine_that_stands_still_holds_nobody_up(host):
    """The session ends without it; the container goes when the engine goes on."""
    mark = len(host.log())
    viewer = launched(host, "Waits")
    host.wait_log("waits-begin", 20, mark)
    session = host.status("session", app="Waits")[0]["id"]
    SHARED["podman"].service.send_signal(signal.SIGSTOP)
    try:
        ended(viewer)
        host.probe("quit", keys="Waits")
        host.wait_log(f"event=session-end session={session}", 10, mark)
    finally:
        SHARED["podman"].service.send_signal(signal.SIGCONT)
    none_is_left()


def leftovers_are_swept_at_the_start(host):
    """Of this host's, and of nobody else's."""
    podman = SHARED["podman"]
    mark = len(host.log())
    viewer = launched(host, "Waits")
    host.wait_log("waits-begin", 20, mark)
    mine = podman.containers()[0]["Labels"]
    ended(viewer)
    host.probe("quit", keys="Waits")
    none_is_left()
    for name, owner in (("mine", mine["perigee.host"]), ("other", "somebody else")):
        status, answer = podman.ask("POST", f"/containers/create?name={name}", {
            "Image": "perigee-test:latest", "Cmd": ["sleep", "1000"],
            "Labels": {"perigee.host": owner, "perigee.session": "00000000000000ff"}})
        expect(f"made: {answer}", status == 201)
    os.kill(host.pid("store"), signal.SIGKILL)  # who says whose containers they are
    wait_for("mine is swept", 20, lambda: len(podman.containers()) == 1)
    expect("the other's stays", podman.containers()[0]["Labels"]["perigee.host"] == "somebody else")
    podman.ask("DELETE", "/containers/other?force=1")


def what_a_program_left_is_swept(build):
    """No app of the list is a container: only a lobby had one."""
    podman = SHARED["podman"]
    with Host(build, config=f"container_engine: {podman.socket}\n") as host:
        lobby = host.api("/api/v1/lobbies/create", {"name": "own", "runner": {
            "type": "docker", "image": "perigee-test", "run_cmd": "exec sleep 1000",
            "base_create_json": json.dumps({"HostConfig": {"NetworkMode": "none"}})}})
        expect(f"made: {lobby}", lobby["success"])
        mine = wait_for("its container", 20, podman.containers)[0]["Labels"]
        host.api("/api/v1/lobbies/stop", {"lobby_id": lobby["lobby_id"]})
        none_is_left()
        status, answer = podman.ask("POST", "/containers/create?name=left", {
            "Image": "perigee-test:latest", "Cmd": ["sleep", "1000"],
            "Labels": {**mine, "perigee.session": "00000000000000ff"}})
        expect(f"made: {answer}", status == 201)
        os.kill(host.pid("store"), signal.SIGKILL)  # who says whose containers they are
        none_is_left()


@contextlib.contextmanager
def engine(user=None):
    """Skips what it is for where there can be none."""
    try:
        SHARED["podman"] = Podman(user).__enter__()
    except Missing as why:
        print(f"# skipped: {why}", flush=True)
        yield False
        return
    try:
        yield True
        none_is_left()
    finally:
        SHARED["podman"].__exit__()


def containers(build):
    """One host, one engine; what each part says is its docstring or its name."""
    with engine() as there:
        if not there:
            sys.exit(77)
        with Contained(build) as host:
            for part in (a_container_gets_its_desktop_and_what_is_configured, its_windows_are_seen,
                         its_door_stays_the_same_file, it_reaches_no_other_sockets,
                         its_files_have_the_right_owner,
                         a_container_is_labelled_and_goes_when_the_session_does,
                         another_container_runs_beside_the_app,
                         nodes_of_gamepads_come_to_a_container, its_image_is_told_of,
                         a_lobby_runs_a_container_of_its_own,
                         a_lobby_that_nobody_waits_for_leaves_no_container,
                         what_fails_is_told_of, an_engine_that_stands_still_holds_nobody_up,
                         leftovers_are_swept_at_the_start):
                part(host)
                print(f"# {part.__name__}", flush=True)
        what_a_program_left_is_swept(build)


def an_engine_of_the_users_own(build):
    """Not root's: whose engine it is, that user is root inside."""
    try:
        user = pwd.getpwnam("perigee")
    except KeyError:
        print("# skipped: no user perigee")
        return
    with engine(user) as there:
        if there:
            with Contained(build, user=user) as host:
                wrote(host, user.pw_uid, user.pw_gid, inside="0:0")


if __name__ == "__main__":
    run([containers, an_engine_of_the_users_own])
