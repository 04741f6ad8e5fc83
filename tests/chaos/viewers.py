# SPDX-License-Identifier: MIT
"""Who watches while things happen, and what the host says of it."""
import os
import signal
import time

from host import Failed

STREAM = ["--app", "Pattern", "--size", "320x240", "--fps", "30", "--kbps", "1000", "--no-decode"]
NOTICED_S = 4  # twice the longest promise


class Viewer:
    def __init__(self, host, number):
        self.host = host
        self.keys = host.paired(f"client{number}")
        self.process = None
        self.excused = True  # something was done to it, or to all
        self.struck_at = 0.0
        self.between = False  # nobody has said where it came to
        self.limited = False  # its own desktop gets no memory
        self.reports = []

    def watches(self):
        return self.process is not None and self.process.poll() is None

    def start(self, mode="stream"):
        self.collect()
        self.between = False
        extra = STREAM if mode == "stream" else STREAM[2:]
        self.process = self.host.probe(mode, *extra, "--seconds", "100000", keys=self.keys,
                                       background=True)
        # What was stopped before it came may not have been noticed yet.
        self.excused = time.monotonic() < self.struck_at + NOTICED_S

    def collect(self, seconds=20):
        """The report of the one that ran, if it is over or is being ended."""
        if self.process is None:
            return None
        process, self.process = self.process, None
        try:
            report = self.host.report(process, seconds, check=False)
        except Failed:
            report = {"error": "the probe hangs", "hangs": True}
        report["excused"] = self.excused
        self.reports.append(report)
        return report

    def leave(self, how=signal.SIGINT):
        if self.watches():
            self.process.send_signal(how)
        return self.collect()


class Log:
    """The rows of the host's log since the last mark, also when the file was rotated once."""

    def __init__(self, host):
        self.path = host.log_path
        self.file = open(self.path, errors="replace", encoding="utf-8")
        self.rest, self.rows, self.ever = "", [], set()
        self.mark()

    def mark(self):
        self.follow()
        self.rows.clear()

    def take(self):
        text = self.rest + self.file.read()
        *rows, self.rest = text.split("\n")
        self.rows += rows
        for row in rows:
            self.ever |= {word for word in row.split() if word.startswith("event=")}

    def follow(self):
        self.take()
        try:
            newer = open(self.path, errors="replace", encoding="utf-8")
        except FileNotFoundError:
            return
        if os.fstat(newer.fileno()).st_ino == os.fstat(self.file.fileno()).st_ino:
            newer.close()
            return
        self.take()
        self.file.close()
        self.file = newer
        self.take()

    def said(self, *events):
        """Since the host's start."""
        self.follow()
        return any(f"event={event}" in self.ever for event in events)
