#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The API as a program sees it: every call of the OpenAPI document is made, and every answer is
held against it. Events are read as they come."""
import http.client
import json
import re
import ssl
import subprocess

import api_lobbies
from api_client import Api, Desk, Events
from api_engine import images
from api_sessions import sessions_of_programs
from host import Host, expect, run, wait_for
from pictures import read_png

# Done by another test, which holds the answer against the document as well: system_upgrade.
ELSEWHERE = {("POST", "/api/v1/system/upgrade")}


def pair(host, api, events):
    process = host.probe("pair", "--pin", "1234", background=True)
    events.wait("PairSignal", client_ip="127.0.0.1")
    waiting = api.get("/api/v1/pair/pending")["requests"]
    secret = waiting[0]["pair_secret"]
    api.post("/api/v1/pair/client", {"pair_secret": "77777", "pin": "1234"}, status=400)
    api.post("/api/v1/pair/client", {"pair_secret": secret, "pin": "1234", "name": "TV"})
    host.report(process)
    events.wait("ClientPaired")
    return api.get("/api/v1/clients")["clients"][0]["client_id"]


def pictures_of_apps(api, pattern):
    """By number, and by what an app has said of its icon, as Wolf's clients ask for it."""
    path = "/api/v1/utils/get-icon"
    def drawn(query):
        wait_for(f"{query} is drawn", 10, lambda: api.raw("GET", path + query)[0] == 200)
        picture = api.get(path, query=query)
        expect("a picture", picture[:4] == b"\x89PNG")
        return picture

    drawn(f"?app_id={pattern}")
    api.post("/api/v1/profiles/add", {"id": "seen", "name": "Seen"})
    api.post("/api/v1/apps/add", {"title": "Shown", "id": "shown", "profile_id": "seen",
                                  "icon_png_path": "icons/shown.png",
                                  "runner": {"type": "process", "run_cmd": "foot"}})
    drawn("?icon_path=icons/shown.png")
    api.post("/api/v1/apps/delete", {"id": "shown"})
    wait_for("it is gone", 5, lambda: api.raw("GET", f"{path}?icon_path=icons/shown.png")[0] == 404)
    api.post("/api/v1/profiles/remove", {"id": "seen"})
    api.get(path, query="?app_id=999999", status=404)
    api.get(path, query="?icon_path=/etc/passwd", status=404)


def what_is_kept(host, api, client):
    api.post("/api/v1/clients/settings", {"client_id": client, "app_state_folder": "mine",
                                          "settings": {"mouse_acceleration": 1.5}})
    wait_for("the client's settings", 5, lambda: api.get("/api/v1/clients")["clients"][0].get(
        "app_state_folder") == "mine")
    api.post("/api/v1/clients/settings", {"client_id": "0" * 64}, status=404)
    api.post("/api/v1/profiles/add", {"id": "p", "name": "Anna", "pin": [1, 2, 3, 4]})
    profiles = wait_for("the profile", 5, lambda: api.get("/api/v1/profiles")["profiles"])
    expect("its PIN is not told", profiles[0]["pin_required"] and
           "1234" not in json.dumps(profiles))
    api.post("/api/v1/profiles/remove", {"id": "p"})
    wait_for("no profile", 5, lambda: not api.get("/api/v1/profiles")["profiles"])
    for _ in range(2):
        api.post("/api/v1/apps/add", {"title": "Mine", "id": "mine",
                                      "h264_gst_pipeline": "x264enc",
                                      "runner": {"type": "process", "run_cmd": "foot"}})
    expect("what has no effect here is said once",
           host.log().count("event=pipeline-ignored field=h264_gst_pipeline ") == 1)
    api.post("/api/v1/apps/delete", {"id": "mine"})
    api.post("/api/v1/apps/add", {"title": "Mine"}, status=400)


def tokens(host, api):
    made = api.post("/api/v2/tokens/create", {"name": "robot", "scopes": ["read", "input"]})
    api.post("/api/v2/tokens/create", {"scopes": ["everything"]}, status=400)
    rows = api.get("/api/v2/tokens")["tokens"]
    expect("a token is listed without itself", rows[0]["scopes"] == ["read", "input"] and
           made["token"] not in json.dumps(rows))

    def web(path, key):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", host.port + 1, context=context)
        connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
        answer = connection.getresponse()
        connection.close()
        return answer.status

    expect("it opens the web port", web("/api/v1/clients", made["token"]) == 200)
    expect("but for its scopes alone", web("/api/v1/pair/pending", made["token"]) == 403)
    expect("nobody else", web("/api/v1/clients", "pgt_" + "0" * 64) == 401)
    state = (host.folder / "state/state.db").read_bytes()
    expect("only its hash is kept", made["token"].encode() not in state)
    api.post("/api/v2/tokens/remove", {"token_id": made["token_id"]})
    wait_for("it is gone", 5, lambda: web("/api/v1/clients", made["token"]) == 401)
    api.post("/api/v2/tokens/remove", {"token_id": made["token_id"]}, status=404)


def commands(host):
    """What people type gives what programs ask for."""
    def perigee(*words, status=0):
        done = subprocess.run([str(host.build / "src/cli/perigee"), "--runtime",
                               str(host.folder / "run"), *words], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60)
        expect(f"perigee {words}: {done.returncode} {done.stderr}", done.returncode == status)
        return done.stdout

    made = json.loads(perigee("token", "create", "--scope", "read", "--name", "x", "--json"))
    expect("a token", made["token"].startswith("pgt_"))
    expect("in the list", made["token_id"] in perigee("token", "list"))
    perigee("token", "remove", made["token_id"])
    perigee("token", "remove", made["token_id"], status=1)
    perigee("token", "create", status=2)
    expect("nobody", "Nobody has a session" in perigee("sessions"))
    perigee("sessions", "stop", "5", status=1)
    expect("no lobby", "There is no lobby" in perigee("lobby", "list"))
    perigee("lobby", "create", "L", status=2)
    perigee("lobby", "create", "L", "--app", "No such app", status=1)
    perigee("lobby", "create", "By name", "--app", "pattern", "--pin", "12")
    perigee("lobby", "stop", "by name", "--pin", "13", status=1)
    perigee("screenshot", "by name", str(host.folder / "lobby.jpg"))
    expect("a JPEG by its name", (host.folder / "lobby.jpg").read_bytes()[:2] == b"\xff\xd8")
    perigee("lobby", "stop", "by name", "--pin", "12")
    wait_for("it is over", 10, lambda: "There is no lobby" in perigee("lobby", "list"))
    perigee("lobby", "join", status=2)
    perigee("lobby", "join", "L", status=1)
    expect("the host at a glance", "Nobody has a session" in perigee("top"))
    expect("rows", json.loads(perigee("top", "--json")))
    expect("lines of the log", "event=" in perigee("logs"))
    perigee("events", "NoSuchEvent", status=2)


def what_is_missing(api):
    for path, methods in api.document["paths"].items():
        for method, call in methods.items():
            if "501" in call["summary"]:
                answer = api.call(method.upper(), path, {} if method == "post" else None,
                                  status=501)
                expect("a reason", len(answer["error"]) > 20)


def lobbies(api):
    api.get("/api/v1/lobbies")
    gone = {"lobby_id": "no-such-lobby", "moonlight_session_id": "5"}
    for path, body in (("/api/v1/lobbies/join", gone), ("/api/v1/lobbies/leave", gone),
                       ("/api/v2/lobbies/kick", gone),
                       ("/api/v2/lobbies/role", {**gone, "role": "viewer"}),
                       ("/api/v1/lobbies/stop", {"lobby_id": "no-such-lobby"}),
                       ("/api/v1/lobbies/pause", {"lobby_id": "no-such-lobby"}),
                       ("/api/v1/lobbies/resume", {"lobby_id": "no-such-lobby"}),
                       ("/api/v2/viewers/switch", {"session_id": "5", "lobby_id": "no-such"})):
        status, answer = api.raw("POST", path, body)
        expect(f"{path} of a lobby that is not there: {status} {answer}",
               status in (404, 409, 501) and answer["error"])
        api.check("POST", path, status, answer)
    api.post("/api/v1/lobbies/create", {"name": "L"}, status=400)
    answer = api.post("/api/v1/lobbies/create", {"name": "L", "pin": [1, 2, "x"]}, status=400)
    expect("the field is named", "pin" in answer["error"])


def figures(api):
    health = wait_for("ready", 20, lambda: [h for h in [api.get("/api/v1/system/health")]
                                            if h["can_create_new_pipelines"]])[0]
    expect("our processes", health["total_thread_count"] >= 4 and
           health["overall_status"] == "healthy")
    api.get("/api/v1/wolf/health")
    memory = wait_for("measured memory", 10, lambda: [m for m in [api.get("/api/v1/system/memory")]
                                                      if m["total_memory_bytes"] > 1 << 20])
    expect("no made-up figure", memory[0]["gstreamer_buffer_bytes"] == 0)
    own = {row["pid"]: row["kind"] for row in api.get(
        "/api/v1/status", query="?filter=process")["status"]}
    expect("as the kernel counts it", memory[0]["process_rss_bytes"] > len(own) << 18)
    rows = api.get("/api/v1/status", query="?filter=process")["status"]
    expect("only what was asked for", rows and all(row["what"] == "process" for row in rows))
    for path in ("/api/v1/status", "/api/v2/viewers", "/api/v2/counters", "/api/v2/evidence",
                 "/api/v2/admission", "/healthz", "/readyz", "/metrics", "/api/v1/pair/link"):
        api.get(path)
    api.get("/api/v1/status", query="?nonsense=1", status=400)


def screenshots(host, api, session, row):
    """What is seen, while it is streamed; who watches it does not notice."""
    path = "/api/v2/desktops/screenshot"
    before = api.get("/api/v2/viewers")["viewers"][0]
    def picture():
        width, height, rows = read_png(api.get(path, query=f"?session_id={session}"))
        expect("of its size", (width, height) == (row["video_width"], row["video_height"]))
        return rows

    def shows_pattern(rows):
        return len({rows[len(rows) // 2][at:at + 3] for at in range(0, len(rows[0]), 3)}) > 4

    first = wait_for("Pattern in a picture", 10, lambda: [
        rows for rows in [picture()] if shows_pattern(rows)])[0]
    wait_for("Pattern moves", 10, lambda: picture() != first)
    wait_for("the stream goes on", 10, lambda: [
        one for one in api.get("/api/v2/viewers")["viewers"]
        if one["pictures"] > before["pictures"]])
    jpeg = api.get(path, query=f"?session_id={session}&format=jpeg")
    expect("a JPEG", jpeg[:3] == b"\xff\xd8\xff" and jpeg[-2:] == b"\xff\xd9")
    api.get(path, query=f"?session_id={session}&format=gif", status=400)
    file = host.folder / "picture.png"
    done = subprocess.run([str(host.build / "src/cli/perigee"), "--runtime",
                           str(host.folder / "run"), "screenshot", session, str(file)],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    expect(f"perigee screenshot: {done.stderr}", done.returncode == 0)
    expect("the same in a file", len(read_png(file.read_bytes())[2]) == len(first))
    api.get(path, query="?desktop_id=5", status=404)
    api.get(path, status=404)


def clipboards(api, desk, session):
    """Set at one door and read at the other; whose client may not is told so."""
    own, named, query = "/api/v2/desktop/clipboard", "/api/v2/desktops/clipboard", \
        f"?session_id={session}"
    desk.get(own, status=404)
    text = "line one\nline two \u20ac \U0001f600\n" * 500
    api.post(named, {"session_id": session, "text": text})
    expect("the same text", desk.get(own).decode() == text)
    desk.post(own, {"text": "from inside"})
    expect("and the other way", api.get(named, query=query) == b"from inside")
    api.get(named, query="?desktop_id=5", status=404)
    desk.post(own, {"text": "x" * 49153}, status=400)
    client = api.get("/api/v1/clients")["clients"][0]
    settings = "/api/v1/clients/settings"
    may = [name for name in client["permissions"] if name != "clipboard"]
    for permissions, status in ((may, 403), (client["permissions"], 200)):
        api.post(settings, {"client_id": client["client_id"], "permissions": permissions})
        wait_for("the supervisor knows", 5, lambda: api.raw("GET", named + query)[0] == status)
        expect("at its own door, too", desk.raw("GET", own)[0] == status)
    desk.post(own, {"text": ""})
    desk.get(own, status=404)


def of_itself(api, session, row):
    """What a desktop's programs may: their own desktop, which no call names."""
    desk = Desk(api, session)
    answer = desk.get("/api/v2/desktop")
    expect(f"what it is: {answer}", answer["desktop"]["app"] == "Pattern" and
           answer["desktop"]["width"] == row["video_width"] and answer["desktop"]["ready"])
    expect("who sees it", [one["name"] for one in answer["viewers"]] == [row["client_name"]] and
           answer["viewers"][0]["may_input"])
    expect("no id, no address, no key", not re.search(r'_id|127\.0\.0\.1|key', json.dumps(answer)))
    path = "/api/v2/desktop/screenshot"
    expect("of its size", read_png(desk.get(path))[:2] == (row["video_width"], row["video_height"]))
    desk.get(path, query=f"?session_id={session}", status=400)
    clipboards(api, desk, session)
    desk.post("/api/v2/desktop/input", {"keys": [30]})
    desk.post("/api/v2/desktop/input", {"keys": [30], "session_id": session}, status=400)
    for path in ("/api/v1/sessions", "/api/v2/desktops", "/api/v2/viewers", "/api/v2/launcher"):
        expect(f"nothing else is there: {path}", desk.raw("GET", path)[0] == 404)
    expect("nor is it at the host's", api.raw("GET", "/api/v2/desktop")[0] == 404)


def a_session(host, api, events, pattern):
    process = host.probe("stream", "--app", "Pattern", "--seconds", "60", background=True)
    session = events.wait("StreamSession")[2]["session_id"]
    events.wait("RTPVideoPingEvent", session_id=session)
    events.wait("VideoSession", session_id=session)
    row = wait_for("a streaming session", 10, lambda: [
        one for one in api.get("/api/v1/sessions")["sessions"] if one["state"] == "streaming"])[0]
    expect("the same session", row["session_id"] == session and row["app_title"] == "Pattern")
    expect("no key is told", "aes" not in json.dumps(row))
    screenshots(host, api, session, row)
    api_lobbies.members(api, events, session, row["client_fingerprint"], pattern)
    desktop = api.get("/api/v2/desktops")["desktops"][0]["desktop_id"]
    api.post("/api/v2/desktops/input", {"desktop_id": desktop, "text": "hello", "keys": [29, 30],
                                        "pointer": {"x": 1, "y": 1, "width": 9, "height": 9},
                                        "click": 1, "scroll": -120})
    of_itself(api, session, row)
    down = "0000000e03000000" + "00" + "4180" + "00" + "0000"
    api.post("/api/v1/sessions/input", {"session_id": int(session),
                                        "input_packet_hex": down}, status=400)
    # A key of a client that goes down: LE magic 3, flags, vk 0x41 with 0x80, modifiers, pad.
    down = "0000000a" "03000000" "00" "4180" "00" "0000"
    api.post("/api/v1/sessions/input", {"session_id": session, "input_packet_hex": down})
    held = wait_for("the key is held", 5, lambda: [
        one for one in api.get("/api/v1/keyboard/state")["sessions"] if one["pressed_keys"]])[0]
    expect("A is held", held["pressed_keys"] == [30])
    answer = api.post("/api/v1/keyboard/reset", {"session_id": session})
    expect("it is told what went up", answer["released_keys"] == ["key 30"])
    expect("nothing is held", not api.get("/api/v1/keyboard/state")["sessions"][0]["pressed_keys"])
    api.post("/api/v1/sessions/pause", {"session_id": session})
    events.wait("PauseStreamEvent", session_id=session)
    host.report(process, check=False)
    api.post("/api/v1/sessions/stop", {"session_id": session})
    stopped = events.wait("StopStreamEvent", session_id=session)
    expect("the reason is told", stopped[2]["reason"] == "asked")
    for again in ("sessions", "session"):
        api.post(f"/api/v1/{again}/stop", {"session_id": session}, status=404)
    return session


def straight_to_a_lobby(host, api, events, client, pattern):
    """A client's next session goes where it was told to go before it came."""
    lobby = api.post("/api/v1/lobbies/create", {
        "name": "Next", "app_id": pattern, "pin": [7, 7], "wait": False,
        "video_settings": {"width": 1280, "height": 720, "refresh_rate": 30}})["lobby_id"]
    wait_for("it is ready", 20, lambda: [one for one in api.get("/api/v1/lobbies")["lobbies"]
                                         if one["id"] == lobby and one["state"] == "ready"])
    configure = "/api/v1/sessions/configure"
    api.post(configure, {"client_id": client, "immediate_lobby_id": "none"}, status=404)
    api.post(configure, {"immediate_lobby_id": lobby}, status=400)
    api.post(configure, {"client_unique_id": "0123456789ABCDEF", "immediate_lobby_id": lobby})
    api.post(configure, {"client_id": client})
    api.post(configure, {"client_id": client, "immediate_lobby_id": lobby, "pin": [7, 7]})
    process = host.probe("stream", "--app", "Pattern", "--seconds", "60", background=True)
    joined = events.wait("JoinLobbyEvent", lobby_id=lobby)[2]
    read_png(api.get("/api/v2/desktops/screenshot", query=f"?lobby_id={lobby}"))
    api.post("/api/v2/desktops/input", {"lobby_id": lobby, "keys": [30]})
    api.post("/api/v1/session/stop", {"session_id": joined["moonlight_session_id"]})
    host.report(process, check=False)
    for what, name in (("pause", "PauseLobbyEvent"), ("resume", "ResumeLobbyEvent")):
        api.post(f"/api/v1/lobbies/{what}", {"lobby_id": lobby, "pin": [7, 7]})
        events.wait(name, lobby_id=lobby)
    api.post("/api/v1/lobbies/stop", {"lobby_id": lobby, "pin": [7, 7]})
    events.wait("StopLobbyEvent", lobby_id=lobby)


def a_lobby_too_late(api, events, pattern):
    """Of a lobby that is not there in time nothing stays."""
    answer = api.post("/api/v1/lobbies/create", {"name": "Late", "app_id": pattern,
                                                 "deadline_ms": 1}, status=503)
    expect(f"in the words that Wolf's clients know: {answer}",
           answer["error"] == "Lobby setup timed out")
    wait_for("no lobby", 10, lambda: not api.get("/api/v1/lobbies")["lobbies"])


class Engined(Host):
    def before_start(self):
        path = self.folder / "perigee.yaml"
        path.write_text(f"container_engine: {self.folder}/engine.sock\n")
        self.command += ["--config", str(path)]


def every_call_answers_as_the_document_says(build):
    with Engined(build) as host:
        api = Api(host)
        events = Events(api)
        client = pair(host, api, events)
        figures(api)
        what_is_kept(host, api, client)
        tokens(host, api)
        commands(host)
        lobbies(api)
        what_is_missing(api)
        images(host, api, events)
        apps = api.get("/api/v1/apps")["apps"]
        pattern = [app["id"] for app in apps if app["title"] == "Pattern"][0]
        pictures_of_apps(api, pattern)
        a_lobby_too_late(api, events, pattern)
        straight_to_a_lobby(host, api, events, client, pattern)
        sessions_of_programs(host, api, events, client, pattern)
        api_lobbies.cancelled(host, pattern)
        session = a_session(host, api, events, pattern)
        api.post("/api/v1/unpair/client", {"client_id": client})
        events.wait("ClientUnpaired", client_id=client)
        come_back(api, events, session)
        api.post("/api/v1/system/restart", {"kind": "nonsense"}, status=404)
        api.post("/api/v1/system/restart", {"kind": "facts"})
        api.post("/api/v1/system/upgrade", {"from": "/no/such/folder", "check": True}, status=409)
        api.post("/api/v1/system/reload", {})
        api.get("/api/v1/openapi-schema")
        called = {(method.upper(), path) for path, methods in api.document["paths"].items()
                  for method in methods} - ELSEWHERE
        expect(f"every call was answered; not: {sorted(called - api.made)}", called <= api.made)


def come_back(api, events, session):
    """Who comes back with its last id misses nothing, and hears of this session alone."""
    events.close()
    stop = [event for event in events.seen if event[1] == "PauseStreamEvent"][0]
    again = Events(api, query=f"?session_id={session}&events=StopStreamEvent", last=stop[0])
    first = again.next()
    expect("what followed is told again", first[1] == "StopStreamEvent" and
           first in events.seen)
    again.close()
    late = Events(api, last="00000000-7")
    expect("another door's id: events may be missing", late.next()[1] == "EventsMissed")
    late.close()
    status, _ = api.raw("GET", "/api/v1/events?events=NoSuchEvent")
    expect("an event that does not exist is refused", status == 400)


if __name__ == "__main__":
    run([every_call_answers_as_the_document_says])
