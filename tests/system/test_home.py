#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The way back: what a viewer presses to see its own desktop again, whatever it looks at."""
from host import Host, expect, run, wait_for
from test_api import Api, Events
from test_lobby import SMALL, FORM, ask, create, done, finish, row_of, shows

CTRL, ALT, SHIFT, W, A = 0xa2, 0xa4, 0xa0, 0x57, 0x41
START_UP_RB = 0x10 | 0x1 | 0x200


def steer(viewer, *lines):
    for line in lines:
        viewer.stdin.write(f"0 {line}\n")
    viewer.stdin.flush()


def press_combo(viewer):
    steer(viewer, *(f"down {key}" for key in (CTRL, ALT, SHIFT, W)))


def let_go(viewer):
    steer(viewer, *(f"up {key}" for key in (W, SHIFT, ALT, CTRL)))


def held(api):
    """The only session's keys, on the desktop where its viewer is."""
    return [key for row in api.get("/api/v1/keyboard/state")["sessions"]
            for key in row["pressed_keys"]]


def watch(host, events, app="Pattern"):
    viewer = host.probe("stream", "--app", app, "--seconds", "60", *FORM, background=True,
                        steered=True)
    session = events.wait("StreamSession")[2]["session_id"]
    events.wait("VideoSession", session_id=session)
    shows(host, session)
    return viewer, session


def combos(events, session):
    return [event for event in events.seen
            if event[1] == "ClientWolfUIComboEvent" and event[2]["session_id"] == session]


def the_combo_brings_a_viewer_back(build):
    with Host(build) as host:
        host.paired()
        api = Api(host)
        events = Events(api)
        lobby = create(host, video=SMALL)
        viewer, session = watch(host, events)
        desk = str(int(host.status("lobby", id=lobby)[0]["desk"], 16))

        # At home it is told, and nothing moves.
        press_combo(viewer)
        events.wait("ClientWolfUIComboEvent", session_id=session)
        let_go(viewer)

        for press, release in ((lambda: press_combo(viewer), lambda: let_go(viewer)),
                               (lambda: steer(viewer, f"pad 0 1 {START_UP_RB} 0 0 0 0 0 0"),
                                lambda: steer(viewer, "pad 0 1 0 0 0 0 0 0 0"))):
            done("join", ask(host, "join", lobby, session))
            events.wait("SwitchStreamProducerEvents", session_id=session, interpipe_src_id=desk)
            expect("nothing is held", not held(api))
            steer(viewer, f"down {A}")
            wait_for("the key is held", 5, lambda: held(api))
            press()
            events.wait("ClientWolfUIComboEvent", session_id=session)
            events.wait("SwitchStreamProducerEvents", session_id=session,
                        interpipe_src_id=session)
            events.wait("LeaveLobbyEvent", moonlight_session_id=session)
            expect(f"home: {row_of(host, session)}", row_of(host, session)["member"] == "home")
            expect("nothing is held at home", not held(api))
            release()
            steer(viewer, f"up {A}")
        done("join", ask(host, "join", lobby, session))
        expect("nothing was left held in the lobby", not held(api))
        done("leave", ask(host, "leave", lobby, session))
        expect(f"told once for each press: {combos(events, session)}",
               len(combos(events, session)) == 3)

        steer(viewer, "idr")
        events.wait("IDRRequestEvent", session_id=session)
        report = finish(host, viewer)
        expect(f"a key still shows at home: {report.get('input')}",
               report["input"]["seen"] == 5 and report["input"]["missed"] == 0)
        events.close()


if __name__ == "__main__":
    run([the_combo_brings_a_viewer_back])
