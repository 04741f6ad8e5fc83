#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What people type while somebody plays: each command says what it should, to a person and as
JSON, and takes the names that people use."""
import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios

from host import Failed, Host, deadline, expect, run, wait_for

CONFIG = """apps:
  - title: Test card
    command: [perigee-pattern]
"""


class Person:
    def __init__(self, host):
        self.command = [str(host.build / "src/cli/perigee"), "--runtime", str(host.folder / "run")]

    def types(self, *words, status=0, text=""):
        """What it prints; what it complains of when it is to fail."""
        done = subprocess.run([*self.command, *words], capture_output=True, text=True, input=text,
                              timeout=60, check=False)
        expect(f"perigee {words}: {done.returncode} {done.stderr}", done.returncode == status)
        return done.stderr if status else done.stdout

    def asks(self, *words, **options):
        return json.loads(self.types(*words, "--json", **options))


class Running:
    """A command that goes on: its output as it comes, by a pipe or, as people see it, a terminal."""

    def __init__(self, person, *words, terminal=False):
        self.said, self.terminal = "", None
        if terminal:
            self.fd, self.terminal = pty.openpty()
            self.before = termios.tcgetattr(self.terminal)
        else:
            self.fd, other = os.pipe()
        end = self.terminal if terminal else other
        self.process = subprocess.Popen(
            [*person.command, *words], stdin=end if terminal else subprocess.DEVNULL, stdout=end,
            stderr=end, start_new_session=True,
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT]))
        if not terminal:
            os.close(other)

    def says(self, *parts):
        """Waits for all of these, wherever they are, and gives what was said."""
        until = deadline(10)
        while not all(part in self.said for part in parts):
            ready = select.select([self.fd], [], [], max(0, until - deadline(0)))[0]
            data = os.read(self.fd, 65536) if ready else b""
            if not data:
                raise Failed(f"{self.process.args} says {self.said!r}, not {parts}")
            self.said += data.decode(errors="replace")
        return self.said

    def ends(self):
        code = self.process.wait(timeout=20)
        expect("the terminal is as it was", self.terminal is None or
               termios.tcgetattr(self.terminal) == self.before)
        for fd in (self.fd, self.terminal):
            if fd is not None:
                os.close(fd)
        return code

    def is_ended(self):
        self.process.send_signal(signal.SIGTERM)
        self.ends()


def clients(person):
    said = person.types("clients")
    rows = [line.split() for line in said.splitlines()]
    expect(f"no limit is no limit: {said}", rows[0] == ["CLIENT", "ID", "APPS", "LOBBIES", "MAY"]
           and rows[1][0] == "Sofa" and rows[1][2:] == ["all", "all", "all"])
    row = person.asks("clients")["clients"][0]
    expect(f"as it came: {row}", row["only_apps"] == [] and row["name"] == "Sofa")


def pairing(host, person):
    expect("nobody waits", "No client waits" in person.types("pair"))
    waits = host.probe("pair", "--pin", "4321", keys="TV", background=True)
    wait_for("a client that waits", 10, lambda: "Waiting" in person.types("pair"))
    expect("in a list", len(person.asks("pair")["requests"]) == 1)
    expect("taken", "PIN was taken" in person.types("pair", "4321", "--name", "TV"))
    host.report(waits)
    person.types("permit", "tv", "list,launch")
    rows = {row["name"]: row for row in person.asks("clients")["clients"]}
    expect(f"by its name: {rows}", rows["TV"]["permissions"] == ["list", "launch"])
    expect("nobody is called so", "called nope" in person.types("unpair", "nope", status=1))
    person.types("unpair", rows["TV"]["client_id"][:12])
    expect("forgotten", [row["name"] for row in person.asks("clients")["clients"]] == ["Sofa"])


def clipboard(person, session):
    person.types("clipboard", "get", session, status=1)
    expect("set", "on the clipboard" in person.types("clipboard", "set", session, "hello you"))
    expect("read", person.types("clipboard", "get", session) == "hello you")
    expect("as JSON", person.asks("clipboard", "get", session) == {"text": "hello you"})
    person.types("clipboard", "set", session, text="two\nlines\n")
    expect("of the input", person.types("clipboard", "get", session) == "two\nlines\n")
    expect("emptied", "is empty" in person.types("clipboard", "set", session, ""))
    person.types("clipboard", "get", session, status=1)
    person.types("clipboard", "set", session, text="x" * 49153, status=2)
    person.types("clipboard", "get", status=2)
    expect("nobody is called so", "no session and no lobby" in
           person.types("clipboard", "get", "no body", status=1))


def lobbies(person, session):
    """By titles and names, in whatever case."""
    made = person.asks("lobby", "create", "Film night", "--app", "test card", "--pin", "1234")
    expect("it is in the list", made["lobby_id"] in person.types("lobby"))
    expect("a person is told how to say a PIN",
           "--pin" in person.types("lobby", "join", "film night", status=1))
    person.types("lobby", "join", "film night", "--pin", "1234", "--role", "viewer")
    expect("seen there", "Film night" in person.types("top").split("LOBBY")[0])
    expect("the only session is meant", person.types("lobby", "leave", "film night"))
    person.types("lobby", "join", "FILM NIGHT", "--session", "sofa", "--pin", "1234")
    person.types("lobby", "kick", "film night", "--session", session)
    for words in (("lobby", "create", "Other", "--app", "nope"), ("lobby", "join", "nope"),
                  ("lobby", "leave", "film night", "--session", "nope"), ("screenshot", "nope"),
                  ("sessions", "stop", "nope")):
        said = person.types(*words, status=1)
        expect(f"names what is not there: {said}", "called nope" in said and "(perigee " in said)
    person.types("lobby", "pause", "film night", "--pin", "1234")
    expect("told why", "paused" in person.types("lobby", "join", "film night", "--pin", "1234",
                                                status=1))
    person.types("lobby", "resume", "film night", "--pin", "1234")
    expect("stopped", person.asks("lobby", "stop", "film night", "--pin", "1234")["success"])


def screenshots(person, folder):
    saved = person.asks("screenshot", "sofa", str(folder / "a.png"))
    expect(f"as large as it says: {saved}",
           (folder / "a.png").stat().st_size == saved["bytes"] and
           (folder / "a.png").read_bytes()[:4] == b"\x89PNG")
    person.types("screenshot", "sofa", str(folder / "no" / "such"), status=1)


def top_is_live_until_a_key(person, key):
    top = Running(person, "top", terminal=True)
    top.says("\x1b[?1049h", "Sofa", "Test card", "streaming")
    top.said = ""
    top.says("Sofa")
    if key:
        os.write(top.fd, key)
    else:
        top.process.send_signal(signal.SIGINT)
    top.says("\x1b[?1049l")
    expect("in order", top.ends() == 0)


def logs_are_followed(person, host):
    line = json.loads(person.types("logs", "--json").splitlines()[-1])
    expect(f"a line is an object: {line}", line["level"] and line["event"])
    logs = Running(person, "logs", "-f")
    logs.says("event=")
    person.types("lobby", "create", "Loud", "--app", "test card")
    person.types("lobby", "stop", "loud")
    logs.says("event=lobby-end")
    # As when it is rotated: it has gone, then there is another.
    aside = host.folder / "state/perigee.log.aside"
    os.rename(host.log_path, aside)
    host.log_path.write_text("event=the-next\n")
    logs.says("event=the-next")
    os.rename(aside, host.log_path)
    logs.is_ended()


def events_are_read(person):
    every, some = Running(person, "events", "--json"), Running(person, "events", "LobbyEnded")
    # Nothing says that a reader is there but the host's answer, which it does not print.
    def both_read():
        person.types("lobby", "create", "Told", "--app", "test card")
        person.types("lobby", "stop", "told")
        return all(select.select([one.fd], [], [], 1)[0] for one in (every, some))
    wait_for("readers", 20, both_read)
    rows = every.says("perigee::LobbyEnded").splitlines()
    expect(f"rows: {rows}", all(json.loads(row)["event"] for row in rows[:-1]))
    said = some.says("LobbyEnded", "lobby_id: ", "reason: asked")
    expect(f"nothing else: {said}", "CreateLobbyEvent" not in said)
    for one in (every, some):
        one.is_ended()
    expect("it says where they are",
           "perigee(1)" in person.types("events", "NoSuchEvent", status=2))


def what_people_type_works_while_somebody_plays(build):
    with Host(build, config=CONFIG) as host:
        host.paired("Sofa")
        person = Person(host)
        player = host.probe("stream", "--app", "Test card", "--size", "320x240", "--fps", "30",
                            "--no-decode", "--seconds", "120", keys="Sofa", background=True)
        session = wait_for("it streams", 15, lambda: host.status("session", state="streaming"))
        session = session[0]["id"]
        clients(person)
        pairing(host, person)
        clipboard(person, session)
        lobbies(person, session)
        screenshots(person, host.folder)
        for key in (b"q", None):
            top_is_live_until_a_key(person, key)
        logs_are_followed(person, host)
        events_are_read(person)
        player.terminate()
        host.report(player, check=False)


if __name__ == "__main__":
    sys.exit(run([what_people_type_works_while_somebody_plays]))
