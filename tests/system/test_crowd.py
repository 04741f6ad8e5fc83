#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Many who come to a lobby and leave it at once: each request has one clear answer, nothing
hangs, nobody stays behind, and the host is ready all the while."""
import os
import pathlib
import tempfile
import threading
import time

from crowd import launch_crowd, leave_crowd, paired_crowd
from host import Host, expect, run, wait_for
from test_health import ask as get
from test_lobby import ask, create, done, row_of, shows

SMALL = {"width": 320, "height": 240, "refresh_rate": 10}
FORM = ["--size", "320x240", "--fps", "10", "--kbps", "1000", "--no-decode", "--seconds", "90"]
SLOW = os.environ.get("PERIGEE_TEST_SLOWNESS", "1") != "1"
CROWD = 6 if SLOW else 20  # sanitizers want three times the memory


def together(calls):
    """All of them at the same moment: their answers in that order, each within its time."""
    answers, gate = [None] * len(calls), threading.Barrier(len(calls))

    def ask_one(number):
        gate.wait(20)
        begun = time.monotonic()
        answers[number] = calls[number]()
        answers[number]["took"] = time.monotonic() - begun

    threads = [threading.Thread(target=ask_one, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    expect(f"everybody is answered: {answers}", all(answers))
    return answers


class Readiness:
    """Asks /readyz again and again until it is told to stop."""

    def __init__(self, host):
        self.host, self.asked, self.others = host, 0, []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.over.wait(0.05):
            status, _, body = get(self.host, "/readyz")
            self.asked += 1
            self.others += [] if status == 200 else [body]

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def many_join_and_leave_at_once(build):
    with Host(build) as host:
        lobby = create(host, video=SMALL)
        desk = host.status("lobby", id=lobby)[0]["desk"]
        viewers, sessions = launch_crowd(host, paired_crowd(host, CROWD), FORM)
        with Readiness(host) as ready:
            for what, state in (("join", "in"), ("leave", "home")):
                answers = together([lambda session=session: ask(host, what, lobby, session)
                                    for session in sessions])
                for answer in answers:
                    done(f"{what} beside {len(sessions) - 1} others", answer)
                print(f"# {len(sessions)} {what} at once: the last is answered after "
                      f"{max(answer['took'] for answer in answers):.1f} s", flush=True)
                states = [row["member"] for row in host.status("session")]
                expect(f"after {what} all are {state}: {states}", set(states) == {state})
                rows = host.status("encoding", desk=desk)
                expect(f"one encoding of pictures, one of sound, for all: {rows}",
                       [row["viewers"] for row in rows] ==
                       ([len(sessions)] * 2 if state == "in" else []))
            # Half come while the other half goes.
            half = len(sessions) // 2
            for session in sessions[:half]:
                done("join", ask(host, "join", lobby, session))
            for answer in together(
                    [lambda session=session: ask(host, "leave", lobby, session)
                     for session in sessions[:half]] +
                    [lambda session=session: ask(host, "join", lobby, session)
                     for session in sessions[half:]]):
                done("both ways", answer)
        expect(f"ready all the while: {ready.others[:3]} of {ready.asked}",
               ready.asked > 5 and not ready.others)
        row = host.status("lobby", id=lobby)[0]
        expect(f"half are in: {row}", row["members"] == len(sessions) - half)
        expect("one encoding for all of them",
               len(host.status("encoding", desk=desk, part="pictures")) == 1)
        leave_crowd(host, viewers)
        wait_for("everybody has left", 10, lambda: host.status("lobby", id=lobby, members=0))
        expect("and no encoder stays", not host.status("encoding", desk=desk))


def requests_for_one_session_meet(build):
    """Of ten joins at once one is done and the others are told that the viewer moves, or that it
    is there already; then a join beside a leave; then joins of a lobby that is being stopped."""
    with Host(build) as host:
        lobbies = [create(host, name=f"lobby {number}", video=SMALL) for number in range(2)]
        viewers, sessions = launch_crowd(host, paired_crowd(host, 2), FORM)
        session = sessions[0]

        def join(number):
            return lambda: ask(host, "join", lobbies[number % 2], session)
        answers = together([join(number) for number in range(10)])
        joined = [answer for answer in answers if answer["success"]]
        expect(f"one at least is done, each has its answer: {answers}", joined and all(
            answer["success"] or "just moving" in str(answer) for answer in answers))
        row = row_of(host, session)
        expect(f"it is in one of them: {row}", row["member"] == "in" and row["lobby"] in lobbies)
        together([join(0), lambda: ask(host, "leave", row["lobby"], session)] * 4)
        expect("it is somewhere", row_of(host, session)["member"] in ("in", "home"))
        shows(host, session)
        # Two viewers join while it is being stopped, twice.
        for lobby in lobbies:
            answers = together(
                [lambda: ask(host, "stop", lobby)] +
                [lambda which=which: ask(host, "join", lobby, which) for which in sessions])
            done("stopped", answers[0])
            wait_for("it is gone", 10, lambda: not host.status("lobby", id=lobby))
            wait_for("nobody is lost", 10, lambda: all(
                row["member"] in ("in", "home") for row in host.status("session")))
        for which in sessions:
            expect("all are home", row_of(host, which)["member"] == "home")
            shows(host, which)
        expect("nobody's encoder stays",
               len(host.status("encoding", part="pictures")) == len(sessions))
        leave_crowd(host, viewers)


def names(host):
    return {name.rpartition("/")[2] for _, name in host.remains()}


def a_lobby_whose_runner_is_dead_is_refused(build):
    """The runner dies whenever it is started, or stands still: who asks is told so, and nothing
    of the lobby stays."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        runner = pathlib.Path(folder) / "perigee-runner"
        for deed, words in (("kill -9 $$", "watches the app ended"), ("kill -STOP $$", "timed out")):
            runner.write_text(f"#!/bin/sh\n{deed}\n")
            runner.chmod(0o755)
            with Host(build, front=folder) as host:
                before = names(host)
                body = {"name": "dead", "multi_user": True, "stop_when_everyone_leaves": False,
                        "video_settings": SMALL, "runner": {"type": "process",
                                                            "run_cmd": "sleep 60"}}
                answers = together([lambda: host.api("/api/v1/lobbies/create", body,
                                                     seconds=30)] * 2)
                for answer in answers:
                    expect(f"refused with words: {answer}",
                           answer["success"] is False and words in answer["error"])
                expect("no lobby stays", not host.status("lobby"))
                wait_for(f"no process either: {before}", 10, lambda: names(host) <= before)


if __name__ == "__main__":
    run([many_join_and_leave_at_once, requests_for_one_session_meet,
         a_lobby_whose_runner_is_dead_is_refused])
