#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whether tests/chaos/heap.py sees what a process keeps, and what it gave back."""
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

import heap  # noqa: E402

COUNT, SIZE = 5000, 200
CHILD = f"""
import ctypes
c = ctypes.CDLL(None)
c.malloc.restype, c.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
held = [0] * {COUNT}
def step():
    print("step", flush=True)
    input()
step()
for i in range({COUNT}):
    held[i] = c.malloc({SIZE})
step()
for i in range({COUNT}):
    c.free(held[i])
step()
"""


def main():
    child = subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
    seen = []
    for _ in range(3):
        child.stdout.readline()
        seen.append(heap.in_use(child.pid))
        child.stdin.write("\n")
        child.stdin.flush()
    child.communicate()
    if None in seen:
        print("this heap cannot be read: another C library, or not allowed")
        sys.exit(77)
    kept, given_back = seen[1] - seen[0], seen[2] - seen[1]
    print(f"{seen[0]} bytes in use, {kept:+} with {COUNT} of {SIZE}, {given_back:+} without them")
    slack = COUNT * SIZE // 10
    sys.exit(0 if 0 <= kept - COUNT * SIZE <= slack and abs(kept + given_back) <= slack else 1)


if __name__ == "__main__":
    main()
