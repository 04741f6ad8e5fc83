#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A viewer on a bad line beside others: it gets an encoding of its own, and they see nothing of
what it loses."""
import os
import signal

from crowd import launch_crowd, leave_crowd, paired_crowd
from host import Host, expect, run, wait_for
from test_lobby import ask, create, done, encoders, row_of, shows

SMALL = {"width": 640, "height": 360, "refresh_rate": 30}
FORM = ["--size", "640x360", "--fps", "30", "--kbps", "3000", "--no-decode", "--seconds", "120"]
CLEAN = 4
# Of an encoder's counters (ipc/pulse.h).
PICTURES, KEYS, INVALIDATED = 0, 1, 4


def counters(host, desk):
    """Of the encoders of a desk's pictures, the oldest first."""
    rows = host.status("process", kind="encoder", name="pictures", session=desk)
    return [row["counters"] for row in sorted(rows, key=lambda row: row["worker"])]


def kill_supervisor(host):
    mark = len(host.log())
    os.kill(next(pid for pid, name in host.remains() if name.endswith("perigeed")), signal.SIGKILL)
    host.wait_log("event=settled", 10, mark)
    wait_for("it answers", 5, lambda: host.api("/api/v1/status", optional=True))


def who_loses_much_is_set_apart(build):
    with Host(build) as host:
        lobby = create(host, video=SMALL)
        desk = host.status("lobby", id=lobby)[0]["desk"]

        def join(session):
            done("join", ask(host, "join", lobby, session))
        names = paired_crowd(host, CLEAN + 1)
        viewers, sessions = launch_crowd(host, names[:CLEAN], FORM, abreast=2, then=join)
        lossy, more = launch_crowd(host, names[CLEAN:], [*FORM, "--drop", "10", "--seed", "7"],
                                   then=join, beside=CLEAN)
        bad = next(session for session in more if session not in sessions)
        host.wait_log(f"event=viewer-apart session={int(bad):016x}", 40)
        rows = encoders(host, lobby)
        expect(f"one encoding for the others, one of its own: {rows}",
               sorted((row["viewers"], row["own"]) for row in rows) == [(1, True), (CLEAN, False)])
        # What it asked for last may still be answered.
        begun = counters(host, desk)[0][PICTURES]
        wait_for("more pictures", 20, lambda: counters(host, desk)[0][PICTURES] >= begun + 20)
        before, asked = counters(host, desk)[0], row_of(host, bad)["recoveries"]
        wait_for("it goes on losing", 60, lambda: row_of(host, bad)["recoveries"] >= asked + 4)
        after = counters(host, desk)[0]
        expect(f"their encoder heard nothing of it: {before} {after}",
               after[PICTURES] > before[PICTURES] and after[KEYS] == before[KEYS] and
               after[INVALIDATED] == before[INVALIDATED])
        kill_supervisor(host)
        expect(f"it is apart still: {row_of(host, bad)}", row_of(host, bad)["line"] == "apart")
        rows = encoders(host, lobby)
        expect(f"the same two: {rows}",
               sorted((row["viewers"], row["own"]) for row in rows) == [(1, True), (CLEAN, False)])
        all_show(host, sessions)
        lossy[0].send_signal(signal.SIGUSR2)
        host.report(lossy[0], check=False)
        wait_for("its encoder went with it", 10, lambda: len(encoders(host, lobby)) == 1)
        leave_crowd(host, viewers)


def who_is_left_alone_gets_all_that_it_asked_for(build):
    """In the encoder that runs: without a key frame."""
    with Host(build) as host:
        lobby = create(host, video=SMALL)
        desk = host.status("lobby", id=lobby)[0]["desk"]

        def join(session):
            done("join", ask(host, "join", lobby, session))
        names = paired_crowd(host, 2)
        rich, first = launch_crowd(host, names[:1], FORM, then=join)
        poor, both = launch_crowd(host, names[1:], [*FORM, "--kbps", "1400"], then=join, beside=1)
        session = next(one for one in both if one not in first)
        rows = sorted(encoders(host, lobby), key=lambda row: row["kbps"])
        expect(f"one on a step below: {rows}", len(rows) == 2)
        shows(host, session)
        step, keys = rows[0]["kbps"], counters(host, desk)[1][KEYS]
        leave_crowd(host, rich)
        row = wait_for("raised", 10, lambda: [
            row for row in encoders(host, lobby) if step < row["kbps"] < 1400])[0]
        shows(host, session)
        kept = counters(host, desk)
        expect(f"by the same encoder: {kept}", len(kept) == 1 and kept[0][KEYS] == keys)
        kill_supervisor(host)
        expect("it is known", encoders(host, lobby)[0]["kbps"] == row["kbps"])
        shows(host, session)
        leave_crowd(host, poor)


def all_show(host, sessions):
    """Each of them goes on sending; what is counted is told once a second."""
    begun = {one: row_of(host, one)["pictures"] for one in sessions}
    wait_for("more pictures", 10, lambda: all(
        row_of(host, one)["pictures"] >= begun[one] + 5 for one in sessions))


def own_and_viewers(host, lobby):
    return sorted((row["own"], row["viewers"]) for row in encoders(host, lobby))


def ask_for_key_frames(host, viewer, session, mark):
    """As one whose line loses whole pictures, until it is set apart."""
    def once():
        if f"event=viewer-apart session={int(session):016x}" in host.log()[mark:]:
            return True
        viewer.stdin.write("0 idr\n")
        viewer.stdin.flush()
        return False
    wait_for("it is set apart", 40, once, 0.3)


def who_is_calm_again_shares_again(build):
    """And who is then alone has what others share from then on."""
    with Host(build, "--set", "lobbies.calm=2") as host:
        lobby = create(host, video=SMALL)

        def join(session):
            done("join", ask(host, "join", lobby, session))
        names = paired_crowd(host, 3)
        viewers, sessions = launch_crowd(host, names[:2], FORM, abreast=2, then=join)
        unsteady = host.probe("stream", "--app", "Pattern", *FORM, keys=names[2], background=True,
                              steered=True)
        session = wait_for("it streams", 30, lambda: [
            one for row in host.status("session", state="streaming") if row["pictures"] > 0
            for one in [str(int(row["id"], 16))] if one not in sessions])[0]
        join(session)
        back = f"event=viewer-back session={int(session):016x}"

        mark = len(host.log())
        ask_for_key_frames(host, unsteady, session, mark)
        host.wait_log(back, 20, mark)
        wait_for("one encoding for all three, no encoder stays", 5,
                 lambda: own_and_viewers(host, lobby) == [(False, 3)])
        expect(f"told as such: {row_of(host, session)}", row_of(host, session)["line"] == "shared")
        all_show(host, (session, *sessions))
        mark = len(host.log())
        ask_for_key_frames(host, unsteady, session, mark)
        for one in sessions:
            done("leave", ask(host, "leave", lobby, one))
        host.wait_log(back, 30, mark)
        wait_for("nobody else is there", 5, lambda: own_and_viewers(host, lobby) == [(False, 1)])
        join(sessions[0])
        expect(f"shared: {encoders(host, lobby)}", own_and_viewers(host, lobby) == [(False, 2)])
        all_show(host, (session, sessions[0]))
        leave_crowd(host, [*viewers, unsteady])


if __name__ == "__main__":
    run([who_is_calm_again_shares_again, who_loses_much_is_set_apart, who_is_left_alone_gets_all_that_it_asked_for])
