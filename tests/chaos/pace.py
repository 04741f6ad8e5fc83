# SPDX-License-Identifier: MIT
"""Deeds at their times. Nothing sleeps: what is waited for is the host's end, until the
moment of the next deed."""
import os
import select
import time

from host import Failed


class Pace:
    def __init__(self, host):
        self.ended = os.pidfd_open(host.process.pid)
        self.begun = time.monotonic()

    def seconds(self):
        return time.monotonic() - self.begun

    def reach(self, at_s):
        """Returns at that time, or at once when it is past. A host that is no more fails."""
        if select.select([self.ended], [], [], max(0, at_s - self.seconds()))[0]:
            raise Failed(f"the host ended after {self.seconds():.0f} s")

    def close(self):
        os.close(self.ended)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.close()
