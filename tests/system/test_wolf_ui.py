#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What Wolf UI, the launcher of Wolf, sends (data/wolf_ui.json) is sent to this host: every
answer has what Wolf UI reads, in the types that it can read."""
import http.client
import json
import pathlib
import socket
import sys

from host import Failed, Host, expect, run, wait_for
from test_lobby import FORM, shows

DATA = json.loads((pathlib.Path(__file__).parent / "data/wolf_ui.json").read_text())
TYPES = {"text": lambda value: isinstance(value, str),
         "whole": lambda value: type(value) is int,
         "real": lambda value: type(value) in (int, float),
         "flag": lambda value: isinstance(value, bool)}
# Its session is known by a number in its environment.
CONFIG = """
apps:
  - title: Launcher
    command: [sh, -c, 'echo "$WOLF_SESSION_ID" >$HOME/session; exec weston-simple-shm']
    runner: {type: process}
"""


def check(kind, value, where):
    """Whether Wolf UI could read it."""
    if kind.endswith("?"):
        if value is None:
            return
        kind = kind[:-1]
    if kind.startswith("list of "):
        expect(f"{where} is a list: {value}", isinstance(value, list))
        for number, one in enumerate(value):
            check(kind[8:], one, f"{where}[{number}]")
    elif kind in TYPES:
        expect(f"{where} is a {kind}: {value!r}", TYPES[kind](value))
    else:
        fields = dict(DATA["types"][kind])
        expect(f"{where} is an object: {value}", isinstance(value, dict))
        scalars = fields.pop("scalars", False)
        for name, of in fields.items():
            check(of, value.get(name), f"{where}.{name}")
        unknown = {name: one for name, one in value.items()
                   if scalars and name not in fields and isinstance(one, (list, dict))}
        expect(f"{where} has nothing that its reader trips over: {unknown}", not unknown)


class Socket(http.client.HTTPConnection):
    """Kept from one request to the next, as a HttpClient keeps it."""

    def __init__(self, path):
        super().__init__("localhost", timeout=40)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def filled(value, known):
    if isinstance(value, dict):
        return {name: filled(one, known) for name, one in value.items()}
    if isinstance(value, str) and value[:1] == "$" and value[1:] in known:
        return known[value[1:]]
    if isinstance(value, str):
        for name in sorted(known, key=len, reverse=True):
            if isinstance(known[name], str):
                value = value.replace(f"${name}", known[name])
    return value


class WolfUi:
    def __init__(self, path):
        self.connection = Socket(path)
        self.known = {"icon": "icons/none.png"}
        self.made = set()
        self.events = Socket(path)
        self.events.request("GET", "/api/v1/events")
        self.stream = self.events.getresponse()
        expect("events come", self.stream.status == 200)

    def call(self, name):
        row = DATA["calls"][name]
        self.made.add(name)
        body = row.get("body")
        data = json.dumps(filled(body, self.known)).encode() if body is not None else None
        fields = {"Content-Type": "text/plain; charset=utf-8"} if data else {}
        self.connection.request(row["method"], f"/api/v1{filled(row['path'], self.known)}",
                                data, fields)
        answer = self.connection.getresponse()
        bytes_ = answer.read()
        expect(f"{name}: {answer.status} {bytes_[:300]}", row.get("status") != "ok" or
               answer.status == 200)
        if row.get("image") and answer.status == 200:
            expect(f"{name}: a picture", bytes_[:4] == b"\x89PNG")
            return None
        try:
            answered = [json.loads(line) for line in bytes_.decode().splitlines() if line][-1]
        except (ValueError, IndexError) as fault:
            raise Failed(f"{name}: {answer.status} {bytes_[:300]}: {fault}")
        if "reads" in row:
            check(row["reads"], answered, name)
        return answered

    def succeed(self, name):
        answer = self.call(name)
        expect(f"{name}: {answer}", answer["success"] is True)
        return answer

    def wait_event(self, name):
        """Read as Wolf UI does: line by line, by its literal name."""
        row = DATA["events"][f"wolf::core::events::{name}"]
        event = None
        while True:
            line = self.stream.readline().decode().rstrip("\n")
            if line.startswith("event: "):
                event = line[7:]
            if line.startswith("data: ") and event == f"wolf::core::events::{name}":
                break
        if "text" in row:
            wanted = filled(row["text"], self.known)
            expect(f"{name} is {wanted}: {line}", line[6:] == wanted)
            return None
        check(row["reads"], json.loads(line[6:]), name)
        return json.loads(line[6:])

    def close(self):
        self.connection.close()
        self.events.close()


def find_launcher_session(ui, host):
    """As it does: the session whose client_id is its own environment's number."""
    file = wait_for("the launcher's environment", 15, lambda: [
        path for path in (host.folder / "data/homes").rglob("session")
        if path.read_text().strip()])[0]
    ui.known["session"] = file.read_text().strip()
    mine = [row for row in ui.call("sessions")["sessions"]
            if row["client_id"] == ui.known["session"]]
    expect(f"its own session is found by {ui.known['session']}", len(mine) == 1)
    ui.known.update(settings={name: mine[0]["client_settings"][name]
                              for name in DATA["types"]["settings"]},
                    width=mine[0]["video_width"], height=mine[0]["video_height"],
                    rate=mine[0]["video_refresh_rate"], channels=mine[0]["audio_channel_count"])


def choose_an_app(ui):
    """One of its profile; what Wolf UI sends back is what it was told."""
    profile = ui.call("profiles")["profiles"][0]
    app = profile["apps"][0]
    expect(f"only an app whose runner has a name can be started: {app}", app["runner"]["name"])
    ui.known.update(profile=profile["id"], title=app["title"], runner=app["runner"],
                    runner_name=app["runner"]["name"])


def in_a_lobby(ui, create, join):
    ui.known["lobby"] = ui.succeed(create)["lobby_id"]
    event = ui.wait_event("CreateLobbyEvent")
    expect(f"it is shown as running: {event}", event["id"] == ui.known["lobby"] and
           event["profile_id"] == ui.known["profile"] and event["name"] == ui.known["title"] and
           event["runner_state_folder"].endswith(ui.known["runner_name"]))
    ui.succeed(join)
    ui.wait_event("JoinLobbyEvent")
    row = [row for row in ui.call("lobbies")["lobbies"] if row["id"] == ui.known["lobby"]][0]
    expect(f"who is in it: {row}", row["connected_sessions"] == [ui.known["session"]])
    return row, event


def every_request_of_it_is_answered_as_it_reads_it(build):
    with Host(build, config=CONFIG) as host:
        host.paired()
        made = host.api("/api/v1/profiles/add", {"id": "user", "name": "User"})
        expect(f"a profile: {made}", made["success"])
        made = host.api("/api/v1/apps/add", {
            "title": "Picture", "id": "picture", "profile_id": "user",
            "runner": {"type": "process", "run_cmd": "exec weston-simple-shm"}})
        expect(f"an app of it: {made}", made["success"])
        ui = WolfUi(str(host.folder / "run/api.sock"))
        viewer = host.probe("stream", "--app", "Launcher", "--seconds", "60", *FORM,
                            background=True)
        wait_for("streaming", 15, lambda: host.status("session", state="streaming"))
        find_launcher_session(ui, host)
        for name in ("apps", "clients", "lobbies", "icon of a path", "default icon",
                     "is the image there", "pull the image"):
            ui.call(name)
        choose_an_app(ui)

        row, _ = in_a_lobby(ui, "start alone", "join")
        expect("nobody must say a PIN", not row["pin_required"])
        shows(host, ui.known["session"])
        ui.succeed("leave")
        ui.wait_event("LeaveLobbyEvent")
        ui.succeed("stop")
        ui.wait_event("StopLobbyEvent")

        ui.known["lobby"] = ui.succeed("start for several")["lobby_id"]
        event = ui.wait_event("CreateLobbyEvent")
        expect(f"a PIN is asked for and not told: {event}",
               event["pin_required"] and not event.get("pin"))
        refused = ui.call("join by another PIN")
        expect(f"its words are shown: {refused}", refused == {"success": False,
                                                              "error": "Invalid PIN"})
        ui.succeed("join by PIN")
        ui.wait_event("JoinLobbyEvent")
        shows(host, ui.known["session"])
        ui.succeed("stop by PIN")
        ui.wait_event("StopLobbyEvent")
        shows(host, ui.known["session"])

        ui.succeed("add an app")
        ui.call("start its update")
        ui.succeed("exit")
        host.report(viewer, check=False)
        wait_for("its session is over", 10, lambda: not host.status("session"))
        expect(f"all of it was sent: {set(DATA['calls']) - ui.made}",
               ui.made == set(DATA["calls"]))
        ui.close()


if __name__ == "__main__":
    sys.exit(run([every_request_of_it_is_answered_as_it_reads_it]))
