#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What broke servers of this kind in production, done on purpose. Needs -Dobey=true.

The rows are those of docs/reliability.md: a viewer gets pictures again, its neighbour
notices nothing, the log has the reason."""
import contextlib
import os
import signal

from host import Failed, Host, expect, run, wait_for

STREAM = ["--app", "Pattern", "--size", "640x360", "--fps", "30"]


def streaming(host, keys):
    return next((row for row in host.status("session", state="streaming")
                 if row["client"] == keys), None)


def worker_of(host, kind, session=None, name=None):
    rows = [row for row in host.status("process", kind=kind)
            if (session is None or row["session"] == session) and
            (name is None or row["name"] == name)]
    if not rows:
        raise Failed(f"no {kind} runs")
    return rows[0]


def inject(host, worker, fault):
    """The answer never comes from a worker that hangs from this order on."""
    try:
        host.obey(worker["worker"], fault)
    except (Failed, OSError):
        pass


class Pair:
    """One whom it happens to and one beside."""

    def __init__(self, build):
        self.host = Host(build)

    def __enter__(self):
        host = self.host.__enter__()
        for keys in ("sick", "well"):
            host.paired(keys)
        self.viewers = {keys: host.probe("stream", *STREAM, "--seconds", "600", keys=keys,
                                         background=True) for keys in ("sick", "well")}
        for keys in self.viewers:
            wait_for(f"{keys} streams", 15, lambda keys=keys: streaming(host, keys))
        self.session = streaming(host, "sick")["id"]
        return self

    def __exit__(self, kind, value, trace):
        for process in self.viewers.values():
            if process.poll() is None:
                process.kill()
                process.wait()
        return self.host.__exit__(kind, value, trace)

    def break_and_heal(self, kind, fault, reason, name=None, session=True):
        host = self.host
        mark = len(host.log())
        sick = worker_of(host, kind, self.session if session else None, name)
        inject(host, sick, fault)
        # An encoder that the machine starves is given time; its desktop wants its pictures back.
        reasons = (reason, "slots-held") if name == "pictures" else (reason,)
        wait_for(f"{fault} in {kind} is noticed for its reason", 8, lambda: any(
            f"pid={sick['pid']} " in row and any(f"reason={one}" in row for one in reasons) and
            "event=worker-" in row for row in host.log()[mark:].splitlines()))
        wait_for(f"another {kind} in its place", 5, lambda: [
            row for row in host.status("process", kind=kind)
            if row["pid"] != sick["pid"] and row["session"] == sick["session"] and
            row["name"] == sick["name"]])
        before = host.status("session", id=self.session)[0]["pictures"]
        wait_for(f"pictures again after {fault} in {kind}", 5, lambda: [
            row for row in host.status("session", id=self.session)
            if row["pictures"] not in (0, before)])

    def end(self, keys):
        process = self.viewers[keys]
        process.send_signal(signal.SIGINT)
        return self.host.report(process, check=False)

    def check_neighbour(self):
        video = self.end("well")["video"]
        expect(f"the neighbour lost nothing: {video}", video["missing_numbers"] == 0 and
               video["decode_errors"] == 0 and video["pattern"]["backwards"] == 0 and
               video["silent_at_end_ms"] < 1000)

    def check_survivor(self):
        report = self.end("sick")
        video = report["video"]
        expect(f"the same connection to the end: {report['end']} {video}",
               report["end"] == "interrupted" and video["decode_errors"] == 0 and
               video["silent_at_end_ms"] < 1000 and video["pattern"]["backwards"] == 0)


def hang_in_every_way(build, kind, name=None):
    with Pair(build) as pair:
        for fault in ("abandoned-lock", "crossed-locks", "spin"):
            pair.break_and_heal(kind, fault, "worker-hung", name)
        pair.break_and_heal(kind, "corrupt-heap", f"{kind}-died", name)
        pair.check_neighbour()
        pair.check_survivor()


def locks_that_are_never_released_in_an_encoder(build):
    hang_in_every_way(build, "encoder", "pictures")


def locks_that_are_never_released_in_a_stream(build):
    hang_in_every_way(build, "stream")


def a_driver_call_that_never_returns(build):
    with Pair(build) as pair:
        pair.break_and_heal("encoder", "driver-call", "worker-hung", "pictures")
        pair.check_neighbour()
        pair.check_survivor()


def all_picture_slots_kept(build):
    """A stage that is alive and answers, and never gives back what it was lent."""
    with Pair(build) as pair:
        pair.break_and_heal("encoder", "kept-slots", "slots-held", "pictures")
        pair.check_neighbour()
        pair.check_survivor()


def locks_that_are_never_released_in_the_door(build):
    with Pair(build) as pair:
        for fault, reason in (("abandoned-lock", "worker-hung"), ("crossed-locks", "worker-hung")):
            pair.break_and_heal("gate", fault, reason, session=False)
        report = pair.host.probe("serverinfo", keys="well")
        expect(f"new requests are answered: {report}", report["paired"])
        pair.check_neighbour()
        pair.check_survivor()


def a_deaf_sound_server(build):
    with Pair(build) as pair:
        host = pair.host
        sound = worker_of(host, "sound", pair.session)
        wait_for("it has settled", 10, lambda: worker_of(
            host, "sound", pair.session)["uptime_s"] >= 5)
        mark = len(host.log())
        os.kill(sound["pid"], signal.SIGSTOP)
        host.wait_log("reason=sound-deaf", 8, mark)
        wait_for("another sound server", 5, lambda: [
            row for row in host.status("process", kind="sound")
            if row["session"] == pair.session and row["pid"] != sound["pid"]])
        packets = wait_for("it plays again", 8, lambda: "event=sound-ready" in host.log()[mark:] or
                           "event=sound-connected" in host.log()[mark:])
        expect("sound again", packets)
        pair.check_neighbour()
        pair.check_survivor()


def an_exit_handler_that_hangs(build):
    """Workers leave by _exit: it is never called, and nobody waits for it."""
    with Pair(build) as pair:
        pair.break_and_heal("encoder", "hanging-exit", "resources", "pictures")
        expect("nobody had to be killed for it", "worker-hung" not in pair.host.log())
        pair.check_neighbour()
        pair.check_survivor()


def heard(viewer, said):
    """What the probe said on its standard error so far."""
    os.set_blocking(viewer.stderr.fileno(), False)
    with contextlib.suppress(BlockingIOError):
        said.append(os.read(viewer.stderr.fileno(), 65536).decode())
    return "".join(said)


def an_effect_of_an_app_reaches_the_client(build):
    """No fault: as a desktop would say it if the kernel had made a gamepad."""
    with Host(build) as host:
        host.paired("pads")
        viewer = host.probe("stream", *STREAM, "--seconds", "600", keys="pads", background=True,
                            steered=True)
        wait_for("it streams", 15, lambda: streaming(host, "pads"))
        desktop = worker_of(host, "desktop", streaming(host, "pads")["id"])
        viewer.stdin.write("0 pad 2 4 0x1000 0 0 0 0 0 0\n")
        viewer.stdin.flush()
        # Of how many pads; one that the client announced nothing of hears of rumble all the same.
        wait_for("the pad is there", 10,
                 lambda: host.obey(desktop["worker"], "rumble", 0xabcd) == (0, "1"))
        said = []
        wait_for("the client hears of it", 10, lambda: f"rumble pad=2 low={0xabcd} high={0x1234}"
                 in heard(viewer, said))
        viewer.kill()
        viewer.wait()


if __name__ == "__main__":
    run([
        locks_that_are_never_released_in_an_encoder,
        locks_that_are_never_released_in_a_stream,
        a_driver_call_that_never_returns,
        all_picture_slots_kept,
        locks_that_are_never_released_in_the_door,
        a_deaf_sound_server,
        an_exit_handler_that_hangs,
        an_effect_of_an_app_reaches_the_client,
    ])
