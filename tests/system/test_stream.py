#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whole streams through the whole host, watched by our own client."""
import pathlib

from host import Host, Failed, expect, run, wait_for


def check_picture(report, frames_min=20):
    video = report["video"]
    expect(f"pictures: {video}", video["frames"] >= frames_min)
    expect(f"no decode errors: {video}", video["decode_errors"] == 0)
    expect(f"no missing frame number: {video}", video["missing_numbers"] == 0)
    expect(f"nothing malformed: {video}", video["malformed"] == 0 and video["corrupt"] == 0)
    expect(f"no nonce twice: {video}", video["stale_ivs"] == 0)
    audio, control = report["audio"], report["control"]
    expect(f"sound that agrees with itself: {audio}", audio["malformed"] == 0 and
           audio["contradicting"] == 0)
    expect(f"every control message is new and understood: {control}", control["bad"] == 0)


def check_pattern(report, psnr=32):
    check_picture(report)
    pattern = report["video"]["pattern"]
    expect(f"numbers rise: {pattern}", pattern["last"] > pattern["first"])
    expect(f"never backwards: {pattern}", pattern["backwards"] == 0)
    expect(f"true to the picture: {pattern}", pattern["psnr_min"] >= psnr)


def check_sound(report):
    audio = report["audio"]
    expect(f"sound comes: {audio}", audio["packets"] > 50 and audio["errors"] == 0)
    # 440 Hz; a machine that is short of time drops a fragment now and then.
    expect(f"the tone is Pattern's: {audio}", 415 < audio["tone_hz"] < 470)


def an_evening_from_pairing_to_quitting(build):
    with Host(build) as host:
        unpaired = host.probe("serverinfo", check=False)
        expect(f"not paired yet: {unpaired}", not unpaired["paired"])
        host.paired()
        apps = host.probe("apps")["apps"]
        expect(f"apps: {apps}", [a["title"].split(" (")[0] for a in apps] ==
               ["Home", "Desktop", "Terminal", "Pattern"])
        report = host.probe("stream", "--app", "Pattern", "--seconds", "3")
        check_pattern(report)
        check_sound(report)
        expect("busy", host.probe("serverinfo")["currentgame"] != 0)
        expect("the app runs on", host.status("session", state="paused"))
        again = host.probe("resume", "--seconds", "2")
        check_pattern(again)
        expect("the app was never started again",
               again["video"]["pattern"]["first"] > report["video"]["pattern"]["last"])
        host.probe("quit")
        wait_for("nothing runs", 5, lambda: not host.status("session"))
        expect("free", host.probe("serverinfo")["currentgame"] == 0)


def every_form_of_stream(build):
    forms = [
        ["--size", "1920x1080", "--fps", "30", "--kbps", "15000"],
        ["--size", "640x360", "--fps", "120", "--slices", "4", "--audio-ms", "10"],
        ["--matrix", "601", "--range", "full", "--references", "1"],
        ["--packet-size", "1024", "--encryption", "none"],
        ["--encryption", "video", "--kbps", "2000"],
        ["--size", "800x602", "--encryption", "audio"],
    ]
    with Host(build) as host:
        host.paired()
        for form in forms:
            report = host.probe("stream", "--app", "Pattern", "--seconds", "1.5", *form)
            # A quarter of the bits that Pattern was made for shows.
            check_pattern(report, psnr=28 if "2000" in form else 32)
            expect(f"sound: {form} {report['audio']}", report["audio"]["errors"] == 0 and
                   report["audio"]["packets"] > 30)
        host.probe("quit")


def without_encryption_two_clients_of_one_address(build):
    with Host(build, "--encryption", "off") as host:
        host.paired("one")
        host.paired("two")
        common = ["--app", "Pattern", "--seconds", "2.5", "--encryption", "plain"]
        both = [host.probe("stream", *common, keys=keys, background=True)
                for keys in ("one", "two")]
        for process in both:
            check_pattern(host.report(process))
        expect("two sessions", len(host.status("session")) == 2)


def required_encryption_refuses_old_clients(build):
    with Host(build, "--encryption", "required") as host:
        host.paired()
        refused = host.probe("stream", "--app", "Pattern", "--encryption", "plain", check=False)
        expect(f"refused with words: {refused}", refused["refused_status"] == 403 and
               "encryption" in refused["error"])
        check_pattern(host.probe("stream", "--app", "Pattern", "--seconds", "1.5"))


def two_viewers_do_not_touch_each_other(build):
    with Host(build) as host:
        host.paired("one")
        host.paired("two")
        one = host.probe("stream", "--app", "Pattern", "--seconds", "4", keys="one",
                         background=True)
        two = host.probe("stream", "--app", "Terminal", "--size", "1024x768", "--fps", "30",
                         "--seconds", "2", "--encryption", "none", keys="two")
        check_picture(two, frames_min=2)
        host.probe("quit", keys="two")
        check_pattern(host.report(one))


def loss_is_healed_and_never_decoded(build):
    with Host(build) as host:
        host.paired()
        for extra in ([], ["--rfi"]):
            # The answer to the goodbye may be lost as well: that is no failure here.
            report = host.probe("stream", "--app", "Pattern", "--seconds", "4", "--drop", "4",
                                "--duplicate", "2", "--reorder", "1", "--seed", "7", *extra,
                                check=False)
            expect(f"it streamed: {report}", "video" in report)
            video = report["video"]
            expect(f"lost and recovered: {video}", video["lost"] > 10 and video["recovered"] > 10)
            expect(f"goes on: {video}", video["decode_errors"] == 0 and
                   video["pattern"]["last"] - video["pattern"]["first"] > 50)
            expect(f"whole pictures only: {video}", video["pattern"]["psnr_min"] >= 30)


def input_is_seen_in_the_picture(build):
    with Host(build) as host:
        host.paired()
        script = host.folder / "script"
        script.write_text("500 inputcheck 10\n")
        report = host.probe("stream", "--app", "Pattern", "--seconds", "5", "--script", str(script))
        expect(f"every key shows: {report['input']}", report["input"]["seen"] == 10 and
               report["input"]["missed"] == 0)


def typed_text_appears(build):
    with Host(build) as host:
        host.paired()
        script = host.folder / "script"
        script.write_text("800 text touch\n900 key 0x20\n1000 text $HOME/typed-\u00e9\n"
                          "1300 key 0x0d\n")
        process = host.probe("stream", "--app", "Terminal", "--seconds", "4", "--script",
                             str(script), background=True)
        wait_for("the file that was typed", 10, lambda: list(
            (host.folder / "data" / "homes").glob("*/Terminal/typed-\u00e9")))
        check_picture(host.report(process), frames_min=2)


def a_resume_takes_over(build):
    with Host(build) as host:
        host.paired()
        first = host.probe("stream", "--app", "Pattern", "--seconds", "20", background=True)
        wait_for("streaming", 10, lambda: host.status("session", state="streaming"))
        second = host.probe("resume", "--seconds", "2")
        check_pattern(second)
        report = host.report(first)
        expect(f"the old viewer is told an orderly end: {report.get('termination')}",
               report["termination"] == "0x80030023" or report["termination"] == 0x80030023)


def refusals_say_why(build):
    with Host(build) as host:
        answer, process = host.pair("stranger", pin="1234", enter="4321")
        expect(f"a wrong PIN: {answer}", not answer["success"])
        wrong = host.report(process, check=False)
        expect(f"the client knows: {wrong}", not wrong.get("ok"))
        host.paired()
        nothing = host.probe("resume", check=False)
        expect(f"nothing runs: {nothing}", nothing["refused_status"] == 503)
        unknown = host.probe("apps", keys="stranger", check=False)
        expect(f"unknown certificates: {unknown}", not unknown.get("ok"))
        host.probe("stream", "--app", "Pattern", "--seconds", "0.5")
        other = host.probe("stream", "--launch", "--app", "Terminal", check=False)
        expect(f"another app runs: {other}", "Pattern" in other["error"])


def what_is_not_installed_is_said(build):
    import tempfile
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
        config.write("apps:\n  - title: Nowhere\n    command: [/nonexistent/program]\n"
                     "    package: nowhere-game\n  - title: Breaks\n"
                     "    command: [/bin/sh, -c, 'echo the reason >&2; exit 3']\n")
        config.flush()
        import os
        os.chmod(config.name, 0o644)
        with Host(build, "--config", config.name) as host:
            host.paired()
            titles = [app["title"] for app in host.probe("apps")["apps"]]
            expect(f"listed as such: {titles}", "Nowhere (not installed)" in titles)
            refused = host.probe("stream", "--app", "Nowhere (not installed)", check=False)
            expect(f"the package is named: {refused}", "nowhere-game" in refused["error"])
            host.probe("stream", "--app", "Breaks", "--seconds", "2", check=False)
            host.wait_log("reason=app-failed")
            expect("its last words are kept", "the reason" in host.log())


if __name__ == "__main__":
    run([
        an_evening_from_pairing_to_quitting,
        every_form_of_stream,
        without_encryption_two_clients_of_one_address,
        required_encryption_refuses_old_clients,
        two_viewers_do_not_touch_each_other,
        loss_is_healed_and_never_decoded,
        input_is_seen_in_the_picture,
        typed_text_appears,
        a_resume_takes_over,
        refusals_say_why,
        what_is_not_installed_is_said,
    ])
