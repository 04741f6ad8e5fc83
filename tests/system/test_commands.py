#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What people type while somebody plays: each command says what it should, to a person and as
JSON, and takes the names that people use."""
import json
import subprocess
import sys

from host import Host, expect, run, wait_for

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


def clients(person):
    said = person.types("clients")
    expect(f"no limit is no limit: {said}", "only_apps: (no limit)" in said and
           "only_lobbies: (no limit)" in said and "name: Sofa" in said)
    row = person.asks("clients")["clients"][0]
    expect(f"as it came: {row}", row["only_apps"] == [] and row["name"] == "Sofa")


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
           person.types("clipboard", "get", "no body", status=2))


def what_people_type_works_while_somebody_plays(build):
    with Host(build, config=CONFIG) as host:
        host.paired("Sofa")
        person = Person(host)
        player = host.probe("stream", "--app", "Test card", "--size", "320x240", "--fps", "30",
                            "--no-decode", "--seconds", "120", keys="Sofa", background=True)
        session = wait_for("it streams", 15, lambda: host.status("session", state="streaming"))
        session = session[0]["id"]
        clients(person)
        clipboard(person, session)
        player.terminate()
        host.report(player, check=False)


if __name__ == "__main__":
    sys.exit(run([what_people_type_works_while_somebody_plays]))
