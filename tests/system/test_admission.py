#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the machine cannot carry is refused with words, and those who run do not notice."""
import os
import statistics

from host import Host, expect, run, wait_for

SMALL = ["--app", "Pattern", "--size", "320x240", "--fps", "30", "--no-decode"]
FORM = {"width": 3840, "height": 2160, "fps": 60}


def admission(host, **form):
    return host.status("admission", **form)[0]


def unharmed(report):
    video = report["video"]
    expect(f"those who run lost nothing: {video}", report["ok"] and
           video["missing_numbers"] == 0 and video["frames"] > 20)


def one_more_than_configured_is_refused_with_words(build):
    with Host(build, config="limits:\n  sessions: 2\n") as host:
        for keys in ("one", "two", "three"):
            host.paired(keys)
        running = [host.probe("stream", *SMALL, "--seconds", "4", keys=keys, background=True)
                   for keys in ("one", "two")]
        wait_for("two stream", 10, lambda: len(host.status("session", state="streaming")) == 2)
        refused = host.probe("stream", *SMALL, keys="three", check=False)
        expect(f"the client shows why: {refused}", refused["refused_status"] == 503 and
               "This host is full: 2 of 2." in refused["error"])
        row = admission(host, **FORM)
        expect(f"and the API with numbers: {row}", row["used"] == 2 and row["capacity"] == 2 and
               row["short"] == "number" and row["refused"] == 1)
        for process in running:
            unharmed(host.report(process))
        again = host.probe("resume", "--seconds", "1", "--no-decode", keys="one")
        expect(f"who is in may come back: {again}", again["video"]["frames"] > 5)
        host.probe("quit", keys="one")
        unharmed(host.probe("stream", *SMALL, "--seconds", "2", keys="three"))


def one_more_than_the_processors_carry_is_refused(build):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    with Host(build, processor="measured") as host:
        wait_for("the cost of a picture", 10, lambda: host.status("cost"))
        cost = host.status("cost")[0]
        expect(f"measured: {cost}", cost["probed_ns_per_kpx"] > 100 and
               cost["encode_ns_per_kpx"] > 0)
        told = admission(host, **FORM)
        expect(f"one at least, not what two cores never carry: {told}",
               1 <= told["capacity"] < 20 and told["short"] == "nothing")
        small = admission(host, width=1280, height=720, fps=60)
        expect(f"of smaller ones more: {small}", small["capacity"] >= told["capacity"])
        host.paired("first")
        runs = host.probe("stream", "--app", "Pattern", "--size", "640x360", "--fps", "30",
                          "--no-decode", "--seconds", "8", keys="first", background=True)
        wait_for("it streams", 10, lambda: host.status("session", state="streaming"))
        for number in range(told["capacity"] + 1):
            keys = host.paired(f"large{number}")
            answer = host.probe("stream", "--app", "Pattern", "--size", "3840x2160", "--frames",
                                "1", "--no-decode", "--seconds", "5", keys=keys, check=False)
            if "refused_status" in answer:
                break
        expect(f"refused in the end: {answer}", answer.get("refused_status") == 503 and
               "This host is full" in answer["error"] and "processor" in answer["error"] and
               "3840x2160 at 60" in answer["error"])
        expect("with its numbers in the log", "short=processor" in host.log())
        unharmed(host.report(runs))


def under_overload_pictures_are_dropped_evenly_and_sound_goes_on(build):
    """More than two cores can encode, let in on purpose."""
    seconds = 8
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    with Host(build, processor="off") as host:
        names = [host.paired(f"viewer{number}") for number in range(4)]
        viewers = [host.probe("stream", "--app", "Pattern", "--size", "2560x1440", "--fps", "60",
                              "--kbps", "8000", "--no-decode", "--seconds", str(seconds),
                              keys=keys, background=True) for keys in names]
        wait_for("all stream", 20, lambda: len(host.status("session", state="streaming")) == 4)
        wait_for("pictures are dropped, and the status says so", 5,
                 lambda: all(row["dropped"] > 20 for row in host.status("session")))
        reports = [host.report(process) for process in viewers]
        for report in reports:
            video, audio = report["video"], report["audio"]
            expect(f"dropped before encoding, never after: {video}", report["ok"] and
                   video["missing_numbers"] == 0 and video["lost"] == 0)
            expect(f"it is overload, not a halt: {video}", 3 < video["fps"] < 50)
            expect(f"the client sees the host's latency: {video['host_ms']}",
                   video["host_ms"]["p50"] > 5)
            # 200 packets a second, from when the first came to the end.
            wanted = (report["seconds"] - report["since_launch_ms"]["first_audio"] / 1e3) * 200
            expect(f"sound keeps its rate: {audio['packets']} of {wanted:.0f}, {audio}",
                   audio["packets"] > 0.9 * wanted and audio["lost"] == 0)
        # Nobody is starved. Who came first had the machine for itself at first, so that the
        # middle is compared with.
        rates = sorted(report["video"]["fps"] for report in reports)
        print(f"# pictures a second: {rates}", flush=True)
        expect(f"evenly: {rates}", rates[0] > 0.5 * statistics.median(rates))


if __name__ == "__main__":
    run([
        one_more_than_configured_is_refused_with_words,
        one_more_than_the_processors_carry_is_refused,
        under_overload_pictures_are_dropped_evenly_and_sound_goes_on,
    ])
