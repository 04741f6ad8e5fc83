# SPDX-License-Identifier: MIT
"""Sessions that a program makes: further ones of a client, and nobody's."""
import json
import os
import select
import socket
import struct

from host import expect, wait_for

ADD, RESUME = "/api/v1/sessions/add", "/api/v1/sessions/resume"
FORM = {"video_width": 640, "video_height": 360, "video_refresh_rate": 30}


def fresh_key():
    return os.urandom(16).hex()


def listed(api):
    return {row["session_id"]: row for row in api.get("/api/v1/sessions")["sessions"]}


def watch(host, answer, key, number, seconds=60):
    return host.probe("watch", "--session-url", answer["rtsp_url"], "--key", key, "--key-id",
                      str(number), "--size", "640x360", "--fps", "30", "--kbps", "2000",
                      "--seconds", str(seconds), background=True)


def refused(api, client, pattern):
    api.post(ADD, {**FORM, "app_id": pattern, "client_id": "0" * 64}, status=404)
    api.post(ADD, {**FORM, "app_id": "999999"}, status=404)
    api.post(ADD, {**FORM, "app_id": pattern, "aes_key": "12", "aes_iv": "1"}, status=400)
    api.post(ADD, {**FORM, "app_id": pattern, "aes_key": fresh_key(), "aes_iv": "x"}, status=400)
    api.post(ADD, {**FORM, "app_id": pattern, "client_ip": "home"}, status=400)
    api.post(ADD, {**FORM, "client_id": client, "app_id": pattern,
                   "immediate_lobby_id": "none"}, status=404)
    api.post(RESUME, {"session_id": "5", "aes_key": fresh_key(), "aes_iv": "1"}, status=404)
    expect("nothing came of it", not listed(api))


def without_a_key(host, api, events, client, pattern):
    """It is there, and seen by pictures; then it gets a key, and somebody watches."""
    answer = api.post(ADD, {**FORM, "app_id": pattern, "client_id": client})
    session = answer["session_id"]
    expect("nobody could watch it yet", "rtsp_url" not in answer)
    row = listed(api)[session]
    expect(f"it waits: {row}", row["state"] == "paused" and row["video_width"] == 640)
    api.get("/api/v2/desktops/screenshot", query=f"?session_id={session}")
    key = fresh_key()
    answer = api.post(RESUME, {"session_id": session, "aes_key": key, "aes_iv": "-7"})
    expect(f"the key is not told: {answer}", key not in json.dumps(answer).lower())
    api.post(RESUME, {"session_id": session, "aes_key": key, "aes_iv": "8"})  # the same again
    viewer = watch(host, answer, key, -7)
    events.wait("VideoSession", session_id=session)
    return session, key, viewer


def one_more_program(api, events, session):
    """Beside its app; it runs on its desktop, and the session may end with it."""
    start = "/api/v1/runners/start"
    command = {"type": "process", "run_cmd": "sh -c 'test -S $XDG_RUNTIME_DIR/$WAYLAND_DISPLAY'"}
    api.post(start, {"session_id": "5", "runner": command}, status=404)
    for wrong in ({"type": "docker"}, {"type": "process"}, {"type": "magic", "run_cmd": "x"},
                  {**command, "image": "x"}):
        api.post(start, {"session_id": session, "runner": wrong}, status=400)
    answer = api.post(start, {"session_id": session, "runner": {"type": "docker", "image": "x"}},
                      status=500)
    expect(f"there is no engine: {answer}", "engine" in answer["error"])
    events.wait("AppExited", session_id=session)
    for kind in ("process", "sandbox"):
        api.post(start, {"session_id": session, "stop_stream_when_over": False,
                         "runner": {**command, "type": kind, "env": ["WORD=x"]}})
        over = events.wait("AppExited", session_id=session)[2]
        expect(f"it found its desktop: {over}", over["status"] == 0)
    expect("the session goes on", session in listed(api))
    memory = api.get("/api/v1/system/memory")
    expect(f"its app and desktop are measured: {memory}",
           memory["apps"][0]["memory_bytes"] > 1 << 20 and
           memory["total_memory_bytes"] > memory["process_rss_bytes"])
    api.post(start, {"session_id": session, "stop_stream_when_over": True,
                     "runner": {"type": "process", "run_cmd": "sleep 0.1"}})
    events.wait("StopStreamEvent", session_id=session)


def a_further_one(host, api, events, client, pattern):
    """At the same time as another of that client; Moonlight's launch is a third."""
    key = fresh_key()
    lobby = api.post("/api/v1/lobbies/create", {
        "name": "There", "app_id": pattern, "pin": [4, 2],
        "video_settings": {"width": 640, "height": 360, "refresh_rate": 30}})["lobby_id"]
    answer = api.post(ADD, {**FORM, "app_id": pattern, "client_id": client, "aes_key": key,
                            "aes_iv": "1", "immediate_lobby_id": lobby, "pin": [4, 2],
                            "role": "viewer"})
    viewer = watch(host, answer, key, 1)
    events.wait("JoinLobbyEvent", lobby_id=lobby, moonlight_session_id=answer["session_id"])
    expect("the client runs nothing of it", api.get("/api/v1/clients")["clients"][0]["app"] == 0)
    return lobby, answer["session_id"], viewer


def nobodys(host, api, events, pattern):
    """Answered at once; its files go with it."""
    answer = api.post(ADD, {**FORM, "app_id": pattern, "wait": False})
    wait_for("its desktop", 10, lambda: listed(api).get(answer["session_id"], {}).get(
        "state") == "paused")
    one_more_program(api, events, answer["session_id"])


def receives(port, secret, count):
    """A viewer that only pings, and counts what comes from there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setblocking(False)
        s.bind(("127.0.0.1", 0))
        s.connect(("127.0.0.1", port))
        got, pings = [], 0

        def enough():
            nonlocal pings
            if pings % 20 == 0:
                s.send(bytes(secret) + struct.pack(">I", pings + 1))
            pings += 1
            while select.select([s], [], [], 0)[0]:
                got.append(s.recv(2048))
            return len(got) >= count

        wait_for(f"{count} datagrams", 20, enough)
        expect("they are RTP", all(one[0] & 0xc0 == 0x80 for one in got))


def without_rtsp(api, events, client, pattern):
    """As a program has it that streams to a receiver of its own (sessions/start): what RTSP would
    have agreed is said, and who pings with those secrets receives."""
    start, secrets = "/api/v1/sessions/start", [list(os.urandom(16)) for _ in range(2)]
    same = {"client_ip": "127.0.0.1", "wait_for_ping": True, "port": 5000}
    body = {"video_session": {
        **same, "rtp_secret_payload": secrets[0], "packet_size": 1024, "bitrate_kbps": 2000,
        "display_mode": {"width": 640, "height": 360, "refreshRate": 30},
        "gst_pipeline": "x264enc", "color_range": "MPEG", "color_space": "BT709",
        "fec_percentage": 20, "min_required_fec_packets": 2, "slices_per_frame": 1,
        "frames_with_invalid_ref_threshold": 0, "timeout_ms": 7000, "render_node": ""},
            "audio_session": {
        **same, "rtp_secret_payload": secrets[1], "encrypt_audio": False, "packet_duration": 5,
        "aes_key": "", "aes_iv": "", "gst_pipeline": "opusenc", "audio_mode": {
            "channels": 2, "streams": 1, "coupled_streams": 1, "speakers": ["FRONT_LEFT"],
            "bitrate": 96000, "sample_rate": 48000}}}
    session = api.post(ADD, {**FORM, "app_id": pattern, "client_id": client})["session_id"]
    api.post(start, {**body, "session_id": session}, status=409)  # nobody is waited for
    api.post(RESUME, {"session_id": session, "aes_key": fresh_key(), "aes_iv": "1"})
    body["session_id"] = session
    for part, wrong in (("video_session", {"wait_for_ping": False}),
                        ("audio_session", {"rtp_secret_payload": [1]}),
                        ("video_session", {"client_ip": "home"}),
                        ("video_session", {"color_space": "RGB"}),
                        ("audio_session", {"packet_duration": 7})):
        answer = api.post(start, {**body, part: {**body[part], **wrong}}, status=400)
        expect(f"{wrong}: {answer}", list(wrong)[0].split("_")[0] in answer["error"] or
               "aqos" in answer["error"])
    answer = api.post(start, body)
    receives(answer["video_port"], secrets[0], 40)
    receives(answer["audio_port"], secrets[1], 5)
    events.wait("VideoSession", session_id=session)
    expect("it streams", listed(api)[session]["state"] == "streaming")
    api.post(start, body, status=409)  # once
    api.post("/api/v1/sessions/stop", {"session_id": session})
    events.wait("StopStreamEvent", session_id=session)


def cancelled(host, api, pattern):
    """Whoever goes away before the answer leaves nothing behind. Who goes away before it was
    read has asked for nothing; and one that was answered sooner than it could go is stopped."""
    data = json.dumps({**FORM, "app_id": pattern}).encode()
    mark = len(host.log())
    with api.connect() as s:
        s.sendall(f"POST {ADD} HTTP/1.1\r\nHost: p\r\nContent-Length: {len(data)}\r\n\r\n"
                  .encode() + data)
        host.wait_log("event=session-start", start=mark)
    wait_for("it is ended, or was answered", 10, lambda: listed(api) or
             "event=session-cancelled" in host.log()[mark:])
    for session in listed(api):
        api.raw("POST", "/api/v1/sessions/stop", {"session_id": session})
    wait_for("nothing of it stays", 10, lambda: not host.status("session"))
    api.post(ADD, {**FORM, "app_id": pattern, "deadline_ms": 1}, status=503)
    wait_for("nothing of what was late stays", 10, lambda: not host.status("session"))


def sessions_of_programs(host, api, events, client, pattern):
    refused(api, client, pattern)
    cancelled(host, api, pattern)
    without_rtsp(api, events, client, pattern)
    session, key, first = without_a_key(host, api, events, client, pattern)
    lobby, other, second = a_further_one(host, api, events, client, pattern)
    states = {one: row["state"] for one, row in listed(api).items()}
    expect(f"both are watched: {states}", states == {session: "streaming", other: "streaming"})
    api.post(RESUME, {"session_id": session, "aes_key": key, "aes_iv": "9"}, status=400)
    nobodys(host, api, events, pattern)
    for one, viewer in ((session, first), (other, second)):
        api.post("/api/v1/sessions/stop", {"session_id": one})
        events.wait("StopStreamEvent", session_id=one)
        host.report(viewer, check=False)
    api.post("/api/v1/lobbies/stop", {"lobby_id": lobby, "pin": [4, 2]})
    events.wait("StopLobbyEvent", lobby_id=lobby)
    expect("nothing is left", not listed(api))
