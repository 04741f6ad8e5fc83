# SPDX-License-Identifier: MIT
"""Desktops that several watch: how they are made, joined, left, stopped and struck, and what must
be true of them afterwards. A half of Chaos.

A lobby is known by its slot, which is its name: whoever made it may never have heard its id.
"""
import time

from host import Failed, wait_for
from viewers import NOTICED_S

VIDEO = {"width": 320, "height": 240, "refresh_rate": 30}
ANSWER_S = 5  # a door that is stopped just now answers later, or never
MOVING = ("joining", "changing", "leaving")
OPEN = ("alone", "open")
FAULTS = ("lobby-lost", "lobby-confused", "lobby-written-off")


def ask(host, what, **body):
    """Whether it was done; OSError when nobody answered."""
    answer = host.api(f"/api/v1/lobbies/{what}", body, seconds=ANSWER_S)
    return bool(answer.get("success"))


def create(host, name):
    app = next(row["id"] for row in host.status("app") if row["title"] == "Pattern")
    return ask(host, "create", name=name, app_id=str(app), multi_user=True,
               stop_when_everyone_leaves=False, video_settings=VIDEO)


def session_number(row):
    """As the API wants it."""
    return str(int(row["id"], 16))


def disagreements(rows):
    """What the rows of one status say of who is where that cannot all be true at rest."""
    lobbies = {row["id"]: row for row in rows if row["what"] == "lobby"}
    sessions = [row for row in rows if row["what"] == "session"]
    wrong = [f"not at rest: {row}" for row in lobbies.values() if row["state"] not in OPEN]
    wrong += [f"between two desktops: {row}" for row in sessions if row["member"] in MOVING]
    wrong += [f"in a lobby that is not there: {row}" for row in sessions
              if row["member"] == "in" and row["lobby"] not in lobbies]
    for lobby in lobbies.values():
        inside = sum(row["member"] == "in" and row["lobby"] == lobby["id"] for row in sessions)
        sees = sum(row["viewers"] for row in rows if row["what"] == "encoding" and
                   row["desk"] == lobby["desk"] and row["part"] == "pictures")
        if not inside == sees == lobby["members"]:
            wrong.append(f"{inside} inside, {sees} see its pictures: {lobby}")
    return wrong


class Lobbies:
    # ---- whom an action means ----

    def lobby_at(self, slot):
        """That lobby, else any; None where there is none that can be entered."""
        rows = [row for row in self.host.status("lobby") if row["state"] in OPEN]
        return next((row for row in rows if row["name"] == f"slot{slot}"), next(iter(rows), None))

    def streaming(self, number):
        row = self.session_of(number)
        return row if row and row["state"] == "streaming" and row["pictures"] > 0 else None

    def between(self):
        """Who is on the way from one desktop to another, or may be."""
        found = {number for number, viewer in enumerate(self.viewers) if viewer.between}
        for number, viewer in enumerate(self.viewers):
            row = self.session_of(number)
            if row and row["member"] in MOVING:
                found.add(number)
        return found

    def members(self, lobby):
        return {number for number in range(len(self.viewers))
                if (self.session_of(number) or {}).get("lobby") == lobby["id"]}

    # ---- the deeds ----

    def lobby_make(self, action, viewer):
        name = f"slot{action.slot}"
        if any(row["name"] == name for row in self.host.status("lobby")):
            return False
        return create(self.host, name)

    def move_viewer(self, what, viewer, lobby, session):
        """Without an answer nobody knows where it is."""
        viewer.between = True
        done = ask(self.host, what, lobby_id=lobby, moonlight_session_id=session_number(session))
        viewer.between = False
        return done

    def lobby_join(self, action, viewer):
        lobby = self.lobby_at(action.slot)
        number = self.joiner(action.client, lobby) if lobby else None
        if number is None:
            return False
        viewer = self.viewers[number]
        session = wait_for("its own pictures", 3, lambda: self.streaming(number))
        # What was done to the lobby may not have been noticed yet; and a desktop that got no
        # memory may have none to take its viewer back.
        if time.monotonic() < self.struck.get(lobby["id"], 0) + NOTICED_S or viewer.limited:
            viewer.excused = True
        return self.move_viewer("join", viewer, lobby["id"], session)

    def joiner(self, first, lobby):
        """The named client, else the next one, that watches something else."""
        for step, _ in enumerate(self.viewers):
            number = (first + step) % len(self.viewers)
            elsewhere = (self.session_of(number) or {}).get("lobby") != lobby["id"]
            if self.viewers[number].watches() and elsewhere:
                return number
        return None

    def lobby_leave(self, action, viewer):
        for step, _ in enumerate(self.viewers):
            number = (action.client + step) % len(self.viewers)
            session = self.session_of(number)
            if session and session["member"] == "in":
                return self.move_viewer("leave", self.viewers[number], session["lobby"], session)
        return False

    def lobby_stop(self, action, viewer):
        lobby = self.lobby_at(action.slot)
        return bool(lobby) and ask(self.host, "stop", lobby_id=lobby["id"])

    def strike_lobby(self, action, number):
        """A process of a lobby: those in it may feel that, and those on their way."""
        lobby = self.lobby_at(action.slot)
        pid = self.pid_at(lobby["desk"], action.kind.removeprefix("lobby-")) if lobby else None
        if pid is None:
            return False
        for member in self.members(lobby) | self.between():
            self.excuse(member)
        self.struck[lobby["id"]] = time.monotonic()
        self.aimed_at[pid] = f"{action.signal} {action.kind}"
        return self.signal(pid, number)

    # ---- before and after ----

    def warm_lobby(self):
        viewer = self.viewers[0]
        viewer.start()
        session = wait_for("somebody's own pictures", 20, lambda: self.streaming(0))
        if not create(self.host, "warm"):
            raise Failed("a first lobby was not made")
        lobby = self.host.status("lobby")[0]["id"]
        for what in ("join", "leave"):
            if not self.move_viewer(what, viewer, lobby, session):
                raise Failed(f"a first {what} was refused")
        viewer.leave()
        viewer.reports.clear()
        self.host.probe("quit", keys=viewer.keys)
        self.lobbies_gone()

    def check_members(self):
        """Everybody is somewhere, and all who know of it agree where."""
        wrong = []

        def agree():
            wrong[:] = disagreements(self.host.api("/api/v1/status")["status"])
            return not wrong
        try:
            wait_for("everybody is somewhere", 25, agree, step=0.1)
        except Failed:
            self.faults += wrong

    def lobbies_gone(self):
        for row in self.host.status("lobby"):
            ask(self.host, "stop", lobby_id=row["id"])
        wait_for("every lobby's end", 25, lambda: not self.host.status("lobby"))

    def check_lobby_lines(self):
        """Every lobby that began has ended, and said so, but for one whose supervisor died just
        then."""
        began, ended, deaths = set(), set(), 0
        for event in self.events():
            what = event.get("event")
            if what == "lobby-start":
                began.add(event["lobby"])
            elif what == "lobby-end":
                ended.add(event["lobby"])
            elif what == "settled":
                deaths += 1
            elif what in FAULTS:
                self.faults.append(f"a lobby went wrong: {event['row']}")
        if len(began - ended) > deaths:
            self.faults.append(f"lobbies without an end: {began - ended}")
