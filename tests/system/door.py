#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs as a desktop's app: asks at the desktop's own door, and tries others'.

    door.py FILE             prints what its own door answers, and whether it reaches the sockets
                             that FILE names (@NAME: an abstract one)
    door.py --again FIFO     asks, waits until somebody writes into FIFO, and asks again
"""
import json
import os
import socket
import sys


def connect(path):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(10)
    s.connect("\0" + path[1:] if path.startswith("@") else path)
    return s


def ask(path, what, body=""):
    """The status and the answer's body."""
    with connect(path) as s:
        s.sendall(f"{what} HTTP/1.1\r\nHost: desktop\r\nConnection: close\r\n"
                  f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
        answer = b""
        while chunk := s.recv(65536):
            answer += chunk
    head, _, rest = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), rest


OWN = os.environ["PERIGEE_SOCKET"]


def look(word):
    status, body = ask(OWN, "GET /api/v2/desktop")
    answer = json.loads(body) if status == 200 else {}
    viewers = [row["name"] for row in answer.get("viewers", [])]
    print(f"door-{word} {status} app={answer.get('desktop', {}).get('app')} viewers={viewers}",
          flush=True)


def main():
    if sys.argv[1:2] == ["--again"]:
        look("first")
        with open(sys.argv[2], encoding="ascii") as fifo:
            fifo.read()
        look("again")
        return
    look("own")
    status, body = ask(OWN, "GET /api/v2/desktop/screenshot")
    print(f"door-picture {status} {body[1:4].decode()}", flush=True)
    status, _ = ask(OWN, "POST /api/v2/desktop/input", '{"keys": [30], "text": "x"}')
    print(f"door-input {status}", flush=True)
    for what in ("GET /api/v1/sessions", "GET /api/v1/status", "GET /api/v2/desktops",
                 "GET /api/v2/desktop?desktop_id=5", "GET /api/v2/launcher",
                 "POST /api/v1/lobbies/create", "GET /api/v1/events", "GET /metrics"):
        status, _ = ask(OWN, what)
        if status not in (400, 404):
            print(f"ESCAPED: {what} is answered with {status}", flush=True)
    with open(sys.argv[1], encoding="utf-8") as file:
        others = file.read().split()
    for other in others:
        try:
            connect(other).close()
            print(f"ESCAPED: reaches {other}", flush=True)
        except OSError as why:
            print(f"door-closed {why.errno}", flush=True)
    print("door-done", flush=True)


main()
