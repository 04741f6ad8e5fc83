# SPDX-License-Identifier: MIT
"""What strangers send to the host's UDP doors, and a count of what they get back.

As root with raw sockets also what somebody on the way could: the viewer's own datagrams again,
in another order, under the viewer's address. Loopback only.
"""
import os
import random
import select
import socket
import struct
import time

VIDEO, CONTROL, AUDIO = 9, 10, 11
PORTS = (VIDEO, CONTROL, AUDIO)
# A real client's ENet CONNECT up to its data, which is what the host handed out.
CONNECT = bytes.fromhex("8fff0000820000010000000000000384000100000000000030"
                        "0000000000000000001388000000020000000200000000")
PER_S = 4000   # so much less than the loop can take that a slow machine has time for the viewer


class Stranger:
    """One address and its books."""

    def __init__(self, address):
        self.address = address
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.socket.setblocking(False)
        self.sent = self.received = 0

    def send(self, payload, port):
        try:
            self.sent += self.socket.sendto(payload, ("127.0.0.1", port))
        except BlockingIOError:
            pass

    def listen(self):
        while True:
            try:
                self.received += len(self.socket.recv(2048))
            except (BlockingIOError, ConnectionRefusedError):
                return


def wrong_secrets(dice, heard):
    return dice.randbytes(16) + struct.pack(">I", dice.randrange(1 << 32))


def legacy_pings(dice, heard):
    return b"PING"


def wrong_connects(dice, heard):
    return CONNECT + struct.pack(">I", dice.choice((0, 1, dice.randrange(1 << 32))))


def every_peer_id(dice, heard):
    """To be taken for a viewer whose address has changed: there are 4095 ids to try."""
    head = struct.pack(">HH", 0x8000 | dice.randrange(4096), dice.randrange(1 << 16))
    return head + dice.choice((b"\x85\xff\x00\x01", b"\x83\xff\x00\x01" + bytes(4),
                               b"\x06\x00\x00\x01\x00\x14" + dice.randbytes(20)))


def nonsense(dice, heard):
    return dice.randbytes(dice.choice((0, 1, 4, 19, 20, 21, 48, 1400)))


def replays(dice, heard):
    """What the viewer said, from another address."""
    return dice.choice(heard)[1] if heard else b"PING"


KINDS = [wrong_secrets, legacy_pings, wrong_connects, every_peer_id, nonsense, replays]


class Ear:
    """The viewer's datagrams to the host, as somebody on the way hears them."""

    def __init__(self, ports):
        self.ports = ports
        self.heard = []   # (destination port, payload, source)
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind(("lo", 0x0800))
        self.socket.setblocking(False)

    def listen(self, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.socket], [], [], left)[0]:
                return
            packet, link = self.socket.recvfrom(65536)
            if link[2] == socket.PACKET_OUTGOING or len(packet) < 28 or packet[9] != 17:
                continue
            head = (packet[0] & 15) * 4
            source, port = struct.unpack(">HH", packet[head:head + 4])
            if port in self.ports and packet[12:16] == b"\x7f\0\0\1":
                self.heard.append((port, packet[head + 8:], source))


class Forger:
    """Sends under the viewer's address and port."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.count = 0

    def send(self, payload, source, port):
        length = 28 + len(payload)
        packet = struct.pack(">BBHHHBBH4s4sHHHH", 0x45, 0, length, 0, 0, 64, 17, 0, b"\x7f\0\0\1",
                             b"\x7f\0\0\1", source, port, 8 + len(payload), 0) + payload
        self.socket.sendto(packet, ("127.0.0.1", 0))
        self.count += 1


def forge(forger, ear, dice, control_port):
    """Again, out of order, cut short, or with a bit changed, in the encrypted part."""
    choices = [row for row in ear.heard if row[0] == control_port] or ear.heard
    port, payload, source = dice.choice(choices)
    how = dice.randrange(4)
    if how == 0 and len(payload) > 24:
        at = dice.randrange(20, len(payload))
        payload = payload[:at] + bytes([payload[at] ^ 1 << dice.randrange(8)]) + payload[at + 1:]
    elif how == 1:
        payload = payload[:dice.randrange(len(payload) + 1)]
    forger.send(payload, source, port)


def attack(base, seconds, seed=1):
    """Returns the strangers, and how much was heard and forged (None: no raw sockets)."""
    dice = random.Random(seed)
    ports = {base + offset for offset in PORTS}
    strangers = [Stranger(f"127.0.0.{n}") for n in range(1, 9)]
    ear = forger = None
    if os.getuid() == 0:
        try:
            ear, forger = Ear(ports), Forger()
            ear.listen(1.5)
        except PermissionError:
            ear = None
    heard = ear.heard if ear else []
    end, sent, begun = time.monotonic() + seconds, 0, time.monotonic()
    while (now := time.monotonic()) < end:
        while sent < (now - begun) * PER_S:
            sent += 1
            kind = KINDS[sent % len(KINDS)]
            dice.choice(strangers).send(kind(dice, heard), base + dice.choice(PORTS))
            if heard and sent % 40 == 0:
                forge(forger, ear, dice, base + CONTROL)
        for stranger in strangers:
            stranger.listen()
        select.select([], [], [], 0.002)
    for stranger in strangers:
        stranger.listen()
    return strangers, sent, (len(heard), forger.count) if ear else None
