# SPDX-License-Identifier: MIT
"""What a question about health costs, and what it costs to have the answer ready."""
import os
import re
import signal
import socket
import time

from bench_table import percentile

REQUESTS = 1000


def ask(path, socket_path):
    begun = time.monotonic()
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(5)
        s.connect(str(socket_path))
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while chunk := s.recv(65536):
            answer += chunk
    return (time.monotonic() - begun) * 1e3, answer.decode()


def times(host, path):
    took = sorted(ask(path, host.runtime / "api.sock")[0] for _ in range(REQUESTS))
    return percentile(took, 50), percentile(took, 99)


def value(text, name):
    return float(re.search(rf"^{name} (\S+)$", text, re.M)[1])


def supervisor_of(host):
    children = f"/proc/{host.process.pid}/task/{host.process.pid}/children"
    with open(children) as file:
        for pid in file.read().split():
            with open(f"/proc/{pid}/comm") as comm:
                if comm.read().strip() == "perigeed":
                    return int(pid)
    raise RuntimeError("no supervisor")


def measure(host, table, options):
    for path in ("/readyz", "/metrics"):
        median, p99 = times(host, path)
        table.add_below(f"{path}, median", 2, median, "ms", f"p99 {p99:.2f}")
    supervisor = supervisor_of(host)
    os.kill(supervisor, signal.SIGSTOP)
    try:
        took = sorted(ask("/metrics", host.runtime / "api.sock")[0] for _ in range(200))
    finally:
        os.kill(supervisor, signal.SIGCONT)
    table.add_below("/metrics while the supervisor is stopped, median", 2, percentile(took, 50),
                    "ms", f"p99 {percentile(took, 99):.2f}")
    _, text = ask("/metrics", host.runtime / "api.sock")
    written = value(text, "perigee_board_writes_total")
    table.add("  writing the figures, each time", "",
              f"{value(text, 'perigee_board_write_seconds_total') / written * 1e3:.2f} ms "
              f"({len(text) / 1024:.0f} KiB)")
