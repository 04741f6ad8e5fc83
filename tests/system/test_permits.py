#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a client may holds: for launches, for the list, for its input, and at once."""
import os
import re
import sqlite3
import subprocess
import sys

from host import Host, expect, run, wait_for

SMALL = ["--app", "Pattern", "--size", "320x240", "--fps", "30", "--no-decode"]
PLAYSTATION, NINTENDO = 2, 3  # of enum ipc_pad
ALL = "list launch keyboard mouse touch gamepad clipboard lobby_create lobby_join".split()


def permit(host, client, words):
    done = subprocess.run([str(host.build / "src/cli/perigee"), "permit", client, words,
                           "--runtime", str(host.folder / "run")],
                          capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stdout + done.stderr


def client_of(host, name):
    return next(row for row in host.api("/api/v1/clients")["clients"] if row["name"] == name)


def typing(host, keys, number):
    script = host.folder / f"keys{number}"
    script.write_text("500 key 0x41\n700 key 0x42\n900 rel 5 5\n1100 key 0x43\n"
                      "1200 arrive 0 1 1 3\n1210 arrive 1 3 2 3\n"
                      "1220 pad 0 3 0x1000 0 0 0 0 0 0\n")
    report = host.probe("stream", *SMALL, "--seconds", "3", "--script", str(script), keys=keys)
    expect(f"it streams: {report}", report["ok"])


def ended(host, number):
    """The counters of the stream that ended as the number-th."""
    lines = wait_for("the stream's last words", 10, lambda: (
        lambda found: found if len(found) > number else None)(
            re.findall(r"event=stream-end-sides .*?inputs=(\d+) .*?denied=(\d+)", host.log())))
    return int(lines[number][0]), int(lines[number][1])


def what_a_client_may_holds(build):
    with Host(build) as host:
        host.paired("viewer")
        client = client_of(host, "viewer")
        expect(f"everything at first: {client}", client["permissions"] == ALL)
        name = client["client_id"]
        code, words = permit(host, name, "list,keyboard")
        expect(f"taken: {words}", code == 0)
        expect("and told", client_of(host, "viewer")["permissions"] == ["list", "keyboard"])
        refused = host.probe("stream", *SMALL, keys="viewer", check=False)
        expect(f"refused with words: {refused}", refused["refused_status"] == 403 and
               "may not start apps" in refused["error"])
        code, words = permit(host, name, "list,fly")
        expect(f"no such word: {words}", code == 1 and "permissions: of list" in words)
        answer = host.api("/api/v1/clients/settings", {
            "client_id": name, "permissions": ALL, "only_apps": ["1234"]})
        expect(f"one app alone: {answer}", answer["success"])
        refused = host.probe("stream", "--app", str(app_of(host)), *SMALL[2:], keys="viewer",
                             check=False)
        expect(f"which is not this one: {refused}", not refused.get("ok"))
        answer = host.api("/api/v1/clients/settings", {
            "client_id": name, "app_state_folder": "shared", "only_apps": [], "permissions": ["list", "launch", "mouse"]})
        expect(f"no keyboard: {answer}", answer["success"])
        typing(host, "viewer", 1)
        inputs, dropped = ended(host, 0)
        expect(f"keys and pads were dropped, the mouse was not: {inputs} {dropped}",
               dropped == 6 and inputs >= 1)
        expect("homes where the settings say",
               (host.folder / "data/homes/shared/Pattern").is_dir())
        permit(host, name, "all")
        answer = host.api("/api/v1/clients/settings", {
            "client_id": name, "settings": {"controllers_override": ["NINTENDO"]}})
        expect(f"the first pad is another one: {answer}", answer["success"])
        host.probe("quit", keys="viewer")
        typing(host, "viewer", 2)
        for pad, shape in ((0, NINTENDO), (1, PLAYSTATION)):
            expect(f"pad {pad} is shown as {shape}", re.search(
                rf"event=pad-plugged pad={pad} shape={shape}\b", host.log()))
        inputs, dropped = ended(host, 1)
        expect(f"nothing is dropped: {inputs} {dropped}", dropped == 0 and inputs >= 7)
        if not os.access("/dev/uinput", os.R_OK | os.W_OK):
            words = "device=/dev/uinput"
            wait_for("that there is no uinput", 10, lambda: words in host.log())
            expect("of two pads, it is said once", host.log().count(words) == 1)


def a_copy_of_the_state_is_taken_while_it_runs(build):
    with Host(build) as host:
        host.paired("viewer")
        copy = host.folder / "copy.db"
        done = subprocess.run([str(host.build / "src/cli/perigee"), "backup", str(copy), "--runtime",
                               str(host.folder / "run"), "--libexec",
                               str(host.build / "src/store")],
                              capture_output=True, text=True, timeout=30, check=False)
        expect(f"it says so: {done}", done.returncode == 0 and "whole copy" in done.stdout)
        expect("for its owner alone", copy.stat().st_mode & 0o777 == 0o600)
        with sqlite3.connect(copy) as database:
            names = [row[0] for row in database.execute("SELECT name FROM client")]
        expect(f"with who is paired: {names}", names == ["viewer"])


def app_of(host):
    return next(row["id"] for row in host.status("app") if row["title"] == "Pattern")


def joins_by_leave(host, client):
    """What a client may holds for lobbies, too."""
    session = str(int(host.status("session")[0]["id"], 16))
    made = host.api("/api/v1/lobbies/create", {
        "name": "together", "app_id": str(app_of(host)), "multi_user": True,
        "stop_when_everyone_leaves": False,
        "video_settings": {"width": 320, "height": 240, "refresh_rate": 30}})
    expect(f"made: {made}", made["success"])
    asked = {"lobby_id": made["lobby_id"], "moonlight_session_id": session}
    permit(host, client, "list,launch")
    answer = host.api("/api/v1/lobbies/join", asked)
    expect(f"refused with words: {answer}", not answer["success"] and
           "may not join the lobby together" in answer["error"])
    permit(host, client, "all")
    answer = host.api("/api/v1/lobbies/join", asked)
    expect(f"let in: {answer}", answer["success"])


def who_is_unpaired_loses_the_session_at_once(build):
    with Host(build) as host:
        host.paired("viewer")
        viewer = host.probe("stream", *SMALL, "--seconds", "60", keys="viewer", background=True)
        wait_for("it streams", 15, lambda: host.status("session", state="streaming"))
        name = client_of(host, "viewer")["client_id"]
        joins_by_leave(host, name)
        expect("unpaired", host.api("/api/v1/unpair/client", {"client_id": name})["success"])
        wait_for("no session", 10, lambda: not host.status("session"))
        report = host.report(viewer, seconds=30, check=False)
        expect(f"the viewer was told: {report}", report is not None)
        refused = host.probe("stream", *SMALL, keys="viewer", check=False)
        expect(f"and is a stranger: {refused}", not refused.get("ok"))


if __name__ == "__main__":
    sys.exit(run([what_a_client_may_holds, who_is_unpaired_loses_the_session_at_once,
                  a_copy_of_the_state_is_taken_while_it_runs]))
