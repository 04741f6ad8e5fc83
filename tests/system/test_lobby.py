#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lobbies through the whole host: made, joined, left and stopped over the API, watched by
our own client, which must not notice more than that it sees something else."""
import contextlib
import os
import signal
import statistics
import threading
import time

import api_sessions as added
from host import Host, expect, run, wait_for
from pictures import shows_notice

LARGE = {"width": 1920, "height": 1080, "refresh_rate": 30}
SMALL = {"width": 640, "height": 360, "refresh_rate": 30}
FORM = ["--size", "640x360", "--fps", "30", "--kbps", "4000"]


def pattern_id(host):
    return next(row["id"] for row in host.status("app") if row["title"] == "Pattern")


def create(host, name="together", video=None, **more):
    answer = host.api("/api/v1/lobbies/create", {
        "name": name, "app_id": str(pattern_id(host)), "multi_user": True,
        "stop_when_everyone_leaves": False, "video_settings": video or LARGE, **more})
    expect(f"made: {answer}", answer.get("success"))
    return answer["lobby_id"]


def ask(host, what, lobby, session=None, **more):
    body = {"lobby_id": lobby, **more}
    if session is not None:
        body["moonlight_session_id"] = session
    return host.api(f"/api/v1/lobbies/{what}", body, seconds=20)


def done(what, answer):
    expect(f"{what}: {answer}", answer.get("success"))


def refused(what, answer, words):
    expect(f"{what} is refused with words: {answer}",
           answer.get("success") is False and words in str(answer))


def watch(host, keys="viewer", form=FORM, seconds=60):
    """A viewer of its own Pattern, and its session's number as the API wants it."""
    before = {row["id"] for row in host.status("session")}
    viewer = host.probe("stream", "--app", "Pattern", "--seconds", str(seconds), *form, keys=keys,
                        background=True)
    row = wait_for("streaming", 15, lambda: [
        row for row in host.status("session", state="streaming")
        if row["pictures"] > 5 and row["id"] not in before])[0]
    return viewer, str(int(row["id"], 16))


def row_of(host, session):
    return next(row for row in host.status("session") if int(row["id"], 16) == int(session))


def encoders(host, lobby, part="pictures"):
    desk = host.status("lobby", id=lobby)[0]["desk"]
    return host.status("encoding", desk=desk, part=part)


def shows(host, session, pictures=5):
    """The viewer's stream goes on sending."""
    start = row_of(host, session)["pictures"]
    wait_for("more pictures", 10, lambda: row_of(host, session)["pictures"] >= start + pictures)


def finish(host, viewer):
    viewer.send_signal(signal.SIGUSR2)
    report = host.report(viewer, check=False)
    video, audio = report["video"], report["audio"]
    expect(f"to the end: {report.get('end')} {report.get('termination')} {report.get('error')}",
           report.get("end") == "time" and report.get("termination") is None)
    expect(f"no picture is missing or broken: {video}", video["missing_numbers"] == 0 and
           video["decode_errors"] == 0 and video["malformed"] == 0 and video["corrupt"] == 0 and
           video["wrong_size"] == 0 and video["stale_ivs"] == 0)
    expect(f"sound agrees with itself: {audio}", audio["malformed"] == 0 and
           audio["contradicting"] == 0 and audio["errors"] == 0)
    return report


def there_and_back_at_another_size(build):
    """Of a 640x360 viewer: into a 1920x1080 lobby and home again, several times."""
    with Host(build) as host:
        host.paired()
        lobby = create(host)
        viewer, session = watch(host)
        took = []
        for _ in range(5):
            for what, where in (("join", "in"), ("leave", "home")):
                begun = time.monotonic()
                done(what, ask(host, what, lobby, session))
                took.append((time.monotonic() - begun) * 1000)
                expect(f"{what}: {row_of(host, session)}",
                       row_of(host, session)["member"] == where)
                shows(host, session)
        print(f"# a switch takes {statistics.median(took):.0f} ms (median of {len(took)}), at most "
              f"{max(took):.0f} ms, promised is 150 ms", flush=True)
        expect("no encoder stays behind", not encoders(host, lobby))
        report = finish(host, viewer)
        expect(f"a key still shows at home: {report.get('input')}",
               report["input"]["seen"] == 5 and report["input"]["missed"] == 0)
        done("stop", ask(host, "stop", lobby))
        expect("it is gone", not host.status("lobby"))


def one_is_for_one_at_a_time(host, here, first, second):
    """Of two in another lobby; the first comes back there."""
    single = create(host, name="single", video=SMALL, multi_user=False)
    done("join", ask(host, "join", single, first))
    refused("somebody is in it", ask(host, "join", single, second), "Lobby is full")
    expect("it stays where it was", row_of(host, second)["lobby"] == here)
    done("back", ask(host, "join", here, first))
    done("it is free", ask(host, "join", single, second))
    refused("the other is in it", ask(host, "join", single, first), "Lobby is full")
    done("back", ask(host, "join", here, second))
    done("stop", ask(host, "stop", single))


def who_wants_the_same_shares_an_encoder(build):
    """And what dies is mended once for both; a lobby outlives its viewers."""
    with Host(build) as host:
        lobby = create(host, video=SMALL)
        both = []
        for keys in ("one", "two"):
            host.paired(keys)
            both.append(watch(host, keys))
            done("join", ask(host, "join", lobby, both[-1][1]))
        for part in ("pictures", "sound"):
            rows = encoders(host, lobby, part)
            expect(f"one encoding of {part} for two: {rows}",
                   len(rows) == 1 and rows[0]["viewers"] == 2)
        mark = len(host.log())
        desk = host.status("lobby", id=lobby)[0]["desk"]
        os.kill(host.pid("encoder", name="pictures", session=desk), signal.SIGKILL)
        host.wait_log("event=part-replaced", 8, mark)
        for _, session in both:
            shows(host, session)
        rows = encoders(host, lobby)
        expect(f"one still: {rows}", len(rows) == 1 and rows[0]["viewers"] == 2)
        one_is_for_one_at_a_time(host, lobby, both[0][1], both[1][1])
        done("the second alone steers", host.api("/api/v2/lobbies/role", {
            "lobby_id": lobby, "moonlight_session_id": both[1][1], "role": "alone"}))
        keys = finish(host, both[0][0])["input"]
        expect(f"the first only watches: {keys}", keys["seen"] == 0 and keys["missed"] > 0)
        wait_for("one has left", 5, lambda: host.status("lobby", id=lobby, members=1))
        shows(host, both[1][1])
        keys = finish(host, both[1][0])["input"]
        expect(f"the second steers: {keys}", keys["seen"] == 5 and keys["missed"] == 0)
        wait_for("both have left", 5, lambda: host.status("lobby", id=lobby, members=0))
        expect("the lobby stays", host.status("lobby", id=lobby, state="alone"))


PIN = [0, 4, 7, 1]


def is_refused_what_cannot_be(host, lobby, other, session):
    refused("no PIN", ask(host, "join", lobby, session), "PIN")
    refused("no lobby", ask(host, "join", "there-is-none", session), "lobby")
    refused("no session", ask(host, "join", other, "12345"), "session")
    refused("not in it", ask(host, "leave", other, session), "not in")
    refused("not in time", ask(host, "join", other, session, deadline_ms=1), "timed out")
    expect("it is where it was", row_of(host, session)["member"] == "home")
    expect("the PIN is told to nobody", "0471" not in str(host.api("/api/v1/lobbies")) and
           "0471" not in str(host.api("/api/v1/status")))


def joins_twice_at_once(host, lobby, session):
    answers = []
    pair = [threading.Thread(target=lambda: answers.append(
        ask(host, "join", lobby, session, pin=PIN))) for _ in range(2)]
    for thread in pair:
        thread.start()
    for thread in pair:
        thread.join(30)
    expect(f"two joins at once, two answers: {answers}", len(answers) == 2 and
           any(answer.get("success") for answer in answers))
    expect("it is in", row_of(host, session)["member"] == "in")


def is_paused_and_resumed(host, lobby, session):
    """Everybody goes home, nobody gets in, nothing is encoded, the app goes on."""
    refused("no PIN", ask(host, "pause", lobby), "PIN")
    for _ in range(2):
        done("pause", ask(host, "pause", lobby, pin=PIN))
        expect("home", row_of(host, session)["member"] == "home")
    expect("paused", host.status("lobby", id=lobby, state="paused"))
    expect("without an encoder", not encoders(host, lobby))
    wait_for("desktop, sound and runner are there", 5,
             lambda: host.status("lobby", id=lobby, processes=3))
    refused("paused", ask(host, "join", lobby, session, pin=PIN), "paused")
    done("resume", ask(host, "resume", lobby, pin=PIN))


def joins_what_somebody_stops(host, lobby, session):
    """At the same time: whatever comes first."""
    answers = []
    joins = threading.Thread(target=lambda: answers.append(
        ask(host, "join", lobby, session, pin=PIN)))
    joins.start()
    answers.append(ask(host, "stop", lobby, pin=PIN))
    joins.join(30)
    expect(f"two answers: {answers}", len(answers) == 2)
    wait_for("it is gone", 10, lambda: not host.status("lobby", id=lobby))
    wait_for("the viewer is somewhere", 5,
             lambda: row_of(host, session)["member"] in ("in", "home"))


def requests_that_meet_get_one_answer_each(build):
    with Host(build) as host:
        host.paired()
        lobby = create(host, video=SMALL, pin=PIN)
        other = create(host, name="other", video=SMALL)
        viewer, session = watch(host)
        is_refused_what_cannot_be(host, lobby, other, session)
        joins_twice_at_once(host, lobby, session)
        done("from lobby to lobby", ask(host, "join", other, session))
        expect("in the other", row_of(host, session)["lobby"] == other)
        done("join", ask(host, "join", lobby, session, pin=PIN))
        is_paused_and_resumed(host, lobby, session)
        done("join", ask(host, "join", other, session))
        joins_what_somebody_stops(host, lobby, session)
        done("stop", ask(host, "stop", other))
        expect("back at its own", row_of(host, session)["member"] == "home")
        shows(host, session)
        finish(host, viewer)
        refused("nobody watches", ask(host, "join", other, session), "lobby")


def make_app(host, title):
    answer = host.api("/api/v1/apps/add", {
        "title": title, "id": title, "runner": {"type": "process", "run_cmd": "foot"}})
    expect(f"made: {answer}", answer.get("success"))
    return wait_for("the app", 5, lambda: [
        row["id"] for row in host.status("app") if row["title"] == title])[0]


def runner_of(host, lobby):
    return next(row["runner"] for row in host.api("/api/v1/lobbies")["lobbies"]
                if row["id"] == lobby)


def of_its_own(host, runner):
    return host.api("/api/v1/lobbies/create", {
        "name": "own", "stop_when_everyone_leaves": False, "video_settings": SMALL,
        "runner": runner})


def refuses_runners(host):
    for runner, words in (({"type": "magic", "run_cmd": "foot"}, "runner.type"),
                          ({"type": "sandbox"}, "runner.run_cmd"),
                          ({"type": "docker"}, "runner.image"),
                          ({"type": "process", "run_cmd": "foot", "mounts": ["/a:/b"]},
                           "mounts")):
        refused("what cannot run", of_its_own(host, runner), words)
    expect("nothing of it stays", not host.status("lobby"))


def makes_one_of_its_own(host):
    """Its id, and what it runs, as it is told."""
    own = {"type": "process", "env": ["WORD=hello"],
           "run_cmd": "echo word=$WORD; exec foot " + "-o pad=0x0 " * 60}
    mark = len(host.log())
    answer = of_its_own(host, own)
    expect(f"made: {answer}", answer.get("success"))
    host.wait_log("word=hello", 10, mark)
    own["name"] = "own"
    expect(f"it is told: {runner_of(host, answer['lobby_id'])}",
           runner_of(host, answer["lobby_id"]) == own)
    return answer["lobby_id"], own


def kill_supervisor_and_web_door(host):
    mark = len(host.log())
    os.kill(next(pid for pid, name in host.remains() if name.endswith("perigeed")),
            signal.SIGKILL)
    host.wait_log("event=settled", 10, mark)
    mark = len(host.log())
    wait_for("it answers", 10, lambda: host.api("/api/v1/status", optional=True))
    os.kill(host.pid("web"), signal.SIGKILL)
    wait_for("another web door", 10, lambda: any(
        "kind=web" in line and "event=ready" in line
        for line in host.log()[mark:].splitlines()))


def who_comes_while_the_web_door_hangs_goes_there_too(host, client, lobby):
    """The door that waited for the viewer is replaced before it has heard of it."""
    done("configure", host.api("/api/v1/sessions/configure", {
        "client_id": client, "immediate_lobby_id": lobby}))
    mark = len(host.log())
    door = host.pid("web")
    viewer = host.probe("stream", "--app", "Pattern", "--seconds", "60", *FORM, keys="late",
                        background=True)
    os.kill(door, signal.SIGSTOP)
    host.wait_log("event=streaming", 15, mark)
    with contextlib.suppress(ProcessLookupError):  # it is replaced by itself as well
        os.kill(door, signal.SIGKILL)
    host.wait_log(f"event=lobby-joined lobby={lobby}", 15, mark)
    viewer.send_signal(signal.SIGINT)
    host.report(viewer, check=False)


def a_lobby_survives_the_supervisor(build):
    """And the end of its app's listing, before and after that; with what it runs."""
    with Host(build) as host:
        host.paired()
        refuses_runners(host)
        running, own = makes_one_of_its_own(host)
        lobby = create(host, video=SMALL)
        gone = create(host, "gone", SMALL, app_id=str(make_app(host, "Made")))
        done("not listed any more", host.api("/api/v1/apps/delete", {"id": "Made"}))
        kept = create(host, "kept", SMALL, app_id=str(make_app(host, "Kept")))
        viewer, session = watch(host)
        done("join", ask(host, "join", lobby, session))
        # Where a viewer that has not come yet is to go survives the web door as well.
        host.paired("late")
        late = next(row["client_id"] for row in host.api("/api/v1/clients")["clients"]
                    if row["name"] == "late")
        done("configure", host.api("/api/v1/sessions/configure", {
            "client_id": late, "immediate_lobby_id": lobby}))
        key = added.fresh_key()
        further = host.api(added.ADD, {
            **added.FORM, "client_id": late, "app_id": str(pattern_id(host)), "aes_key": key,
            "aes_iv": "1", "immediate_lobby_id": lobby, "role": "viewer"}, seconds=20)
        done("one that a program made, too", further)
        done("pause", ask(host, "pause", kept))
        kill_supervisor_and_web_door(host)
        wait_for("the lobby is known", 5, lambda: host.api("/api/v1/status", optional=True) and
                 host.status("lobby", id=lobby, members=1))
        wait_for("with what it runs", 5, lambda: runner_of(host, running) == own)
        expect("paused still", host.status("lobby", id=kept, state="paused"))
        for other in (gone, kept, running):
            expect("the others too", host.status("lobby", id=other))
            done("stop", ask(host, "stop", other))
        expect("its member too", row_of(host, session)["lobby"] == lobby)
        other, newest = watch(host, "late")
        wait_for("the late one goes there", 10, lambda: row_of(host, newest)["lobby"] == lobby)
        third = added.watch(host, further, key, 1)
        wait_for("and the one that was made for it", 20,
                 lambda: row_of(host, further["session_id"])["lobby"] == lobby)
        for one in (other, third):
            one.send_signal(signal.SIGINT)
            host.report(one, check=False)
        who_comes_while_the_web_door_hangs_goes_there_too(host, late, lobby)
        shows(host, session)
        done("leave", ask(host, "leave", lobby, session))
        done("join again", ask(host, "join", lobby, session))
        finish(host, viewer)
        done("stop", ask(host, "stop", lobby))


def what_ends_a_lobby_is_told_and_sends_its_members_home(build):
    with Host(build) as host:
        lobby = create(host, video=SMALL)
        both = {}
        for keys in ("one", "two"):
            host.paired(keys)
            both[keys] = watch(host, keys, [*FORM, "--shot", str(host.folder / f"{keys}.png")])
            done("join", ask(host, "join", lobby, both[keys][1]))
        desk = host.status("lobby", id=lobby)[0]["desk"]
        os.kill(host.pid("desktop", session=desk), signal.SIGKILL)
        wait_for("they are told", 20,
                 lambda: host.status("output", session=desk, notice="end-read"))
        shows(host, both["two"][1], 3)
        both["two"][0].send_signal(signal.SIGINT)
        host.report(both["two"][0], check=False)
        expect("the picture said so", shows_notice(host.folder / "two.png"))
        wait_for("it is gone", 20, lambda: not host.status("lobby"))
        viewer, session = both["one"]
        expect(f"home: {row_of(host, session)}", row_of(host, session)["member"] == "home")
        shows(host, session)
        finish(host, viewer)
        expect("without a notice", not shows_notice(host.folder / "one.png"))


def age_and_solitude_end_a_lobby(build):
    age = 16 if os.environ.get("PERIGEE_TEST_SLOWNESS") else 8
    with Host(build, "--set", f"lobbies.max_age={age}", "--set", "lobbies.grace=1") as host:
        host.paired()
        viewer, session = watch(host)
        old = create(host, video=SMALL)
        done("join", ask(host, "join", old, session))
        host.wait_log(f"event=lobby-end lobby={old} reason=lobby-old", age + 5)
        expect(f"home: {row_of(host, session)}", row_of(host, session)["member"] == "home")
        left = create(host, video=SMALL, stop_when_everyone_leaves=True)
        done("join", ask(host, "join", left, session))
        done("leave", ask(host, "leave", left, session))
        host.wait_log(f"event=lobby-end lobby={left} reason=lobby-left-alone", 5)
        finish(host, viewer)


if __name__ == "__main__":
    run([there_and_back_at_another_size, who_wants_the_same_shares_an_encoder,
         requests_that_meet_get_one_answer_each, a_lobby_survives_the_supervisor,
         what_ends_a_lobby_is_told_and_sends_its_members_home, age_and_solitude_end_a_lobby])
