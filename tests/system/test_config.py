#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The configuration read again while somebody plays."""
import os
import signal
import subprocess
import sys

from host import Host, expect, run, wait_for

SMALL = ["--app", "Paint", "--size", "320x240", "--fps", "30", "--no-decode"]
FIRST = """name: First
limits:
  sessions: 5
apps:
  - title: Paint
    command: [perigee-pattern]
"""
SECOND = """name: Second
limits:
  sessions: 1
ports:
  web: 1234
apps:
  - title: Chess
    command: [perigee-pattern]
"""
BAD = """name: Third
limits:
  sessions: 0
"""
UNKNOWN = """name: Third
limits:
  session: 3
"""


def perigee(host, *args):
    done = subprocess.run([str(host.build / "src/cli/perigee"), *args, "--runtime",
                           str(host.folder / "run"), "--libexec",
                           str(host.build / "src/supervisor")],
                          capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stdout + done.stderr


def supervisor_of(host):
    """The perigeed that runs; None in between."""
    found = [pid for pid, name in host.remains() if name.endswith("perigeed")]
    return found[0] if len(found) == 1 else None


def write(host, text):
    (host.folder / "perigee.yaml").write_text(text)


def titles(host):
    return {row["title"] for row in host.status("app")}


def value(host, key):
    rows = host.api("/api/v1/status?filter=config")["status"]
    row = next(row for row in rows if row["key"] == key)
    return row["value"], row["from"]


def refused(host, text, *parts):
    write(host, text)
    code, words = perigee(host, "config", "reload")
    expect(f"refused: {words}", code == 1 and all(part in words for part in parts))
    code, words = perigee(host, "config", "check", str(host.folder / "perigee.yaml"))
    expect(f"and by check: {words}", code == 1 and all(part in words for part in parts))
    expect("nothing has changed", value(host, "name") == ("First", "file") and
           value(host, "limits.sessions") == ("5", "file") and "Paint" in titles(host))


def a_reload_changes_what_it_can_and_ends_nothing(build):
    with Host(build, "--set", "limits.per_client=3", config=FIRST,
              env={"PERIGEE_LIMITS_PAIR_WINDOW": "200"}) as host:
        expect("from everywhere", value(host, "limits.per_client") == ("3", "flag") and
               value(host, "limits.pair_window") == ("200", "environment") and
               value(host, "name") == ("First", "file") and
               value(host, "log_level") == ("", "default"))
        host.paired("viewer")
        host.paired("other")
        viewer = host.probe("stream", *SMALL, "--seconds", "60", background=True)
        wait_for("it streams", 15, lambda: host.status("session", state="streaming"))
        refused(host, BAD, "perigee.yaml, line 3", "limits.sessions must lie")
        refused(host, UNKNOWN, "perigee.yaml, line 3", 'no key "session"', "perigee.yaml(5)")
        write(host, SECOND)
        code, words = perigee(host, "config", "reload")
        expect(f"taken: {words}", code == 0 and "In effect now: name, limits.sessions, apps\n"
               in words and "started again: ports.web\n" in words)
        expect("as it says", value(host, "name")[0] == "Second" and
               value(host, "ports.web")[0] == str(host.port + 1))
        expect(f"another app instead: {titles(host)}", "Chess" in titles(host) and
               "Paint" not in titles(host))
        expect("who plays goes on", len(host.status("session", state="streaming", app="Paint")) == 1)
        full = host.probe("stream", "--app", "Chess", *SMALL[2:], keys="other", check=False)
        expect(f"the new limit counts: {full}", "1 of 1" in full.get("error", ""))
        before = supervisor_of(host)
        os.kill(before, signal.SIGKILL)
        wait_for("another perigeed", 15, lambda: supervisor_of(host) not in (None, before))
        wait_for("its sessions", 15, lambda: (host.api("/api/v1/status", optional=True) or {})
                 .get("status") and host.status("session", state="streaming"))
        expect("a successor has what was taken, and no more",
               value(host, "name")[0] == "Second" and
               value(host, "ports.web")[0] == str(host.port + 1) and "Chess" in titles(host))
        write(host, SECOND.replace("sessions: 1", "sessions: 4"))
        code, words = perigee(host, "config", "reload")
        expect(f"again: {words}", code == 0 and "In effect now: limits.sessions\n" in words)
        again = host.probe("stream", "--app", "Chess", *SMALL[2:], "--seconds", "1", keys="other")
        expect(f"and is there for others: {again}", again["ok"])
        viewer.terminate()
        host.report(viewer, check=False)


PROFILES = """profiles:
  - {id: ann, name: Ann, pin: "4711"}
  - {id: bob, name: Bob}
"""


def profiles(host):
    return {row["id"]: (row["name"], row["pin_required"])
            for row in host.api("/api/v1/profiles")["profiles"]}


def whom_the_file_names_is_at_the_launcher(build):
    with Host(build, config=PROFILES) as host:
        wait_for("both", 10, lambda: profiles(host) == {"ann": ("Ann", True), "bob": ("Bob", False)})
        put = host.log().count("event=profile-put")
        perigee(host, "config", "reload")
        write(host, PROFILES.replace('pin: "4711"', 'pin: 47'))
        code, words = perigee(host, "config", "reload")
        expect(f"a bad PIN: {words}", code == 1 and "line 2: profiles[0].pin: 4 to 15" in words)
        write(host, PROFILES.replace(', pin: "4711"', "").replace("Bob", "Bobby"))
        code, words = perigee(host, "config", "reload")
        expect(f"taken: {words}", code == 0 and "In effect now: profiles\n" in words)
        wait_for("as it says now", 10, lambda: profiles(host) == {"ann": ("Ann", False),
                                                                  "bob": ("Bobby", False)})
        expect("only what differs is written",
               host.log().count("event=profile-put") == put + 2)
        expect("no PIN is told", "4711" not in host.log())


CLIENTS = """apps:
  - title: Paint
    command: [perigee-pattern]
clients:
  - name: child
    permissions: [list, launch, mouse]
    only_apps: [Paint]
    mouse_acceleration: 1.5
"""


def client(host, name):
    return next(row for row in host.api("/api/v1/clients")["clients"] if row["name"] == name)


def becomes(host, what, **wanted):
    """The store has the last word."""
    wait_for(what, 10, lambda: all(client(host, "child")[key] == value
                                   for key, value in wanted.items()))


def what_the_file_says_of_a_client_holds(build):
    with Host(build, config=CLIENTS) as host:
        host.paired("child")
        host.paired("other")
        paint = next(str(row["id"]) for row in host.status("app") if row["title"] == "Paint")
        file = {"permissions": ["list", "launch", "mouse"], "only_apps": [paint]}
        becomes(host, "as the file says from the first moment", **file)
        expect("and how it likes it",
               client(host, "child")["settings"]["mouse_acceleration"] == 1.5)
        expect("nobody else", len(client(host, "other")["permissions"]) == 9)
        refused = host.probe("stream", "--app", "Pattern", *SMALL[2:], keys="child", check=False)
        expect(f"another app: {refused}", not refused.get("ok"))
        code, words = perigee(host, "permit", client(host, "child")["client_id"], "all")
        expect(f"the file wins over who says otherwise: {words}", code == 0)
        becomes(host, "as the file says again", **file)
        write(host, CLIENTS.replace("[list, launch, mouse]", "[list, fly]"))
        code, words = perigee(host, "config", "reload")
        expect(f"no such word: {words}", code == 1 and "line 6: clients[0].permissions" in words)
        write(host, CLIENTS.replace("[list, launch, mouse]", "[list]"))
        code, words = perigee(host, "config", "reload")
        expect(f"taken: {words}", code == 0 and "In effect now: clients\n" in words)
        becomes(host, "as it says now", permissions=["list"], only_apps=[paint])
        write(host, FIRST)
        code, words = perigee(host, "config", "reload")
        expect(f"taken out: {words}", code == 0 and "clients" in words)
        becomes(host, "it stays", permissions=["list"], only_apps=[paint])
        perigee(host, "permit", client(host, "child")["client_id"], "list,launch")
        becomes(host, "and is others' to say", permissions=["list", "launch"])


if __name__ == "__main__":
    sys.exit(run([a_reload_changes_what_it_can_and_ends_nothing,
                  what_the_file_says_of_a_client_holds,
                  whom_the_file_names_is_at_the_launcher]))
