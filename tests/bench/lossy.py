#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One viewer on a bad line beside clean ones: what they see of it.

    tests/bench/lossy.py BUILD-FOLDER [--clean N] [--drop PERCENT] [--kbps N] [--seconds S]

N clean viewers (9) watch a lobby of 640x360 at 30 pictures a second for S seconds (20), once
beside one more who loses PERCENT (10) of what it is sent, and once beside one more who does not.
Bits per picture are those of the encoding that the clean ones share; PSNR is of what three of
them decoded, against what Pattern drew. It ends with an error when either differs by more than a
tenth between the two runs, or a clean viewer missed a picture.
"""
import os
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))
sys.dont_write_bytecode = True

import script  # noqa: E402
from crowd import launch_crowd, leave_crowd, paired_crowd  # noqa: E402
from host import Host, expect, wait_for  # noqa: E402
from test_lobby import ask, create, row_of  # noqa: E402

VIDEO = {"width": 640, "height": 360, "refresh_rate": 30}
DECODING = 3
PICTURES, KEYS, BYTES = 0, 1, 2  # of an encoder's counters (ipc/pulse.h)
MAY_DIFFER = 0.1


def counters(host, desk):
    """Of the encoder of a desk's pictures that has run for longest: the shared one."""
    rows = host.status("process", kind="encoder", name="pictures", session=desk)
    return min(rows, key=lambda row: row["worker"])["counters"]


def finish(host, viewers):
    """PSNR, of viewers that decode: the mean, and the worst picture."""
    for viewer in viewers:
        viewer.send_signal(signal.SIGUSR2)
    means, worst = [], []
    for viewer in viewers:
        video = host.report(viewer, check=False)["video"]
        expect(f"nothing is missing or broken: {video}",
               video["missing_numbers"] == 0 and video["decode_errors"] == 0)
        means.append(video["pattern"]["psnr_mean"])
        worst.append(video["pattern"]["psnr_min"])
    return sum(means) / len(means), min(worst)


def watch(host, options, drop):
    names = paired_crowd(host, options.clean + 1)
    form = ["--size", "640x360", "--fps", "30", "--kbps", str(options.kbps), "--seconds", "900"]
    lobby = create(host, video=VIDEO)
    desk = host.status("lobby", id=lobby)[0]["desk"]

    def join(session):
        answer = ask(host, "join", lobby, session)
        expect(f"joined: {answer}", answer.get("success"))
    decoding, first = launch_crowd(host, names[:DECODING], form, then=join, abreast=2)
    counting, clean = launch_crowd(host, names[DECODING:-1], [*form, "--no-decode"], then=join,
                                   abreast=2, beside=DECODING)
    more = ["--no-decode", *(["--drop", str(drop), "--seed", "7"] if drop else [])]
    before = counters(host, desk)
    another, all_ = launch_crowd(host, names[-1:], [*form, *more], then=join, beside=options.clean)
    session = next(one for one in all_ if one not in [*first, *clean])
    begun = time.monotonic()
    wait_for("the time", options.seconds + 60,
             lambda: time.monotonic() - begun >= options.seconds, 0.5)
    after, row = counters(host, desk), row_of(host, session)
    another[0].send_signal(signal.SIGUSR2)
    host.report(another[0], check=False)
    mean, worst = finish(host, decoding)
    leave_crowd(host, counting)
    pictures = after[PICTURES] - before[PICTURES]
    bits = (after[BYTES] - before[BYTES]) * 8 / pictures
    print(f"  {drop} % lost by one: {bits:.0f} bits a picture, PSNR {mean:.2f} dB (worst "
          f"{worst:.2f}), {after[KEYS] - before[KEYS]} key frames in {pictures} pictures of the "
          f"{options.clean}; that one asked {row['recoveries']} times and is {row['line']}",
          flush=True)
    return bits, mean


def compare(options):
    load, runs = os.getloadavg()[0], []
    for drop in (0, options.drop):
        with Host(options.build) as host:
            runs.append(watch(host, options, drop))
    bits, psnr = (abs(with_it / without - 1) for without, with_it in zip(*runs))
    print(f"bits per picture differ by {bits * 100:.1f} %, PSNR by {psnr * 100:.1f} %, 10 % are "
          f"allowed; load {load:.1f} before")
    return ["the clean viewers see it"] if bits > MAY_DIFFER or psnr > MAY_DIFFER else []


def main():
    options = script.options(__doc__, clean=9, drop=10.0, kbps=3000, seconds=20.0)
    script.end(lambda: compare(options))


if __name__ == "__main__":
    main()
