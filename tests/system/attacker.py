#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What strangers do to the host's TCP doors, and a paired client that measures meanwhile.

    attacker.py half-open PORT COUNT      ClientHellos that never go on
    attacker.py drip PORT RTSP COUNT      headers, a byte at a time
    attacker.py abort PORT HTTPS COUNT    long polls, hung up in seven ways
    attacker.py handshake PORT COUNT      whole handshakes, as many at a time
    attacker.py measure PORT KEYS COUNT   TLS handshake and serverinfo, again and again

Each says "up" when it is under way, ends when its stdin does or when it is done (COUNT 0: never),
at the latest after LIMIT seconds, and prints what it did as JSON. Loopback only.
"""
import json
import os
import random
import resource
import select
import selectors
import socket
import ssl
import struct
import sys
import threading
import time

LIMIT = 240
REOPEN_PER_S = 300   # what the host threw out comes again, so often
DRIP_S = 0.4
ABORTS_PER_S = 100
HELLO_PARTS = (0, 3, 100, 1 << 20)   # bytes of a ClientHello that are sent
SOURCES = ["127.0.0.1"] * 4 + [f"127.0.0.{n}" for n in range(2, 10)]


def raise_limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))


def say(what):
    print(what, flush=True)


def asked_to_end(seconds):
    return bool(select.select([sys.stdin], [], [], seconds)[0])


def client_context(keys=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if keys:
        context.load_cert_chain(f"{keys}/client.pem", f"{keys}/key.pem")
    return context


def client_hello():
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = client_context().wrap_bio(into, out)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


class Idlers:
    """Connections that are held open and say little; whoever is thrown out comes again."""

    def __init__(self, count, openers):
        self.count = count
        self.openers = openers   # functions (index, socket) that say the first bytes
        self.selector = selectors.DefaultSelector()
        self.sockets = {}
        self.opened = self.thrown_out = self.failed = 0
        self.budget = 0.0

    def open_one(self):
        index = self.opened
        self.opened += 1
        s = socket.socket()
        try:
            s.bind((SOURCES[index % len(SOURCES)], 0))
            s.settimeout(5)
            port, first = self.openers[index % len(self.openers)]
            s.connect(("127.0.0.1", port))
            s.setblocking(False)
            s.send(first) if first else None
        except OSError:
            self.failed += 1
            s.close()
            return
        self.sockets[s.fileno()] = s
        self.selector.register(s, selectors.EVENT_READ)

    def listen(self, seconds):
        for key, _ in self.selector.select(seconds):
            s = key.fileobj
            try:
                if s.recv(65536):
                    continue
            except BlockingIOError:
                continue
            except OSError:
                pass
            self.selector.unregister(s)
            del self.sockets[key.fd]
            s.close()
            self.thrown_out += 1

    def drip(self):
        for s in list(self.sockets.values()):
            try:
                s.send(b"x")
            except OSError:
                pass

    def run(self, dripping):
        for _ in range(self.count):
            self.open_one()
        say("up")
        end = time.monotonic() + LIMIT
        before = next_drip = time.monotonic()
        while time.monotonic() < end and not asked_to_end(0):
            self.listen(0.05)
            now = time.monotonic()
            self.budget = min(self.budget + (now - before) * REOPEN_PER_S, REOPEN_PER_S)
            before = now
            while self.budget >= 1 and len(self.sockets) < self.count:
                self.budget -= 1
                self.open_one()
            if dripping and now >= next_drip:
                next_drip = now + DRIP_S
                self.drip()
        say(json.dumps({"opened": self.opened, "thrown_out": self.thrown_out,
                        "failed": self.failed, "held": len(self.sockets)}))


# ---- aborted long polls ----

def pair_request(number):
    """Phase 1 of a pairing: it waits for the PIN. The certificate is one that is made once."""
    certificate = os.environ["ATTACKER_CERTIFICATE"].encode().hex()
    return (f"GET /pair?uniqueid={number:016X}&devicename=roth&updateState=1&phrase=getservercert"
            f"&salt={'0' * 32}&clientcert={certificate} HTTP/1.1\r\nHost: a\r\n\r\n").encode()


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def begin_poll(port, number):
    """Returns the socket, and whether the host holds it: it says nothing for a while."""
    s = socket.create_connection(("127.0.0.1", port), 10,
                                 source_address=(SOURCES[number % len(SOURCES)], 0))
    s.sendall(pair_request(number))
    return s, not select.select([s], [], [], 0.05)[0]


def before_handshake(port, https, number):
    socket.create_connection(("127.0.0.1", https), 10).close()
    return False


def during_handshake(port, https, number):
    s = socket.create_connection(("127.0.0.1", https), 10)
    s.sendall(client_hello()[:random.randrange(1, 400)] if number % 2 else client_hello())
    if number % 4 == 0:
        select.select([s], [], [], 5)   # the host's flight has begun
    s.close()
    return False


def after_handshake(port, https, number):
    plain = socket.create_connection(("127.0.0.1", https), 10)
    client_context().wrap_socket(plain).close()
    return False


def with_fin(port, https, number):
    s, waits = begin_poll(port, number)
    s.shutdown(socket.SHUT_WR)
    try:
        while s.recv(4096):   # the host's end
            pass
    except OSError:
        pass
    s.close()
    return waits


def with_reset(port, https, number):
    s, waits = begin_poll(port, number)
    reset(s)
    return waits


def half_request(port, https, number):
    s = socket.create_connection(("127.0.0.1", port), 10)
    request = pair_request(number)
    s.sendall(request[:random.randrange(1, len(request) - 1)])
    s.close()
    return False


def while_waiting(port, https, number):
    s, waits = begin_poll(port, number)
    s.close()
    return waits


KINDS = [before_handshake, during_handshake, after_handshake, with_fin, with_reset, half_request,
         while_waiting]


def abort(port, https, count, workers=6):
    done, waited, failed = {kind.__name__: 0 for kind in KINDS}, [0], [0]
    lock, numbers, begun = threading.Lock(), iter(range(count)), time.monotonic()

    def work():
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            kind = KINDS[number % len(KINDS)]
            early = begun + number / ABORTS_PER_S - time.monotonic()
            select.select([], [], [], max(early, 0))   # the storm's pace
            try:
                waits = kind(port, https, number)
            except OSError:
                waits, failed[0] = False, failed[0] + 1
            with lock:
                done[kind.__name__] += 1
                waited[0] += waits

    say("up")
    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    say(json.dumps({"done": done, "waited": waited[0], "failed": failed[0]}))


# ---- whole handshakes: each costs the host a signature ----

def handshakes(port, count):
    """From addresses that are not the paired client's: from there, they would be its own."""
    done, failed, end = [0], [0], [False]

    def work(number):
        context = client_context()
        while not end[0]:
            try:
                with socket.create_connection(
                        ("127.0.0.1", port), 10,
                        source_address=(f"127.0.0.{2 + number % 8}", 0)) as plain:
                    context.wrap_socket(plain).close()
                done[0] += 1
            except OSError:
                failed[0] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    say("up")
    asked_to_end(LIMIT)
    end[0] = True
    for thread in threads:
        thread.join()
    say(json.dumps({"done": done[0], "failed": failed[0]}))


# ---- the paired client ----

def measure(port, keys, count):
    context = client_context(keys)
    times, failures = [], []
    say("up")
    end = time.monotonic() + LIMIT
    while time.monotonic() < end and not asked_to_end(0.005):
        if count and len(times) + len(failures) >= count:
            break
        begun = time.monotonic()
        answer = b""
        try:
            with socket.create_connection(("127.0.0.1", port), 10) as plain, \
                    context.wrap_socket(plain) as tls:
                tls.sendall(b"GET /serverinfo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                while chunk := tls.recv(65536):
                    answer += chunk
        except OSError as error:
            failures.append(repr(error))
            continue
        if b"<PairStatus>1</PairStatus>" not in answer:
            failures.append(repr(answer[:200]))
        times.append((time.monotonic() - begun) * 1000)
    times.sort()

    def at(share):
        return round(times[min(len(times) - 1, int(len(times) * share))], 1) if times else None

    say(json.dumps({"count": len(times), "p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1),
                    "failures": len(failures), "first_failures": failures[:3]}))


def main():
    mode, *words = sys.argv[1:]
    raise_limit()
    if mode == "half-open":
        hello = client_hello()
        Idlers(int(words[1]), [(int(words[0]), hello[:part]) for part in HELLO_PARTS]).run(False)
    elif mode == "drip":
        http, rtsp = int(words[0]), int(words[1])
        Idlers(int(words[2]), [(http, b"GET /serverinfo HTTP/1.1\r\nX-Slow: "), (http, b"G"),
                               (rtsp, b"OPTIONS rtsp://a RTSP/1.0\r\nX-Slow: ")]).run(True)
    elif mode == "abort":
        abort(int(words[0]), int(words[1]), int(words[2]))
    elif mode == "handshake":
        handshakes(int(words[0]), int(words[1]))
    elif mode == "measure":
        measure(int(words[0]), words[1], int(words[2]))


if __name__ == "__main__":
    main()
