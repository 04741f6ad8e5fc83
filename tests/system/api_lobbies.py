# SPDX-License-Identifier: MIT
"""Lobbies as a program has them: what is done to who is in one, and what a request leaves behind
whose asker goes away."""
import json
import socket

from host import expect, wait_for

CREATE = "/api/v1/lobbies/create"
FORM = {"width": 640, "height": 360, "refresh_rate": 30}


def send(host, body):
    """The request alone; whoever closes what this answers with has gone away."""
    data = json.dumps(body).encode()
    s = socket.socket(socket.AF_UNIX)
    s.connect(str(host.folder / "run/api.sock"))
    s.sendall(f"POST {CREATE} HTTP/1.1\r\nHost: p\r\nContent-Length: {len(data)}\r\n\r\n"
              .encode() + data)
    return s


def gone_at(host, body, moment):
    """Who goes away at that line of the log leaves nothing. One that was answered sooner than it
    could go is there, and is stopped."""
    mark = len(host.log())
    with send(host, body):
        if moment:
            host.wait_log(moment, start=mark)
    wait_for("it is over, or was answered", 20, lambda: not moment or
             "event=lobby-end" in host.log()[mark:] or host.status("lobby", state="alone"))
    for row in host.status("lobby"):
        host.api("/api/v1/lobbies/stop", {"lobby_id": row["id"]})
    wait_for("no lobby stays", 20, lambda: not host.status("lobby"))


def nothing_is_left(host):
    wait_for("no process of a lobby stays", 10, lambda: not [
        row for row in host.status("process", kind="desktop") +
        host.status("process", kind="runner") + host.status("process", kind="sound")])


def cancelled(host, pattern):
    body = {"name": "Gone", "app_id": pattern, "stop_when_everyone_leaves": False,
            "video_settings": FORM}
    own = {**body, "runner": {"type": "sandbox", "run_cmd": "exec foot"}}
    del own["app_id"]
    for what in (body, own):
        for moment in (None, "event=lobby-start", "event=desktop-ready", "event=app-started"):
            gone_at(host, what, moment)
    nothing_is_left(host)


def members(api, events, session, client, pattern):
    """Of a session that is watched: into two lobbies and out of them in every way."""
    one, two = [api.post(CREATE, {"name": name, "app_id": pattern, "video_settings": FORM,
                                  "stop_when_everyone_leaves": False})["lobby_id"]
                for name in ("One", "Two")]
    here = {"lobby_id": one, "moonlight_session_id": session}
    where = lambda: api.get("/api/v1/sessions")["sessions"][0]["desktop_id"]
    home = where()
    api.post("/api/v1/lobbies/join", here)
    events.wait("SwitchStreamProducerEvents", session_id=session)
    expect("it is there", where() != home)
    lobby = next(row for row in api.get("/api/v1/lobbies")["lobbies"] if row["id"] == one)
    expect(f"who is in it: {lobby}", lobby["connected_sessions"] == [session] and
           lobby["desktop_id"] == where())
    api.post("/api/v2/lobbies/role", {**here, "role": "viewer"})
    events.wait("LobbyRole", lobby_id=one, role="viewer")
    memory = api.get("/api/v1/system/memory")
    expect(f"where its memory is: {memory['clients']}", memory["clients"][0]["lobby_id"] == one)
    api.post("/api/v1/lobbies/leave", here)
    for wrong in ({"lobby_id": "none"}, {"moonlight_session_id": "5"}):
        api.post("/api/v1/lobbies/join", {**here, **wrong, "wait": False}, status=404)
    # Nobody waits: events tell how it was.
    api.post("/api/v1/lobbies/join", {**here, "wait": False, "deadline_ms": 1})
    failed = events.wait("JoinFailed", session_id=session)[2]
    expect(f"why: {failed}", failed["lobby_id"] == one and failed["reason"] == "switch-overdue")
    api.post("/api/v1/lobbies/join", {**here, "wait": False})
    events.wait("JoinLobbyEvent", lobby_id=one, moonlight_session_id=session)
    api.post("/api/v1/lobbies/leave", here)
    api.post("/api/v2/viewers/switch", {"session_id": session, "lobby_id": two})
    events.wait("JoinLobbyEvent", lobby_id=two)
    api.post("/api/v2/viewers/switch", {"session_id": session})
    api.post("/api/v1/lobbies/join", here)
    api.post("/api/v2/lobbies/kick", here)
    expect("it is at home", where() == home)
    expect("whose it is", api.get("/api/v1/sessions")["sessions"][0]["client_fingerprint"] ==
           client)
    for lobby in (one, two):
        api.post("/api/v1/lobbies/stop", {"lobby_id": lobby})
        events.wait("StopLobbyEvent", lobby_id=lobby)
