# SPDX-License-Identifier: MIT
"""After the deeds: is everything as before, does everybody who stayed stream, has everything that
happened a reason? The half of Chaos that judges."""
import collections
import select

import census
from host import Failed, wait_for
from viewers import STREAM

CALM_S = 25  # until all that was restarted, fenced and looked at is done with


class Checks:
    def calm(self):
        """Everything is allowed again; wait until the host has come to rest."""
        self.undo_due(everything=True)
        for viewer in self.viewers:
            viewer.limited = False
        try:
            wait_for("the doors answer after it all", CALM_S, lambda: self.answers())
        except Failed as reason:
            self.faults.append(str(reason))

    def answers(self):
        try:
            kinds = {row["kind"] for row in self.host.status("process")}
        except (OSError, ValueError, KeyError, IndexError):
            return False
        return {"gate", "web", "store", "facts"} <= kinds

    def check_viewers(self):
        """Who stayed and was not meant streams on; who was, can come back."""
        for number, viewer in enumerate(self.viewers):
            if viewer.watches() and not viewer.excused:
                try:
                    wait_for(f"client{number}, who stayed, still gets pictures", 5,
                             self.rise(number), step=0.1)
                except Failed as reason:
                    self.faults.append(str(reason))
            viewer.leave()
            for report in viewer.reports:
                self.judge(number, report)
            viewer.reports.clear()
            self.come_back(number, viewer)

    def rise(self, number):
        """A condition: its pictures become more. Who has just come is counted from nought,
        and until the first count the row tells that of the viewer before."""
        least = float("inf")

        def rises():
            nonlocal least
            row = self.session_of(number)
            before, least = least, min(least, row["pictures"]) if row else least
            return bool(row) and row["pictures"] > before
        return rises

    def come_back(self, number, viewer):
        last = {}
        for _ in range(4):  # a breaker may refuse the first
            last = self.host.probe("stream", *STREAM, "--frames", "10", "--seconds", "10",
                                   keys=viewer.keys, check=False)
            if last.get("video", {}).get("frames", 0) >= 10:
                return
            select.select([], [], [], 1.0)
        self.faults.append(f"client{number} cannot stream afterwards: {last}")

    def judge(self, number, report):
        if report.get("hangs"):
            self.faults.append(f"client{number}: the probe hangs")
        if report["excused"] or "video" not in report:
            return
        video = report["video"]
        if video["missing_numbers"] or video["malformed"] or video["corrupt"]:
            self.faults.append(f"client{number}, whom nothing was done to, lost pictures: {video}")
        if report.get("end") in ("terminated", "disconnected", "failed"):
            self.faults.append(f"client{number}, whom nothing was done to, was ended: "
                               f"{report.get('end')} {report.get('error')}")

    def events(self):
        self.log.follow()
        for row in self.log.rows:
            fields = dict(word.split("=", 1) for word in row.split() if "=" in word)
            fields["row"] = row
            yield fields

    def check_reasons(self):
        """Every death has a reason, and nobody was ended whom nobody had touched."""
        incidents, seen = collections.Counter(), set()
        for event in self.events():
            row = event["row"]
            if event.get("event") not in ("worker-fenced", "worker-reaped",
                                          "worker-written-off") or "level=info" in row:
                continue
            # The line's own kind and pid are the supervisor's; the worker's come behind.
            fields = dict(word.split("=", 1) for word in row.split(" event=")[1].split()
                          if "=" in word)
            pid = int(fields["pid"])
            if pid in seen:
                continue
            seen.add(pid)
            incidents[f"{fields['kind']} {fields['reason']}"] += 1
            if fields["reason"] in ("none", "unknown"):
                self.faults.append(f"no reason: {row}")
            if pid in self.aimed_at:
                continue
            if fields["reason"] in ("worker-hung", "sound-deaf"):
                self.faults.append(f"a false alarm: {row}")
            if "killed by signal 6" in row or "killed by signal 11" in row:
                self.faults.append(f"crashed by itself: {row}")
        return incidents

    def check_evidence(self):
        """Each incident that the host counts has a folder that a person can read, or says
        why it has none."""
        def rows():
            return [row for row in self.host.status("incident")]
        try:
            wait_for("all evidence is written", CALM_S, lambda: not [
                row for row in rows() if row["evidence"] == "being-written"])
        except Failed as reason:
            self.faults.append(str(reason))
        found = collections.Counter()
        for row in rows():
            found[row["evidence"]] += 1
            if row["reason"] in ("none", "unknown"):
                self.faults.append(f"an incident without a reason: {row}")
            folder = self.host.folder / "state" / "evidence" / row["entry"]
            if row["evidence"] == "written" and folder.is_dir() and \
                    not (folder / "summary.txt").is_file():
                self.faults.append(f"evidence without a summary: {row}")
        if found["none"] and not self.log.said("evidence-skipped"):
            self.faults.append(f"{found['none']} incidents without evidence, and not said so")
        if found["failed"] and not self.log.said("evidence-failed", "evidence-overdue"):
            self.faults.append(f"{found['failed']} times evidence failed, and not said so")
        if sum(found.values()) and not found["written"]:
            self.faults.append(f"no evidence at all: {dict(found)}")
        return dict(found)

    def all_gone(self):
        for viewer in self.viewers:
            viewer.leave()
            self.host.probe("quit", keys=viewer.keys, check=False)
        wait_for("every session's end", CALM_S, lambda: not self.host.status("session"))
        self.lobbies_gone()

    def check_census(self, before):
        """Nothing more than before; what is being looked at may take its time."""
        self.all_gone()
        found = {}

        def same():
            found["now"] = census.count(self.host)
            return not census.more(before, found["now"])
        try:
            wait_for("as it was", CALM_S, same, step=0.2)
        except Failed:
            self.faults += [f"left behind: {text}" for text in census.more(before, found["now"])]
        self.check_lobby_lines()
        desks = {event.get(key, "") for event in self.events() for key in ("session", "desk")}
        self.faults += [f"left behind: {path}" for path in census.cgroups(
            {desk for desk in desks if len(desk) == 16})]
        return found["now"]
