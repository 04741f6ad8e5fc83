#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""48 hours of a busy host in one, and nothing that grows.

    tests/chaos/soak.py BUILD-FOLDER [--hours H] [--scale S] [--seed N] [--maps]

In H hours (1): 3,000 connections, a third of them with pictures (resumes), 3,000 joins of a lobby
by somebody who streams, 600 launches, 48 incidents, times S. Two clients stream all the while and
go from lobby to lobby, and home between some; three others come and go. Each lobby is stopped and
made anew now and then. Every so often, when nobody streams, fds, threads and sockets of all that
last are counted and weighed; the line through them must not rise, and at the end all must be as
before.
"""
import collections
import os
import pathlib
import random
import signal
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

import census  # noqa: E402
import lobbies  # noqa: E402
import script  # noqa: E402
from cycles import SAMPLES, SMALL, Meter, launch, resume, settle  # noqa: E402
from host import Failed, Host, wait_for  # noqa: E402
from pace import Pace  # noqa: E402

DEEDS = {"connect": 2000, "resume": 1000, "join": 3000, "launch": 600, "incident": 48}
KINDS = ("encoder", "stream", "desktop", "sound", "runner", "gate", "web", "store", "facts")
SIGNALS = (signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV)
LOBBIES = ("north", "south")
JOINS_A_LOBBY = 25  # then it is made anew
JOINS_FROM_HOME = 5
DOORS = {"gate", "web", "store", "facts"}


def plan(scale, seed):
    """Deeds of two days in an order that the seed decides."""
    deeds = [deed for deed, times in DEEDS.items() for _ in range(max(1, int(times * scale)))]
    random.Random(f"soak {seed}").shuffle(deeds)
    return deeds


class Stander:
    """A client that streams all the while, as long as nothing is done to it."""

    def __init__(self, host, number):
        self.host, self.keys, self.probe = host, host.paired(f"stander{number}"), None

    def row(self):
        return next((row for row in self.host.status("session") if row["client"] == self.keys), None)

    def streaming(self):
        row = self.row()
        return row if row and row["state"] == "streaming" and row["pictures"] > 0 else None

    def there(self):
        """Its row, once it streams; it is started again where it is not."""
        if self.probe is None or self.probe.poll() is not None:
            self.leave()
            mode = ("resume",) if self.row() else ("stream", "--app", "Pattern")
            self.probe = self.host.probe(*mode, *SMALL[:-1], "100000", keys=self.keys,
                                         background=True)
        return wait_for("it streams", 10, self.streaming)

    def leave(self):
        if self.probe is not None:
            self.probe.send_signal(signal.SIGINT)
            probe, self.probe = self.probe, None
            self.host.report(probe, 20, check=False)


class Soak:
    def __init__(self, host, seed):
        self.host, self.dice = host, random.Random(f"deeds {seed}")
        self.clients = [host.paired(f"client{number}") for number in range(3)]
        self.standers = [Stander(host, number) for number in range(2)]
        self.joins = collections.Counter()  # of each lobby since it was made

    # ---- deeds ----

    def connect(self):
        return "error" not in self.host.probe("serverinfo", keys=self.dice.choice(self.clients),
                                              check=False)

    def resume(self):
        keys = self.dice.choice(self.clients)
        report = resume(self.host, keys)
        if "refused_status" in report:
            report = launch(self.host, keys)
        return saw(report)

    def launch(self):
        keys = self.dice.choice(self.clients)
        self.host.probe("quit", keys=keys, check=False)
        return saw(launch(self.host, keys))

    def lobby(self, name):
        row = next((row for row in self.host.status("lobby") if row["name"] == name), None)
        if row and self.joins[name] >= JOINS_A_LOBBY:
            lobbies.ask(self.host, "stop", lobby_id=row["id"])
            row = wait_for("its end", 20, lambda: not self.host.status("lobby", id=row["id"])) and None
        if not row:
            self.joins[name] = 0
            lobbies.create(self.host, name)
            row = self.host.status("lobby", name=name)[0]
        return row

    def join(self):
        """Into the lobby where it is not, from home or from the other."""
        stander = self.dice.choice(self.standers)
        session = stander.there()
        here = session["lobby"]
        if here and self.dice.randrange(JOINS_FROM_HOME) == 0:
            lobbies.ask(self.host, "leave", lobby_id=here,
                        moonlight_session_id=lobbies.session_number(session))
        there = [row["name"] for row in self.host.status("lobby") if row["id"] == here]
        name = self.dice.choice([name for name in LOBBIES if name not in there])
        lobby = self.lobby(name)
        self.joins[name] += 1
        return lobbies.ask(self.host, "join", lobby_id=lobby["id"],
                           moonlight_session_id=lobbies.session_number(session))

    def incident(self):
        kind = self.dice.choice(KINDS)
        rows = self.host.status("process", kind=kind)
        if rows:
            os.kill(self.dice.choice(rows)["pid"],
                    signal.SIGKILL if kind == "sound" else self.dice.choice(SIGNALS))
        return bool(rows)

    # ---- between ----

    def rest(self):
        """Nobody streams, and what lasts is there."""
        wait_for("the doors", 30, lambda: self.host.api("/api/v1/status", optional=True) and
                 DOORS <= {row["kind"] for row in self.host.status("process")})
        for stander in self.standers:
            stander.leave()
        settle(self.host)

    def all_gone(self):
        self.rest()
        for keys in [*self.clients, *(stander.keys for stander in self.standers)]:
            self.host.probe("quit", keys=keys, check=False)
        for row in self.host.status("lobby"):
            lobbies.ask(self.host, "stop", lobby_id=row["id"])
        wait_for("the end of all", 25, lambda: not self.host.status("session") and
                 not self.host.status("lobby"))

    def warm_up(self):
        for keys in self.clients:
            launch(self.host, keys)
            resume(self.host, keys)
        for _ in range(4):
            for stander in self.standers:
                stander.there()
            self.join()
        self.all_gone()


def saw(report):
    return report.get("video", {}).get("frames", 0) >= 3


def do_all(host, deeds, hours, seed, meter):
    """How often each was done, and how often it was not, for whatever reason."""
    done, soak = collections.Counter(), Soak(host, seed)
    soak.warm_up()
    before = census.count(host)
    with Pace(host) as pace:
        for number, deed in enumerate(deeds):
            try:
                hit = getattr(soak, deed)()
            except (Failed, OSError, ValueError, KeyError, IndexError):
                hit = False
            done[deed if hit else f"{deed}, not done"] += 1
            if number % max(1, len(deeds) // SAMPLES) == 0:
                soak.rest()
                meter.sample()
                print(f"  {pace.seconds():.0f} s: {dict(done)}", flush=True)
            pace.reach(number * hours * 3600 / len(deeds))
        print(f"soak: {dict(done)} in {pace.seconds():.0f} s")
    soak.all_gone()
    try:
        wait_for("as before", 25, lambda: not census.more(before, census.count(host)))
    except Failed:
        return [f"left behind: {text}" for text in census.more(before, census.count(host))]
    return []


def run(options):
    with Host(options.build) as host:
        meter = Meter(host)
        faults = do_all(host, plan(options.scale, options.seed), options.hours, options.seed, meter)
        faults += meter.verdict()
        if options.maps:
            meter.show_maps()
    return faults


def main():
    options = script.options(__doc__, hours=1.0, scale=1.0, seed=1, maps=False)
    script.end(lambda: run(options))


if __name__ == "__main__":
    main()
