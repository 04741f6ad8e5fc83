# SPDX-License-Identifier: MIT
"""What a chaos run does, as a pure function of its seed: no clock, no host, no state.

An action names whom it means by role (the third client's encoder); whether there is one
when its time comes is not known here, and one that finds nobody is counted as idle.
"""
import random
from typing import NamedTuple

CLIENTS = 3
LOBBIES = 2
GAP_S = (0.2, 2.2)

# Whose process, which signals, how often. What a viewer must see: docs/reliability.md.
KILLS = [
    ("encoder", ("KILL", "STOP", "SEGV"), 6),
    ("sound-encoder", ("KILL", "STOP", "SEGV"), 3),
    ("stream", ("KILL", "STOP", "SEGV"), 6),
    ("desktop", ("KILL", "STOP", "SEGV"), 4),
    ("sound", ("KILL", "STOP", "SEGV"), 3),
    ("runner", ("KILL", "STOP", "SEGV"), 3),
    ("app", ("KILL", "SEGV"), 2),
    ("gate", ("KILL", "STOP", "SEGV"), 4),
    ("web", ("KILL", "STOP", "SEGV"), 3),
    ("store", ("KILL", "STOP", "SEGV"), 3),
    ("facts", ("KILL", "STOP", "SEGV"), 2),
    ("supervisor", ("KILL", "STOP"), 1),
    ("lobby-desktop", ("KILL", "STOP", "SEGV"), 2),
    ("lobby-encoder", ("KILL", "STOP", "SEGV"), 4),
    ("lobby-sound", ("KILL", "STOP", "SEGV"), 2),
    ("lobby-runner", ("KILL", "STOP", "SEGV"), 2),
    ("lobby-app", ("KILL", "SEGV"), 1),
]

# What people do, and what machines do to them.
DEEDS = [
    ("launch", 24), ("leave", 5), ("vanish", 3), ("resume", 12), ("take-over", 4), ("quit", 3),
    ("move", 6), ("ask", 5), ("kill", 40), ("clock-jump", 2), ("disk-full", 3), ("few-fds", 4),
    ("no-memory", 4), ("lobby-make", 12), ("lobby-join", 18), ("lobby-leave", 5), ("lobby-stop", 2),
]
FEW_FDS = ("gate", "web", "stream", "encoder", "desktop", "store")
NO_MEMORY = ("desktop", "app", "encoder")


class Action(NamedTuple):
    at_s: float
    deed: str
    client: int
    kind: str = ""
    signal: str = ""
    for_s: float = 0.0
    slot: int = 0

    def words(self):
        parts = [f"{self.at_s:.2f}", self.deed]
        if self.deed == "kill":
            parts += [self.signal, self.kind]
        elif self.kind:
            parts.append(self.kind)
        if self.for_s:
            parts.append(f"for {self.for_s:.1f} s")
        if "lobby-" in self.deed + self.kind:
            parts.append(f"lobby{self.slot}")
        return " ".join(parts + [f"client{self.client}"])


def choose(dice, rows):
    """One of rows by the weight at each row's end."""
    at = dice.uniform(0, sum(row[-1] for row in rows))
    for row in rows:
        at -= row[-1]
        if at <= 0:
            return row
    return rows[-1]


def action_at(dice, at_s):
    deed = choose(dice, DEEDS)[0]
    client = dice.randrange(CLIENTS)
    if deed == "kill":
        kind, signals, _ = choose(dice, KILLS)
        slot = dice.randrange(LOBBIES) if kind.startswith("lobby-") else 0
        return Action(at_s, deed, client, kind, dice.choice(signals), slot=slot)
    if deed.startswith("lobby-"):
        return Action(at_s, deed, client, slot=dice.randrange(LOBBIES))
    if deed == "clock-jump":
        return Action(at_s, deed, client, for_s=round(dice.uniform(0.5, 3.0), 1))
    if deed == "disk-full":
        return Action(at_s, deed, client, for_s=round(dice.uniform(1.0, 4.0), 1))
    if deed == "few-fds":
        return Action(at_s, deed, client, dice.choice(FEW_FDS), for_s=round(dice.uniform(1, 4), 1))
    if deed == "no-memory":
        return Action(at_s, deed, client, dice.choice(NO_MEMORY))
    return Action(at_s, deed, client)


def plan(seed, seconds, part=0):
    """The actions of one part of a run, in order of their time."""
    dice = random.Random(f"perigee {seed} {part}")
    actions = [Action(0.1 * client, "launch", client) for client in range(CLIENTS)]
    actions += [Action(0.3, "lobby-make", 0)]
    actions += [Action(2.0, "lobby-join", client) for client in range(1, CLIENTS)]
    at_s = 2.2
    while True:
        at_s = round(at_s + dice.uniform(*GAP_S), 2)
        if at_s >= seconds:
            return actions
        actions.append(action_at(dice, at_s))
