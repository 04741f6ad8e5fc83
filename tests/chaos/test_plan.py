#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The deciding halves of the chaos tests."""
import pathlib
import random
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))
sys.path.insert(0, str(HERE))

import census  # noqa: E402
import lobbies  # noqa: E402
import plan  # noqa: E402
import slope  # noqa: E402
import soak  # noqa: E402


def same_seed_same_run():
    assert plan.plan(7, 360) == plan.plan(7, 360)
    assert plan.plan(7, 360) != plan.plan(8, 360)
    assert plan.plan(7, 360, 1) != plan.plan(7, 360, 0)
    # What a later interpreter must still draw.
    assert plan.plan(1, 10)[6].words() == FIRST, plan.plan(1, 10)[6].words()


def every_deed_and_every_kind_comes_up():
    seen = {(action.deed, action.kind, action.signal)
            for seed in range(20) for action in plan.plan(seed, 360)}
    for deed, _ in plan.DEEDS:
        assert any(one[0] == deed for one in seen), deed
    for kind, signals, _ in plan.KILLS:
        for signal in signals:
            assert ("kill", kind, signal) in seen, (kind, signal)


def a_run_is_in_order_and_in_time():
    actions = plan.plan(3, 100)
    assert all(a.at_s <= b.at_s for a, b in zip(actions, actions[1:]))
    assert actions[-1].at_s < 100 and len(actions) > 50


def a_soak_is_two_busy_days():
    deeds = soak.plan(1, 5)
    assert deeds == soak.plan(1, 5) != soak.plan(1, 6)
    assert deeds.count("connect") + deeds.count("resume") == deeds.count("join") == 3000
    assert deeds.count("launch") == 600 and deeds.count("incident") == 48
    assert all(callable(getattr(soak.Soak, deed)) for deed in soak.DEEDS)


def a_leak_is_seen_and_noise_is_not():
    dice = random.Random(1)
    noise = [1000 + dice.gauss(0, 5) for _ in range(60)]
    assert not slope.grows(noise, 10)
    assert slope.grows([value + at for at, value in enumerate(noise)], 10)
    assert not slope.grows([7] * 60, 0)
    assert not slope.grows([7] * 30 + [8] * 3, 0.9)  # too few to say
    assert slope.grows([7 + at // 10 for at in range(60)], 0.9)


def what_is_more_is_named():
    before = {"fds": {"gate": 10, "web": 9}, "zombies": 0, "runtime": ["api.sock"]}
    after = {"fds": {"gate": 12, "web": 8}, "zombies": 0, "runtime": ["api.sock", "s-1"]}
    assert census.differences(before, before) == []
    assert census.more(before, after) == [
        "fds.gate: 10 before, 12 after",
        "runtime: ['api.sock'] before, ['api.sock', 's-1'] after"]


def who_is_where_must_be_agreed_on():
    lobby = {"what": "lobby", "id": "a", "desk": "1", "state": "open", "members": 2}
    encoding = {"what": "encoding", "desk": "1", "part": "pictures", "viewers": 2}
    inside = {"what": "session", "member": "in", "lobby": "a"}
    home = {"what": "session", "member": "home", "lobby": ""}
    assert lobbies.disagreements([lobby, encoding, inside, inside, home]) == []
    for wrong in ([lobby, encoding, inside, home], [inside], [home | {"member": "leaving"}],
                  [lobby, encoding | {"viewers": 3}, inside, inside],
                  [lobby | {"members": 0, "state": "ending"}]):
        assert len(lobbies.disagreements(wrong)) == 1, wrong


class Told(lobbies.Lobbies):
    def __init__(self, *events):
        self.faults = []
        self.events = lambda: [{"event": event, "lobby": lobby, "row": event}
                               for event, lobby in events]
        self.check_lobby_lines()


def every_lobby_tells_its_end():
    assert not Told(("lobby-start", "a"), ("lobby-end", "a")).faults
    assert Told(("lobby-start", "a"), ("lobby-start", "b"), ("lobby-end", "a")).faults
    assert not Told(("lobby-start", "a"), ("settled", "")).faults
    assert Told(("lobby-start", "a"), ("lobby-written-off", "a"), ("lobby-end", "a")).faults


FIRST = "4.33 kill SEGV desktop client2"

if __name__ == "__main__":
    for test in (same_seed_same_run, every_deed_and_every_kind_comes_up,
                 a_run_is_in_order_and_in_time, a_soak_is_two_busy_days,
                 a_leak_is_seen_and_noise_is_not,
                 what_is_more_is_named, who_is_where_must_be_agreed_on,
                 every_lobby_tells_its_end):
        test()
        print(f"[       OK ] {test.__name__}")
