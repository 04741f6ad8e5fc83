#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The way back: what a viewer presses to see its own desktop again, whatever it looks at."""
import json
import os
import signal
import socket

from api_client import Api, Events
from host import Host, expect, run, wait_for
from test_lobby import (SMALL, FORM, ask, create, done, finish, kill_supervisor_and_web_door,
                        pattern_id, refused, row_of, shows)

CTRL, ALT, SHIFT, W, A = 0xa2, 0xa4, 0xa0, 0x57, 0x41
START_UP_RB = 0x10 | 0x1 | 0x200


def steer(viewer, *lines):
    for line in lines:
        viewer.stdin.write(f"0 {line}\n")
    viewer.stdin.flush()


def press_combo(viewer):
    steer(viewer, *(f"down {key}" for key in (CTRL, ALT, SHIFT, W)))


def let_go(viewer):
    steer(viewer, *(f"up {key}" for key in (W, SHIFT, ALT, CTRL)))


def held(api):
    """The only session's keys, on the desktop where its viewer is."""
    return [key for row in api.get("/api/v1/keyboard/state")["sessions"]
            for key in row["pressed_keys"]]


def watch(host, events, app="Pattern"):
    viewer = host.probe("stream", "--app", app, "--seconds", "60", *FORM, background=True,
                        steered=True)
    session = events.wait("StreamSession")[2]["session_id"]
    events.wait("VideoSession", session_id=session)
    shows(host, session)
    return viewer, session


def combos(events, session):
    return [event for event in events.seen
            if event[1] == "ClientWolfUIComboEvent" and event[2]["session_id"] == session]


def hold(viewer, api):
    """Pressed again until it counts: a desktop that is just told who may steer may hear it later."""
    def once():
        steer(viewer, f"up {A}", f"down {A}")
        return held(api)
    wait_for("the key is held", 5, once, 0.2)


def who_is_put_out_holds_nothing(host, api, events, viewer, lobby, session):
    """Nor does who may only watch from now on."""
    row = {"lobby_id": lobby, "moonlight_session_id": session}
    hold(viewer, api)
    done("watches", host.api("/api/v2/lobbies/role", {**row, "role": "viewer"}))
    wait_for("who only watches holds nothing", 5, lambda: not held(api))
    steer(viewer, f"up {A}")
    done("steers again", host.api("/api/v2/lobbies/role", {**row, "role": "player"}))
    hold(viewer, api)
    done("kick", host.api("/api/v2/lobbies/kick", row))
    expect(f"home: {row_of(host, session)}", row_of(host, session)["member"] == "home")
    expect("nothing is held at home", not held(api))
    steer(viewer, f"up {A}")
    host.wait_log(f"event=lobby-left lobby={lobby} session={int(session):016x} reason=kicked")
    events.wait("LeaveLobbyEvent", lobby_id=lobby, moonlight_session_id=session)
    refused("kicked twice", host.api("/api/v2/lobbies/kick", row), "not in")
    done("let in again", ask(host, "join", lobby, session, role="viewer"))
    expect("nothing was left held in the lobby", not held(api))
    done("leave", ask(host, "leave", lobby, session))


def the_combo_brings_a_viewer_back(build):
    with Host(build) as host:
        host.paired()
        api = Api(host)
        events = Events(api)
        lobby = create(host, video=SMALL)
        viewer, session = watch(host, events)
        desk = str(int(host.status("lobby", id=lobby)[0]["desk"], 16))

        # At home it is told, and nothing moves.
        press_combo(viewer)
        events.wait("ClientWolfUIComboEvent", session_id=session)
        let_go(viewer)

        for press, release in ((lambda: press_combo(viewer), lambda: let_go(viewer)),
                               (lambda: steer(viewer, f"pad 0 1 {START_UP_RB} 0 0 0 0 0 0"),
                                lambda: steer(viewer, "pad 0 1 0 0 0 0 0 0 0"))):
            done("join", ask(host, "join", lobby, session))
            events.wait("SwitchStreamProducerEvents", session_id=session, interpipe_src_id=desk)
            expect("nothing is held", not held(api))
            steer(viewer, f"down {A}")
            wait_for("the key is held", 5, lambda: held(api))
            press()
            events.wait("ClientWolfUIComboEvent", session_id=session)
            events.wait("SwitchStreamProducerEvents", session_id=session,
                        interpipe_src_id=session)
            events.wait("LeaveLobbyEvent", moonlight_session_id=session)
            expect(f"home: {row_of(host, session)}", row_of(host, session)["member"] == "home")
            expect("nothing is held at home", not held(api))
            release()
            steer(viewer, f"up {A}")
        done("join", ask(host, "join", lobby, session))
        expect("nothing was left held in the lobby", not held(api))
        who_is_put_out_holds_nothing(host, api, events, viewer, lobby, session)
        expect(f"told once for each press: {combos(events, session)}",
               len(combos(events, session)) == 3)

        steer(viewer, "idr")
        events.wait("IDRRequestEvent", session_id=session)
        report = finish(host, viewer)
        expect(f"a key still shows at home: {report.get('input')}",
               report["input"]["seen"] == 5 and report["input"]["missed"] == 0)
        events.close()


def key(viewer, *codes):
    for code in codes:
        steer(viewer, f"down {code}", f"up {code}")


def pad(viewer, *states):
    """Buttons, or (x, y) of the left stick; each is let go."""
    for state in states:
        buttons, (x, y) = (0, state) if isinstance(state, tuple) else (state, (0, 0))
        steer(viewer, f"pad 0 1 {buttons} 0 0 {x} {y} 0 0", "pad 0 1 0 0 0 0 0 0 0")


PAD_DOWN, PAD_A = 0x2, 0x1000
ANNA = "anna-with-a-name-that-is-as-long-as-one-may-be_"  # 47 bytes
DIGIT = 0x30
UP, DOWN, LEFT, RIGHT, ENTER, ESCAPE = 0x26, 0x28, 0x25, 0x27, 0x0d, 0x1b


def ask_home(host, what, **body):
    """As Home does, by the socket that lies in its desktop; its status and its answer."""
    home = host.status("session", app="Home")[0]["id"]
    path = host.folder / f"run/s-{home}/perigee.sock"
    data = json.dumps(body).encode()
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(str(path))
        s.sendall(f"POST /api/v2/launcher/{what} HTTP/1.1\r\nHost: perigee\r\n"
                  f"Connection: close\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)
        answer = b""
        while chunk := s.recv(65536):
            answer += chunk
    return int(answer.split()[1]), json.loads(answer.partition(b"\r\n\r\n")[2])


def become_anna(host, viewer):
    """Nothing is there to choose for who is nobody."""
    key(viewer, ENTER, *(DIGIT + at for at in (1, 2, 3, 5)), ENTER)
    host.wait_log("answered want=1 done=0", 10)
    key(viewer, *(DIGIT + at for at in (1, 2, 3, 4)), ENTER)
    host.wait_log("answered want=1 done=1", 10)


def join_with_a_pin(host, events, viewer, session, lobby):
    """The lobby is the first item; its first entry is Join; the PIN is typed, then Enter."""
    key(viewer, ENTER, ENTER, DIGIT, DIGIT + 4, DIGIT + 8, ENTER)
    host.wait_log("answered want=3 done=0", 10)
    expect("a wrong PIN lets nobody in", row_of(host, session)["member"] == "home")
    key(viewer, DIGIT, DIGIT + 4, DIGIT + 7, ENTER)
    events.wait("JoinLobbyEvent", lobby_id=lobby, moonlight_session_id=session)
    host.wait_log("answered want=3 done=1", 10)
    shows(host, session)


def go_back(host, events, viewer, session, lobby):
    press_combo(viewer)
    events.wait("LeaveLobbyEvent", lobby_id=lobby, moonlight_session_id=session)
    let_go(viewer)
    expect("back at Home", row_of(host, session)["member"] == "home")
    shows(host, session, 1)
    status, answer = ask_home(host, "leave")
    expect(f"who is at home cannot leave: {status} {answer}",
           status == 409 and answer["success"] is False and answer["error"])


def make_a_lobby(host, events, viewer, session, apps):
    """Below the lobby are the apps; Pattern, for several."""
    before = len(host.log())
    key(viewer, DOWN, *[RIGHT] * (apps.index("Pattern") - 1), ENTER, DOWN, ENTER)
    made = events.wait("CreateLobbyEvent")[2]
    expect(f"Pattern for several: {made}", made["name"] == "Pattern" and made["multi_user"])
    expect(f"it is Anna's: {made}", made["profile_id"] == ANNA)
    events.wait("JoinLobbyEvent", lobby_id=made["id"], moonlight_session_id=session)
    shows(host, session)
    for line in "answered want=3 done=1", "launcher-shows lobbies=2":
        host.wait_log(line, 10, before)
    return made["id"]


def desktop_asks(host, events, session, lobby):
    """Home's desktop can ask for its viewer back without a press, and send it away again."""
    for what, where, event in (("leave", "home", "LeaveLobbyEvent"),
                               ("join", "in", "JoinLobbyEvent")):
        status, answer = ask_home(host, what, lobby_id=lobby)
        expect(f"{what}: {status} {answer}", status == 200 and answer["success"])
        expect(f"{what}: {row_of(host, session)}", row_of(host, session)["member"] == where)
        events.wait(event, lobby_id=lobby, moonlight_session_id=session)
    shows(host, session)


def stop_with_a_pad(host, events, viewer, session, lobby):
    """A pad brings back as well, and steers: the second lobby, its second entry is Stop."""
    pad(viewer, START_UP_RB)
    events.wait("LeaveLobbyEvent", lobby_id=lobby, moonlight_session_id=session)
    expect("back at Home again", row_of(host, session)["member"] == "home")
    expect("the same connection", viewer.poll() is None)
    pad(viewer, (32767, 0), PAD_A, PAD_DOWN, PAD_A)
    events.wait("StopLobbyEvent", lobby_id=lobby)
    host.wait_log("answered want=4 done=1", 10)


def stop_with_a_pin(host, events, viewer, lobby):
    """What has a PIN is stopped by who knows it."""
    key(viewer, ENTER, DOWN, ENTER, DIGIT + 7, ENTER)
    host.wait_log("answered want=4 done=0", 10)
    expect("a wrong PIN stops nothing", host.status("lobby", id=lobby))
    key(viewer, DIGIT, DIGIT + 4, DIGIT + 7, ENTER)
    events.wait("StopLobbyEvent", lobby_id=lobby)
    wait_for("no lobby", 5, lambda: not host.status("lobby"))


def from_home_to_a_lobby_and_back_and_to_another(build):
    """A person of the host who says who they are, a lobby with a PIN, Home, another lobby that
    it makes, Home, and both are stopped there."""
    with Host(build) as host:
        host.paired()
        api = Api(host)
        events = Events(api)
        apps = [row["title"] for row in api.get("/api/v1/apps")["apps"]]
        expect(f"Home comes first: {apps}", apps[0] == "Home" and "Pattern" in apps)
        locked = create(host, name="Locked", video=SMALL, pin=[0, 4, 7])
        api.post("/api/v1/profiles/add", {"id": ANNA, "name": "Anna", "pin": [1, 2, 3, 4]})
        wait_for("the profile", 5, lambda: api.get("/api/v1/profiles")["profiles"])
        viewer, session = watch(host, events, app="Home")
        host.wait_log("launcher-shows lobbies=1", 15)
        become_anna(host, viewer)
        join_with_a_pin(host, events, viewer, session, locked)
        go_back(host, events, viewer, session, locked)
        made = make_a_lobby(host, events, viewer, session, apps)
        desktop_asks(host, events, session, made)
        stop_with_a_pad(host, events, viewer, session, made)
        stop_with_a_pin(host, events, viewer, locked)
        viewer.send_signal(signal.SIGINT)
        video = host.report(viewer, check=False)["video"]
        expect(f"no picture is missing or broken: {video}", video["missing_numbers"] == 0 and
               video["decode_errors"] == 0 and video["stale_ivs"] == 0)
        events.close()


def at_home(host, session, path, body):
    """As Home does it, by the socket that lies in that session's desktop."""
    return host.api(f"/api/v2/launcher/{path}", body,
                    place=f"run/s-{int(session):016x}/perigee.sock", seconds=20)


def make_for(host, session, profile=""):
    return at_home(host, session, "create", {
        "app_id": str(pattern_id(host)), "several": True, "profile_id": profile})


def log_in(host, session, profile, *pin):
    return at_home(host, session, "profile", {"profile_id": profile, "pin": pin})


def kill_supervisor(host):
    mark = len(host.log())
    os.kill(next(pid for pid, name in host.remains() if name.endswith("perigeed")),
            signal.SIGKILL)
    host.wait_log("event=settled", 10, mark)
    wait_for("it answers", 10, lambda: host.api("/api/v1/status", optional=True))


def nobody_gets_a_profiles_home_without_its_pin(build):
    """Whoever speaks on the socket of Home says which profile it is for: that is not enough."""
    with Host(build) as host:
        api, sessions = Api(host), []
        events = Events(api)
        for profile in ({"id": "anna", "name": "Anna", "pin": [1, 2, 3, 4]},
                        {"id": "ben", "name": "Ben"}):
            api.post("/api/v1/profiles/add", profile)
        wait_for("the profiles", 5, lambda: len(api.get("/api/v1/profiles")["profiles"]) == 2)
        viewers = []
        for keys in ("one", "two"):
            host.paired(keys)
            viewers.append(host.probe("stream", "--app", "Home", "--seconds", "60", "--no-decode",
                                      *FORM, keys=keys, background=True))
            sessions.append(events.wait("StreamSession")[2]["session_id"])
            events.wait("VideoSession", session_id=sessions[-1])
        one, two = sessions
        homes = host.folder / "data/homes"

        refused("unsaid", make_for(host, one, "anna"), "PIN was not given")
        refused("unknown", make_for(host, one, "eve"), "no such profile")
        refused("wrong", log_in(host, one, "anna", 1, 2, 3, 5), "PIN is wrong")
        refused("still", make_for(host, one, "anna"), "PIN was not given")
        expect("nothing of it was made", not host.status("lobby") and
               not list(homes.glob("profile-*")))
        done("logged in", log_in(host, one, "anna", 1, 2, 3, 4))
        refused("at another Home", make_for(host, two, "anna"), "PIN was not given")
        made = make_for(host, one, "anna")
        done("hers", made)
        done("one without a PIN", make_for(host, two, "ben"))
        expect("their homes", {path.name for path in homes.glob("profile-*")} ==
               {"profile-anna", "profile-ben"})

        kill_supervisor_and_web_door(host)
        done("known to whoever comes after them", make_for(host, one, "anna"))
        # Another PIN, another answer; and who leaves has left.
        mark = len(host.log())
        api.post("/api/v1/profiles/add", {"id": "anna", "name": "Anna", "pin": [3] * 4})
        host.wait_log("event=profile-left", 5, mark)
        refused("with the old PIN", make_for(host, one, "anna"), "PIN was not given")
        done("logged in", log_in(host, one, "anna", 3, 3, 3, 3))
        done("logged out", log_in(host, one, ""))
        refused("nobody is there", make_for(host, one, "anna"), "PIN was not given")
        done("logged in", log_in(host, one, "anna", 3, 3, 3, 3))
        done("somebody else is there", make_for(host, one, "ben"))
        refused("and she is not", make_for(host, one, "anna"), "PIN was not given")
        for viewer in viewers:
            viewer.send_signal(signal.SIGINT)
            host.report(viewer, check=False)
        events.close()


def what_is_made_for_me_is_mine(build):
    """Two clients at Home: what one makes for itself nobody else joins or stops; what it makes for
    several others join, and stop with its PIN alone. Whose home an app has."""
    with Host(build) as host:
        events = Events(Api(host))
        form = ["--seconds", "60", "--no-decode", *FORM]
        viewers, sessions = [], []
        for keys in ("one", "two"):
            host.paired(keys)
            viewers.append(host.probe("stream", "--app", "Home", *form, keys=keys, background=True))
            sessions.append(events.wait("StreamSession")[2]["session_id"])
            events.wait("VideoSession", session_id=sessions[-1])
        Api(host).post("/api/v1/profiles/add", {"id": "anna", "name": "Anna"})
        pattern = str(pattern_id(host))
        mine = at_home(host, sessions[0], "create", {"app_id": pattern, "several": False})["lobby_id"]
        others = at_home(host, sessions[0], "create", {
            "app_id": pattern, "several": True, "pin": [0, 7], "profile_id": "anna"})["lobby_id"]
        open_to_all = at_home(host, sessions[0], "create", {"app_id": pattern, "several": True})[
            "lobby_id"]
        for session, is_mine in zip(sessions, (True, False)):
            rows = host.api("/api/v2/launcher",
                            place=f"run/s-{int(session):016x}/perigee.sock")["lobbies"]
            expect(f"told as it is: {rows}", {(row["id"], row["private"], row["mine"])
                                              for row in rows} == {
                (mine, True, is_mine), (others, False, is_mine), (open_to_all, False, is_mine)})
        client = next(row for row in host.api("/api/v1/clients")["clients"] if row["name"] == "one")
        row = next(row for row in host.api("/api/v1/lobbies")["lobbies"] if row["id"] == mine)
        expect(f"and to programs: {row}", row["private"] and row["made_by_client"] == client["client_id"])
        homes = {f"{client['client_id'][:16].lower()}/Pattern", "profile-anna/Pattern"}
        found = {str(path.relative_to(host.folder / "data/homes"))
                 for path in (host.folder / "data/homes").glob("*/Pattern")}
        expect(f"a home of the client, and one of the profile: {found} {homes}", homes == found)

        two = sessions[1]
        refused("join", at_home(host, two, "join", {"lobby_id": mine}), "that made it")
        refused("by a program", ask(host, "join", mine, two), "that made it")
        refused("stop", at_home(host, two, "stop", {"lobby_id": mine}), "that made it")
        refused("stop", at_home(host, two, "stop", {"lobby_id": open_to_all}), "that made the lobby")
        refused("stop", at_home(host, two, "stop", {"lobby_id": others, "pin": [1]}), "PIN")
        # What a client may holds at Home as well.
        guest = next(row for row in host.api("/api/v1/clients")["clients"] if row["name"] == "two")
        for taken, asked, words in (("lobby_create", "create", "may not make the lobby Pattern"),
                                    ("lobby_join", "join", "may not join the lobby Pattern")):
            done("taken", host.api("/api/v1/clients/settings", {
                "client_id": guest["client_id"],
                "permissions": [word for word in guest["permissions"] if word != taken]}))
            # The store tells the supervisor before it answers, but by a way of its own: what the
            # web door asks next may be read before that in the same turn, not in the next.
            host.status("host")
            refused(taken, at_home(host, two, asked, {
                "app_id": pattern, "several": True, "lobby_id": open_to_all}), words)
        done("given back", host.api("/api/v1/clients/settings", {
            "client_id": guest["client_id"], "permissions": guest["permissions"]}))
        host.status("host")
        expect("nothing was made", len(host.status("lobby")) == 3)
        done("join", at_home(host, two, "join", {"lobby_id": open_to_all}))
        done("stop", at_home(host, two, "stop", {"lobby_id": others, "pin": [0, 7]}))
        # A supervisor that takes over knows whose they are.
        kill_supervisor(host)
        wait_for("the lobby is known", 10, lambda: host.status("lobby", id=mine))
        refused("stop still", at_home(host, two, "stop", {"lobby_id": mine}), "that made it")
        for lobby in (mine, open_to_all):
            done("its maker stops it", at_home(host, sessions[0], "stop", {"lobby_id": lobby}))
        for viewer in viewers:
            viewer.send_signal(signal.SIGINT)
            host.report(viewer, check=False)
        events.close()


if __name__ == "__main__":
    run([what_is_made_for_me_is_mine, nobody_gets_a_profiles_home_without_its_pin,
         the_combo_brings_a_viewer_back, from_home_to_a_lobby_and_back_and_to_another])
