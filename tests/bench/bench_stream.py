# SPDX-License-Identifier: MIT
"""What a viewer has of it: the way to the first packet, pictures, input, idling."""
import json
import subprocess
import time

from bench_host import Others, cpu_s, path_of, pss_kib, wait_for
from bench_table import class_percentile, percentile, share_below

# ipc/pulse.h
HAND_BORDERS_MS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 5)
INPUT_BORDERS_MS = (0.1, 0.25, 0.5, 1, 2, 5)
TIMED, AGE, RENDER, CONVERT, ENCODE, HAND, PACE, HAND_CLASSES = 8, 9, 10, 11, 12, 13, 14, 16
DESKTOP_PICTURES, DESKTOP_RENDER, INPUT_CLASSES = 0, 6, 16
SETTLE_S = 3
IDLE_SETTLE_S = 25
BUSY_KEYS = 600


def stream_once(host, app, seconds):
    """Milliseconds from the request to the first video packet: the viewer's, or by the
    host's log of a viewer that does not tell."""
    since = host.log_size()
    told = host.viewer.run("stream", app=app, seconds=seconds).get("since_launch_ms")
    if told:
        return told["first_packet"]
    event = wait_for("the first packet in the log", 5,
                     lambda: next(host.events("streaming", since), None))
    return int(event["since_launch_ms"])


def measure_launch(host, table, options):
    launches, resumes = [], []
    for _ in range(options.turns):
        launches.append(stream_once(host, "Pattern", 1))
        resumes.append(stream_once(host, "Pattern", 1))
        host.quit()
    for words, limit, values in (("launch to first video packet", 300, launches),
                                 ("resume to first video packet", 250, resumes)):
        table.add_below(f"{words}, p95", limit, percentile(values, 95), "ms",
                        f" (p50 {percentile(values, 50):.0f}, worst {max(values):.0f}, "
                        f"n {len(values)})")


def write_keys(host, seconds):
    """A script of the viewer that presses a key every 25 ms."""
    script = host.folder / "keys.txt"
    presses = min(BUSY_KEYS, seconds * 40)
    script.write_text("".join(f"{500 + 25 * i} key 0x41\n" for i in range(presses)))
    return str(script)


def difference(after, before):
    return [a - b for a, b in zip(after, before)]


def measure_pictures(host, table, options):
    seconds = options.seconds
    viewer = host.viewer.start("stream", app="Pattern", seconds=seconds + SETTLE_S + 2,
                               script=write_keys(host, seconds))
    wait_for("pictures", 10, lambda: (host.session() or {}).get("pictures"))
    time.sleep(SETTLE_S)
    stream_before, desktop_before = host.counters("stream"), host.counters("desktop")
    others = Others(host.process.pid, viewer.pid)
    ages = []
    until = time.monotonic() + seconds - 1
    while time.monotonic() < until:
        time.sleep(1)
        session = host.session()
        ages.append((session["age_p50_us"] / 1000, session["age_p99_us"] / 1000))
    stream = difference(host.counters("stream"), stream_before)
    desktop = difference(host.counters("desktop"), desktop_before)
    inputs = desktop[INPUT_CLASSES:INPUT_CLASSES + 7]
    taken = others.percent()
    viewer.communicate(timeout=60)
    host.quit()
    hands = stream[HAND_CLASSES:HAND_CLASSES + 11]
    count = max(stream[TIMED], 1)
    mean_ms = {name: stream[index] / count / 1e6 for name, index in (
        ("age", AGE), ("render", RENDER), ("convert", CONVERT), ("encode", ENCODE),
        ("hand", HAND), ("pace", PACE))}
    render_ms = desktop[DESKTOP_RENDER] / max(desktop[DESKTOP_PICTURES], 1) / 1e6
    note = f" (mean {mean_ms['hand']:.3f}, n {stream[TIMED]})"
    table.add_class("hand-overs, summed, p50", 0.5,
                    class_percentile(hands, HAND_BORDERS_MS, 50), "ms", note)
    table.add_class("hand-overs, summed, p99", 2,
                    class_percentile(hands, HAND_BORDERS_MS, 99), "ms",
                    f" ({share_below(hands, HAND_BORDERS_MS, 2):.1f} % within)")
    table.add("  wait for the grid, mean", "", f"{mean_ms['render'] - render_ms:.3f} ms")
    table.add("  rendering, mean", "", f"{render_ms:.3f} ms")
    table.add("  conversion, mean", "", f"{mean_ms['convert']:.3f} ms")
    table.add("  encoding, mean", "", f"{mean_ms['encode']:.3f} ms")
    table.add("  pacing, mean", "", f"{mean_ms['pace']:.3f} ms")
    table.add("  commit to last packet, mean", "", f"{mean_ms['age']:.3f} ms")
    table.add("  commit to last packet, a second's p50 and p99", "",
              f"{percentile([age[0] for age in ages], 50):.1f} and "
              f"{percentile([age[1] for age in ages], 50):.1f} ms")
    table.add("  pictures a second", "", f"{stream[TIMED] / (seconds - 1):.1f}")
    table.add_class("input packet to Wayland event, p99", 0.5,
                    class_percentile(inputs, INPUT_BORDERS_MS, 99), "ms",
                    f" ({share_below(inputs, INPUT_BORDERS_MS, 0.5):.1f} % within, "
                    f"n {sum(inputs)})")
    table.add("  others' share of the machine meanwhile", "", f"{taken:.0f} % of a core")


def name_of(process):
    return process["name"] if process["kind"] in ("encoder", "sound") else process["kind"]


def measure_idle(host, table, options):
    viewer = host.viewer.start("stream", app="Desktop",
                               seconds=options.seconds + IDLE_SETTLE_S + 5)
    wait_for("pictures", 10, lambda: (host.session() or {}).get("pictures"))
    time.sleep(IDLE_SETTLE_S)
    ours = host.processes()
    before = {process["pid"]: cpu_s(process["pid"]) for process in ours}
    others = Others(host.process.pid, viewer.pid)
    begun = time.monotonic()
    time.sleep(options.seconds)
    took = time.monotonic() - begun
    shares = [(name_of(p), (cpu_s(p["pid"]) - before[p["pid"]]) / took * 100,
               pss_kib(p["pid"]) / 1024) for p in ours]
    taken = others.percent()
    viewer.communicate(timeout=60)
    host.quit()
    table.add_below("idle desktop with a viewer, CPU", 1, sum(s[1] for s in shares),
                    "% of a core")
    table.add_below("idle desktop with a viewer, memory", 90, sum(s[2] for s in shares),
                    "MB PSS")
    for name, percent, megabytes in shares:
        table.add(f"  {name}", "", f"{percent:.2f} %, {megabytes:.1f} MB")
    table.add("  others' share of the machine meanwhile", "", f"{taken:.0f} % of a core")


def measure_sending(host, table, options):
    line = [path_of(host, "bench_send"), "100", str(min(options.seconds, 10))]
    result = json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)
    table.add_below("sending 100 Mbit/s with FEC and encryption", 6,
                    result["percent_of_core"], "% of a core",
                    f" ({result['wire_mbit_s']:.0f} Mbit/s on the wire)")
