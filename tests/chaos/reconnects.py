#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A viewer that goes and comes back as somebody else would: another size, rate and sound, into a
lobby each time.

    tests/chaos/reconnects.py BUILD-FOLDER [--cycles N] [--seed S]

Each cycle connects, joins a 1920x1080 lobby, and is over by a goodbye, by a death, or by the next
connection, which comes when the host is done with the last one, at once, or while that one still
streams: the seed decides. No connection and no join may fail; another viewer, who is in the lobby
all the while, may miss nothing; nothing may be left, and with 40 cycles or more nothing may grow,
neither in the host nor in the time that a cycle takes.
"""
import pathlib
import random
import signal
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

import census  # noqa: E402
import script  # noqa: E402
import slope  # noqa: E402
from cycles import Meter  # noqa: E402
from host import Failed, Host, expect, wait_for  # noqa: E402
from test_lobby import ask, create, row_of  # noqa: E402

SIZES = ("1280x720", "1920x1080", "854x480", "640x360", "1280x800", "320x240")
HEVC = 0x100  # of serverinfo's codecs
# What happens to a connection, and when the next one comes.
WAYS = {"settled": ("leave", True), "at once": ("leave", False), "vanished": ("vanish", False),
        "taken over": ("stay", False)}
TAKEN_OVER = 0x80030023
WARM = 4         # cycles before anything is counted
JUDGED = 40      # fewer cycles show no slope
SLOWER_S = 0.5   # over the whole run is not noise


def wishes(dice, first, codecs):
    size = SIZES[0] if first else dice.choice(SIZES)
    form = ["--size", size, "--fps", str(dice.choice((30, 60))),
            "--kbps", str(dice.choice((1500, 4000, 8000))), "--slices", str(dice.choice((1, 4))),
            "--audio", str(dice.choice((2, 6))), "--audio-ms", str(dice.choice((5, 10))),
            "--matrix", dice.choice(("601", "709"))]
    return form + ["--codec", dice.choice(("h264", "hevc") if codecs & HEVC else ("h264",))]


class Comer:
    """One client, one session, one connection after the other."""

    def __init__(self, host, lobby, dice):
        self.host, self.lobby, self.dice = host, lobby, dice
        self.keys, self.viewer, self.streams, self.session = "comer", None, set(), None
        self.codecs = host.probe("serverinfo", keys=self.keys)["codecs"]

    def mine(self):
        """Its session's row and the streams of it, seen at the same moment."""
        rows = self.host.api("/api/v1/status")["status"]
        row = next((row for row in rows if row["what"] == "session" and row["client"] == self.keys),
                   None)
        return row, {at["pid"] for at in rows if row and at["what"] == "process" and
                     at["kind"] == "stream" and at["session"] == row["id"]}

    def streams_anew(self):
        row, streams = self.mine()
        if self.viewer.poll() is not None:
            report = self.host.report(self.viewer, check=False)
            raise Failed(f"it did not connect: {report.get('step')}: {report.get('error')}")
        if row and row["state"] == "streaming" and streams - self.streams:
            self.session = str(int(row["id"], 16))
            return streams
        return None

    def connect(self):
        form = wishes(self.dice, self.session is None, self.codecs)
        self.viewer = self.host.probe("stream", "--app", "Pattern", "--no-decode", "--seconds",
                                      "60", *form, keys=self.keys, background=True)
        self.streams |= wait_for(f"streaming with {form}", 20, self.streams_anew)
        return form

    def join(self):
        answer = ask(self.host, "join", self.lobby, self.session)
        expect(f"joined: {answer}", answer.get("success"))
        expect("it is in", row_of(self.host, self.session)["member"] == "in")

    def judge(self, report, termination=None):
        video = report.get("video", {})
        ended = report.get("termination")
        expect(f"as it was to end: {report}", (ended is None and report.get("end") == "time")
               if termination is None else ended and int(str(ended), 0) == termination)
        expect(f"no picture is missing: {video}", video["missing_numbers"] == 0 and
               video["malformed"] == 0 and video["frames"] > 0)

    def part(self, way):
        """As that way says; who is taken over is still there when the next one comes."""
        deed, settles = WAYS[way]
        left = self.viewer
        if deed == "vanish":
            left.kill()
            left.communicate()
        elif deed == "leave":
            left.send_signal(signal.SIGUSR2)
        if settles:
            self.judge(self.host.report(left, check=False))
            wait_for("nobody streams", 10, lambda: self.mine()[0]["state"] == "paused")
        return None if deed == "vanish" or settles else (left, deed)

    def old_one_is_over(self, old):
        if old:
            left, deed = old
            self.judge(self.host.report(left, seconds=20, check=False),
                       TAKEN_OVER if deed == "stay" else None)


def stand_by(host, lobby, seconds):
    """Somebody who is in the lobby all the while."""
    viewer = host.probe("stream", "--app", "Pattern", "--no-decode", "--size", "640x360", "--fps",
                        "30", "--seconds", str(seconds), keys="bystander", background=True)
    row = wait_for("somebody beside", 15, lambda: host.status("session", state="streaming"))[0]
    answer = ask(host, "join", lobby, str(int(row["id"], 16)))
    expect(f"is in: {answer}", answer.get("success"))
    return viewer


def one_after_the_other(host, comer, ways, meter):
    """Seconds from each cycle's begin into the lobby."""
    old, took, form = None, [], None
    for number, way in enumerate(ways):
        begun = time.monotonic()
        try:
            form = comer.connect()
            comer.join()
            comer.old_one_is_over(old)
            took.append(time.monotonic() - begun)
            old = comer.part(way)
        except Failed as reason:
            raise Failed(f"cycle {number}, {way}, {form}: {reason}") from reason
        if WAYS[way][1]:
            wait_for("one stream is left", 10,
                     lambda: len(host.status("process", kind="stream")) == 1)
            meter.sample()
    host.report(comer.viewer, seconds=70, check=False)
    return took


def visit(host, cycles, dice, meter):
    """From an empty host to an empty host."""
    lobby = create(host)
    beside = stand_by(host, lobby, 600 + 10 * cycles)
    ways = [way for _ in range(cycles // len(WAYS) + 1) for way in WAYS][:cycles]
    dice.shuffle(ways)
    comer = Comer(host, lobby, dice)
    took = one_after_the_other(host, comer, ways, meter)
    beside.send_signal(signal.SIGUSR2)
    comer.judge(host.report(beside, check=False))
    for keys in ("comer", "bystander"):
        host.probe("quit", keys=keys)
    wait_for("every session's end", 20, lambda: not host.status("session"))
    answer = ask(host, "stop", lobby)
    expect(f"stopped: {answer}", answer.get("success"))
    return took


def reconnect(host, cycles, seed):
    dice = random.Random(f"reconnects {seed}")
    for keys in ("comer", "bystander"):
        host.paired(keys)
    visit(host, WARM, dice, Meter(host))
    before, meter = census.count(host), Meter(host)
    took = visit(host, cycles, dice, meter)
    try:
        wait_for("as before", 10, lambda: not census.more(before, census.count(host)))
    except Failed:
        raise Failed(f"more than before: {census.more(before, census.count(host))}") from None
    print(f"{cycles} cycles, no failure; into the lobby within {sorted(took)[len(took) // 2]:.2f} s "
          f"(median), at most {max(took):.2f} s")
    faults = meter.verdict() if cycles >= JUDGED else []
    if cycles >= JUDGED and slope.grows(took, SLOWER_S):
        faults.append(slope.words("seconds a cycle", took))
    return faults


def run(build, cycles, seed):
    with Host(build) as host:
        return reconnect(host, cycles, seed)


def main():
    options = script.options(__doc__, cycles=200, seed=1)
    script.end(lambda: run(options.build, options.cycles, options.seed))


if __name__ == "__main__":
    main()
