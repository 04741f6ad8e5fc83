#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Many viewers of one desktop: what one more costs.

    tests/bench/viewers.py BUILD-FOLDER [--viewers N] [--seconds S] [--abreast N]

N viewers (100), who count and do not decode, join a lobby of 640x360 at 30 pictures a second, 2
Mbit/s, sound of 10 ms, and watch for S seconds (30), plainly sent; ABREAST of them (4) are started
side by side and join before the next ones come. Their own desktops stand still (a shell): a
hundred that move and sound would be weighed as well. All of them are weighed, then, when the
others have left, one alone: processor time of every process of the host, in the kernel too, which
on loopback carries a datagram to its reader's socket on the sender's account. It ends with an
error when a viewer missed a picture or there was more than one encoder of pictures.
"""
import os
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
for folder in ("../system", "../chaos"):
    sys.path.insert(0, str(HERE / folder))
sys.dont_write_bytecode = True

import census  # noqa: E402
import script  # noqa: E402
from crowd import launch_crowd, leave_crowd, paired_crowd  # noqa: E402
from host import Host, expect, wait_for  # noqa: E402
from test_lobby import ask, create  # noqa: E402

VIDEO = {"width": 640, "height": 360, "refresh_rate": 30}
FORM = ["--size", "640x360", "--fps", "30", "--kbps", "2000", "--audio-ms", "10", "--encryption",
        "none", "--no-decode", "--seconds", "1800"]
TICKS = os.sysconf("SC_CLK_TCK")
PROMISED = 0.6  # percent of a core
SETTLES = 3  # seconds: what the last one's coming began is over
PICTURES, LAPPED = 0, 6  # of an encoder's and a stream's counters (ipc/pulse.h)


def say(words):
    print(f"  {time.strftime('%H:%M:%S')} {words}", flush=True)


def pass_time(seconds):
    begun = time.monotonic()
    wait_for("the time", seconds + 60, lambda: time.monotonic() - begun >= seconds, 0.5)
    return time.monotonic() - begun


def cpu_s(pid):
    words = census.read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return (int(words[11]) + int(words[12])) / TICKS if len(words) > 12 else 0.0


def weigh(host, seconds):
    """Percent of a core by process name, over so many seconds."""
    before = {pid: cpu_s(pid) for pid in census.tree(host.process.pid)}
    took, found = pass_time(seconds), {}
    for pid, was in before.items():
        name = census.name_of(pid)
        found[name] = found.get(name, 0) + max(0, cpu_s(pid) - was) / took * 100
    return found


def sole_encoder(host, desk, count):
    """The process that encodes the pictures for all of them."""
    for part in ("pictures", "sound"):
        rows = host.status("encoding", desk=desk, part=part)
        expect(f"one encoding of {part}: {rows}", len(rows) == 1 and rows[0]["viewers"] == count)
    rows = host.status("process", kind="encoder", name="pictures", session=desk)
    expect(f"one encoder of pictures: {rows}", len(rows) == 1)
    return rows[0]


def lapped(host):
    return sum(row["counters"][LAPPED] for row in host.status("process", kind="stream"))


def measure(host, count, seconds, abreast):
    lobby = create(host, video=VIDEO)
    desk = host.status("lobby", id=lobby)[0]["desk"]
    joined = []

    def join(session):
        answer = ask(host, "join", lobby, session)
        expect(f"joined: {answer}", answer.get("success"))
        joined.append(session)
        if len(joined) % 10 == 0:
            say(f"{len(joined)} of {count} watch")
    say(f"pairing {count} clients")
    viewers, _ = launch_crowd(host, paired_crowd(host, count), FORM, abreast=abreast, then=join,
                               app="Terminal")
    pass_time(SETTLES)
    encoder, late = sole_encoder(host, desk, count), lapped(host)
    say(f"all of them, {seconds:.0f} s")
    many = weigh(host, seconds)
    after, late = sole_encoder(host, desk, count), lapped(host) - late
    expect(f"the same encoder: {encoder} {after}", encoder["pid"] == after["pid"])
    made = after["counters"][PICTURES] - encoder["counters"][PICTURES]
    say(f"{made} pictures were encoded; streams were too late for the newest {late} times")
    leave_crowd(host, viewers[1:])
    wait_for("one is left", 60, lambda: host.status("lobby", id=lobby, members=1))
    pass_time(SETTLES)
    say("one alone")
    one = weigh(host, min(seconds, 10))
    leave_crowd(host, viewers[:1])
    return one, many


def run(options):
    load = os.getloadavg()[0]
    with Host(options.build, "--set", f"limits.sessions={options.viewers + 1}") as host:
        one, many = measure(host, options.viewers, options.seconds, options.abreast)
    for name in sorted(many, key=many.get, reverse=True)[:8]:
        print(f"  {name}: {one.get(name, 0):.1f} % of a core for one, {many[name]:.1f} % for all")
    more = (sum(many.values()) - sum(one.values())) / (options.viewers - 1)
    print(f"{options.viewers} viewers, one encoder, no picture missed: {more:.2f} % of a core for "
          f"each further viewer (promised: at most {PROMISED}); load {load:.1f} before")
    return []


def main():
    options = script.options(__doc__, viewers=100, seconds=30.0, abreast=4)
    script.end(lambda: run(options))


if __name__ == "__main__":
    main()
