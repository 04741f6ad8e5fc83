#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What somebody who has taken over a worker cannot do. Needs a build with -Dobey=true."""
import errno

from host import Host, expect, run, wait_for


def a_worker_obeys_in_this_build(build):
    """Or the rest of this file would prove nothing."""
    with Host(build) as host:
        for row in host.status("process"):
            outcome, _ = host.obey(row["worker"], "call", 39)  # getpid
            expect(f"{row['kind']} obeys: {outcome}", outcome == 0)
        expect("no such order", host.obey(host.status("process")[0]["worker"], "sing")[0]
               == errno.ENOSYS)
        expect("no such worker", host.obey(4000, "fork")[0] == errno.ESRCH)


if __name__ == "__main__":
    run([
        a_worker_obeys_in_this_build,
    ])
