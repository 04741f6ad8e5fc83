#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A platform for agents, seen from outside: a program that has no more than the API, its events
and the ports. It makes lobbies with PINs whose apps run in sandboxes, lets clients look into them,
types, takes pictures, and ends it all.

    test_agents.py BUILD [--rounds 20] [--seed NUMBER]   as often, in this random order"""
import os
import random
import sys

from api_client import Api, Events
from host import Host, expect, run, wait_for
from pictures import read_png
from test_crowd import names
from test_lobby import finish, shows

SLOW = os.environ.get("PERIGEE_TEST_SLOWNESS", "1") != "1"
ROUNDS, SEED, LOBBIES = 6 if SLOW else 20, 20251, 5
SIZE = {"width": 480, "height": 270, "refresh_rate": 15}
FORM = ["--size", "480x270", "--fps", "15", "--kbps", "1500", "--seconds", "600"]
# What an agent's desktop has: a terminal that takes lines, each a word and a colour, and shows
# nothing but the newest.
TERMINAL = ("exec foot --title agent sh -c 'while read -r word colour; do echo $word >$HOME/typed; "
            "printf \"\\033[48;2;%sm\\033[2J\\033[H%s\" $colour $word; done'")


class Platform:
    def __init__(self, host, seed):
        self.host, self.random = host, random.Random(seed)
        self.api, self.events = Api(host), Events(Api(host))
        self.lobbies = {}  # by id: its PIN
        self.client = self.viewer = self.session = None
        self.launches = 0

    # ---- desktops ----

    def keep_app(self):
        """An app of its own, sandboxed, that nobody sees in Moonlight."""
        self.api.post("/api/v1/profiles/add", {"id": "agents", "name": "Agents"})
        self.api.post("/api/v1/apps/add", {
            "title": "Agent", "id": "agent", "profile_id": "agents",
            "runner": {"type": "sandbox", "run_cmd": TERMINAL}})
        profile = wait_for("the app is kept", 10, lambda: [
            one for one in self.api.get("/api/v1/profiles")["profiles"] if one["apps"]])[0]
        return profile["apps"][0]["app_id"]

    def create(self, name, **what):
        pin = [self.random.randrange(10) for _ in range(4)]
        lobby = self.api.post("/api/v1/lobbies/create", {
            "profile_id": "agents", "name": name, "multi_user": True, "pin": pin,
            "stop_when_everyone_leaves": False, "video_settings": SIZE,
            "audio_settings": {"channel_count": 2}, "runner_state_folder": f"agents/{name}",
            **what})["lobby_id"]
        event = self.events.wait("CreateLobbyEvent", id=lobby)[2]
        expect(f"the PIN is told to nobody: {event}", event["pin_required"] and
               not event.get("pin"))
        self.lobbies[lobby] = pin

    def stop(self, lobby):
        self.api.post("/api/v1/lobbies/stop", {"lobby_id": lobby, "pin": [0] * 5}, status=403)
        self.api.post("/api/v1/lobbies/stop", {"lobby_id": lobby, "pin": self.lobbies.pop(lobby)})
        self.ended(lobby, "asked")

    def ended(self, lobby, reason):
        self.events.wait("StopLobbyEvent", lobby_id=lobby)
        event = self.events.wait("LobbyEnded", lobby_id=lobby)[2]
        expect(f"why is told: {event}", event["reason"] == reason)

    # ---- clients ----

    def launch(self, lobby=None):
        """At home, or straight into a lobby."""
        if lobby:
            self.api.post("/api/v1/sessions/configure", {
                "client_id": self.client, "immediate_lobby_id": lobby,
                "pin": self.lobbies[lobby]})
        self.viewer = self.host.probe("stream", "--app", "Pattern", *FORM, background=True)
        self.session = self.events.wait("StreamSession")[2]["session_id"]
        self.events.wait("VideoSession", session_id=self.session)
        if lobby:
            self.arrived(lobby)
        shows(self.host, self.session)
        self.launches += 1

    def arrived(self, lobby):
        self.events.wait("JoinLobbyEvent", lobby_id=lobby, moonlight_session_id=self.session)
        expect("it is there", self.desktop_of(lobby) == self.row()["desktop_id"])

    def go(self):
        """Its client goes away, as clients do, having seen every picture."""
        finish(self.host, self.viewer)
        self.api.post("/api/v1/sessions/stop", {"session_id": self.session})
        self.events.wait("StopStreamEvent", session_id=self.session)
        self.session = None

    def row(self):
        return next(row for row in self.api.get("/api/v1/sessions")["sessions"]
                    if row["session_id"] == self.session)

    def join(self, lobby):
        body = {"lobby_id": lobby, "moonlight_session_id": self.session}
        self.api.post("/api/v1/lobbies/join", {**body, "pin": self.lobbies[lobby]})
        self.arrived(lobby)

    def leave(self, lobby):
        self.api.post("/api/v1/lobbies/leave", {"lobby_id": lobby,
                                                "moonlight_session_id": self.session})
        self.events.wait("LeaveLobbyEvent", lobby_id=lobby, moonlight_session_id=self.session)

    # ---- what is on a desktop ----

    def desktop_of(self, lobby):
        return next(row["desktop_id"] for row in self.api.get("/api/v2/desktops")["desktops"]
                    if row.get("lobby_id") == lobby)

    def picture(self, lobby):
        width, height, rows = read_png(self.api.get("/api/v2/desktops/screenshot",
                                                    query=f"?lobby_id={lobby}"))
        expect("of its size", (width, height) == (SIZE["width"], SIZE["height"]))
        return b"".join(rows)

    def shows_colour(self, lobby, colour):
        picture = self.picture(lobby)
        of_it = sum(all(abs(a - b) <= 12 for a, b in zip(picture[at:at + 3], colour))
                    for at in range(0, len(picture), 3 * 101))
        return of_it > len(picture) / (3 * 101) / 2

    def type_and_see(self, lobby, word):
        """Whoever looks, or nobody: the text arrives at the app, and pictures show what only that
        text makes it show."""
        colour = [self.random.randrange(256) for _ in range(3)]
        wait_for("a terminal", 20, lambda: len(set(self.picture(lobby))) > 1)
        where = {"desktop_id": self.desktop_of(lobby)}
        self.api.post("/api/v2/desktops/input", {
            **where, "text": f"{word} {';'.join(map(str, colour))}"})
        self.api.post("/api/v2/desktops/input", {**where, "keys": [28]})  # evdev's Enter
        wait_for(f"{word} is typed", 20, lambda: any(
            file.read_text() == word + "\n"
            for file in (self.host.folder / "data").rglob("typed")))
        wait_for(f"{colour} is seen", 20, lambda: self.shows_colour(lobby, colour))

    def hold_and_let_go(self, lobby):
        """What is held down on a desktop that nobody watches is known, and goes up when asked."""
        def held():
            return next(row["pressed_keys"] for row in self.api.get(
                "/api/v1/keyboard/state")["sessions"] if row["lobby_id"] == lobby)

        expect("nothing is held", not held())
        for way in ({"lobby_id": lobby}, {"session_id": self.desktop_of(lobby)}):
            self.api.post("/api/v2/desktops/input", {"lobby_id": lobby, "press": [42]})
            wait_for("shift is held", 10, lambda: held() == [42])
            answer = self.api.post("/api/v1/keyboard/reset", way)
            expect(f"it goes up: {answer}", answer["released_keys"] == ["key 42"] and not held())

    def alone(self, lobby):
        """All of it on a desktop without a viewer, as most of a platform's are."""
        self.type_and_see(lobby, "alone")
        self.hold_and_let_go(lobby)
        path, text = "/api/v2/desktops/clipboard", "of an agent \u20ac"
        self.api.post(path, {"lobby_id": lobby, "text": text})
        expect("what was put there", self.api.get(
            path, query=f"?lobby_id={lobby}").decode() == text)


def rounds(platform, count):
    """So many joins and leaves in random order: into a lobby, perhaps on to another one, home
    again; now and then the client goes, and another session begins."""
    chance = platform.random.random
    for _ in range(count):
        lobbies = platform.random.sample(list(platform.lobbies), 2 if chance() < 0.3 else 1)
        inside = None
        if not platform.session:
            inside = None if platform.launches % 2 else lobbies[0]
            platform.launch(inside)
        for lobby in lobbies:
            if lobby != inside:
                platform.join(lobby)
        platform.leave(lobbies[-1])
        if chance() < 0.25:
            platform.go()
    if not platform.session:
        platform.launch()


def one_plays_a_platform_over_the_api_alone(build):
    with Host(build, config='preset_pin: "0471"\n') as host:
        before = names(host)
        platform = Platform(host, SEED)
        api = platform.api
        # Nobody types a PIN.
        host.probe("pair", "--pin", "0471")
        platform.client = platform.events.wait("ClientPaired")[2]["client_id"]
        app = platform.keep_app()
        own = {"type": "sandbox", "run_cmd": TERMINAL, "env": ["WHO=agent"]}
        for number in range(LOBBIES):
            platform.create(f"agent{number}", **({"app_id": app} if number % 2 else
                                                 {"runner": own}))
        rows = api.get("/api/v1/lobbies")["lobbies"]
        expect(f"all of them: {rows}", {row["id"] for row in rows} == set(platform.lobbies) and
               all(row["state"] == "ready" for row in rows))
        for row in rows:
            expect(f"what runs in it: {row}", row["runner"]["type"] == "sandbox" and
                   row["runner"]["run_cmd"] == TERMINAL)

        platform.alone(platform.random.choice(list(platform.lobbies)))
        rounds(platform, ROUNDS)
        lobby, other = platform.random.sample(list(platform.lobbies), 2)
        platform.join(lobby)
        platform.type_and_see(lobby, "watched")
        shows(host, platform.session)

        # A desktop dies under its viewer, who goes home; another one dies and nobody looks.
        # Its number is taken as the API gives it, and as `perigee status` shows it.
        for gone, number in ((lobby, str), (other, lambda desktop: f"{int(desktop):016x}")):
            api.post("/api/v1/system/restart", {"kind": "desktop",
                                                "id": number(platform.desktop_of(gone))})
            platform.lobbies.pop(gone)
            platform.ended(gone, "restarted")
        shows(host, platform.session)
        expect("it is at home", platform.row()["desktop_id"] not in
               [row["desktop_id"] for row in api.get("/api/v2/desktops")["desktops"]
                if row["lobby_id"]])

        for lobby in list(platform.lobbies):
            platform.stop(lobby)
        platform.go()
        print(f"# seed {SEED}: {ROUNDS} rounds, {platform.launches} sessions", flush=True)
        for what in ("lobbies", "sessions"):
            expect(f"no {what} left", not api.get(f"/api/v1/{what}")[what])
        expect("no desktops left", not api.get("/api/v2/desktops")["desktops"])
        wait_for("no process is left that was not there", 15, lambda: names(host) <= before)
        platform.events.close()


def argument(name, otherwise):
    if name not in sys.argv:
        return otherwise
    at = sys.argv.index(name)
    value = int(sys.argv[at + 1])
    del sys.argv[at:at + 2]
    return value


if __name__ == "__main__":
    ROUNDS, SEED = argument("--rounds", ROUNDS), argument("--seed", SEED)
    run([one_plays_a_platform_over_the_api_alone])
