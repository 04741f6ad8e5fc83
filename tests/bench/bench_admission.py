#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whether the promise of admission holds: as many as are let in, all in full motion.

    tests/bench/bench_admission.py BUILD-FOLDER [--size WxH] [--seconds N]

Asks how many sessions of Pattern fit, lets in as many, and prints for each the share of its
pictures that was dropped for want of a free encoder, beside the load. One more is refused.
"""
import argparse
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))
sys.dont_write_bytecode = True

from host import Failed, Host, wait_for  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build")
    parser.add_argument("--size", default="1280x720", choices=("1280x720", "1920x1080", "3840x2160"),
                        help="one of those whose number the host tells")
    parser.add_argument("--seconds", type=int, default=15)
    options = parser.parse_args()
    width, height = (int(number) for number in options.size.split("x"))
    form = ["--app", "Pattern", "--size", options.size, "--no-decode"]
    with Host(options.build, processor="measured") as host:
        wait_for("the cost of a picture", 10, lambda: host.status("cost"))
        told = host.status("admission", width=width, height=height, fps=60)[0]
        print(f"admission: {told}")
        print(f"cost: {host.status('cost')[0]}")
        keys = [host.paired(f"viewer{number}") for number in range(told["capacity"] + 1)]
        viewers = []
        for one in keys[:-1]:
            viewers.append(host.probe("stream", *form, "--seconds", "1000", keys=one,
                                      background=True))
            wait_for(f"{one} streams", 15, lambda one=one: host.status(
                "session", client=one, state="streaming"))
        before = {row["id"]: row for row in host.status("session")}
        try:
            wait_for("never", options.seconds, lambda: False, step=1)
        except Failed:
            pass
        after = host.status("session")
        more = host.probe("stream", *form, keys=keys[-1], check=False)
        for row in after:
            pictures = row["pictures"] - before[row["id"]]["pictures"]
            dropped = row["dropped"] - before[row["id"]]["dropped"]
            print(f"{row['client']}: {pictures / options.seconds:.1f} pictures a second, "
                  f"{100 * dropped / max(1, pictures + dropped):.1f} % dropped")
        print(f"one more: {more.get('refused_status')} {more.get('error')}")
        print(f"cost now: {host.status('cost')[0]}")
        print("load: " + " ".join(f"{value:.1f}" for value in os.getloadavg()))
        for process in viewers:
            process.kill()
            process.wait()


if __name__ == "__main__":
    main()
