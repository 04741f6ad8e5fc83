# SPDX-License-Identifier: MIT
"""What a process has asked glibc's heap for and not given back, read from outside.

PSS says how much memory the heap takes, holes included, and holes of many sizes grow for
hundreds of connections before every request fits into one. A leak shows here at once.
"""
import pathlib
import re
import struct

HEADER = 16                       # of a chunk; what malloc returned lies behind it
BINS = 64                         # of small chunks that wait for their next use
BINS_CHUNK = 16 + 2 * BINS + 8 * BINS


def read_heap(pid):
    """The address of the first heap and its bytes; None where that is not allowed."""
    try:
        row = re.search(r"^([0-9a-f]+)-([0-9a-f]+) .*\[heap\]$",
                        pathlib.Path(f"/proc/{pid}/maps").read_text(), re.M)
        if not row:
            return None
        first, end = int(row[1], 16), int(row[2], 16)
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            memory.seek(first)
            return first, memory.read(end - first)
    except OSError:
        return None


def chunks(data):
    """Offset and size of each, and whether the one before it is in use; the last is the top.
    None when they do not fill the heap: another allocator, or it was caught while it worked."""
    found, at = [], 0
    while at + HEADER <= len(data):
        word = struct.unpack_from("<Q", data, at + 8)[0]
        size = word & ~7
        if size < 2 * HEADER or at + size > len(data):
            return None
        found.append((at, size, bool(word & 1)))
        at += size
    return found if found and found[0][1] == BINS_CHUNK else None


def waiting(first, data):
    """Offsets of the chunks that were given back and wait in the bins of the one thread."""
    found = set()
    for head in struct.unpack_from(f"<{BINS}Q", data, HEADER + 2 * BINS):
        while head and 0 <= head - HEADER - first <= len(data) - 2 * HEADER:
            at = head - HEADER - first
            if at in found:
                return found
            found.add(at)
            head = struct.unpack_from("<Q", data, at + HEADER)[0] ^ head >> 12
    return found


def in_use(pid):
    """Bytes; None where they cannot be told. Small ones that were just given back may be among
    them: some kilobytes that do not grow."""
    heap = read_heap(pid)
    found = heap and chunks(heap[1])
    if not found:
        return None
    free = waiting(*heap)
    return sum(size for (at, size, _), (_, _, used) in zip(found, found[1:])
               if used and at not in free)
