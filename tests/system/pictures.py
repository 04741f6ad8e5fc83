# SPDX-License-Identifier: MIT
"""Pictures that the probe saved, as far as tests look at them."""
import pathlib
import struct
import zlib

from host import expect

ACCENT = (242, 168, 64)  # the bar at the left of Notice (src/apps/notice_picture.c)


def read_png(data):
    """Width, height and rows of R, G, B bytes."""
    expect("a PNG", data[:8] == b"\x89PNG\r\n\x1a\n")
    at, packed, width, height = 8, b"", 0, 0
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height = struct.unpack(">II", body[:8])
        elif kind == b"IDAT":
            packed += body
        at += 12 + length
    raw, line = zlib.decompress(packed), 1 + 3 * width
    expect("whole", len(raw) == line * height)
    return width, height, [raw[line * y + 1:line * (y + 1)] for y in range(height)]


class Picture:
    """A PNG as perigee-probe writes it: 8 bit RGB, no filters."""

    def __init__(self, path):
        data = pathlib.Path(path).read_bytes()
        self.width, self.height = struct.unpack(">II", data[16:24])
        packed, at = b"", 8
        while at < len(data):
            size, kind = struct.unpack(">I4s", data[at:at + 8])
            packed += data[at + 8:at + 8 + size] if kind == b"IDAT" else b""
            at += size + 12
        self.rows = zlib.decompress(packed)

    def pixel(self, x, y):
        at = y * (self.width * 3 + 1) + 1 + x * 3
        return tuple(self.rows[at:at + 3])


def shows_notice(path):
    """Its bar at the left, its dark ground at the right, and light letters between."""
    picture = Picture(path)
    rows = range(picture.height // 10, picture.height, picture.height // 10)
    bar = all(abs(a - b) < 40 for y in rows for a, b in zip(picture.pixel(3, y), ACCENT))
    dark = all(max(picture.pixel(picture.width - 10, y)) < 70 for y in rows)
    light = sum(min(picture.pixel(x, y)) > 200 for y in range(0, picture.height, 3)
                for x in range(100, picture.width - 100, 3))
    return bar and dark and light > 100
