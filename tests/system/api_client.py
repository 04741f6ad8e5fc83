# SPDX-License-Identifier: MIT
"""The API as a program sees it: calls, whose answers are held against the OpenAPI document, and
events as they come."""
import json
import socket
import time

from host import Failed, expect, wait_for

try:
    import jsonschema
except ImportError:
    raise SystemExit("python3-jsonschema is missing: tools/install_packages.sh test")


class Api:
    """Calls over the Unix socket, each answer checked against the document."""

    def __init__(self, host):
        self.host = host
        self.path = str(host.folder / "run/api.sock")
        self.document = None
        self.made = set()
        status, body = self.raw("GET", "/api/v1/openapi-schema")
        expect("the document is served", status == 200 and body["openapi"] == "3.1.0")
        self.document = body

    def connect(self, seconds=15):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(seconds)
        s.connect(self.path)
        return s

    def raw(self, verb, path, body=None, fields=""):
        data = body if isinstance(body, bytes) else b"" if body is None else \
            json.dumps(body).encode()
        with self.connect(40) as s:
            s.sendall(f"{verb} {path} HTTP/1.1\r\nHost: perigee\r\nConnection: close\r\n{fields}"
                      f"Content-Length: {len(data)}\r\n\r\n".encode() + data)
            answer = b""
            while chunk := s.recv(65536):
                answer += chunk
        head, _, rest = answer.partition(b"\r\n\r\n")
        status = int(head.split()[1])
        is_json = b"application/json" in head
        return status, json.loads(rest) if is_json else rest

    def check(self, verb, path, status, answer):
        """Only what was done counts as made, and of what is not done here the refusal."""
        call = self.document["paths"][path][verb.lower()]
        if status == (501 if "501" in call["summary"] else 200):
            self.made.add((verb, path))
        responses = call["responses"]
        content = responses[str(status) if str(status) in responses else "default"]["content"]
        if "application/json" not in content and isinstance(answer, bytes):
            return
        schema = {**content["application/json"]["schema"],
                  "components": self.document["components"]}
        try:
            jsonschema.Draft202012Validator(schema).validate(answer)
        except jsonschema.ValidationError as fault:
            raise Failed(f"{verb} {path}: {fault.message} at {list(fault.absolute_path)}: "
                         f"{json.dumps(answer)[:500]}")

    def call(self, verb, path, body=None, status=200, query=""):
        got, answer = self.raw(verb, path + query, body)
        if got != status:
            raise Failed(f"{verb} {path}: {got}, not {status}: {answer}")
        self.check(verb, path, status, answer)
        if isinstance(answer, dict) and got != 200:
            expect("a refusal has words", answer["success"] is False and answer["error"])
        return answer

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, body, **more):
        return self.call("POST", path, body, **more)


class Desk(Api):
    """The same at a desktop's own socket."""

    def __init__(self, api, desktop):  # pylint: disable=super-init-not-called
        self.path = str(api.host.folder / f"run/s-{int(desktop):016x}/perigee.sock")
        self.document, self.made = api.document, api.made

    def raw(self, verb, path, body=None, fields=""):
        """A desktop may ask for so much a second: this one asks again when it is told so."""
        return wait_for("its turn", 15, lambda: [
            answer for answer in [super(Desk, self).raw(verb, path, body, fields)]
            if answer[0] != 429])[0]


class Events:
    """A reader of server-sent events."""

    def __init__(self, api, query="", last=None):
        self.socket = api.connect()
        field = f"Last-Event-ID: {last}\r\n" if last else ""
        self.socket.sendall(f"GET /api/v1/events{query} HTTP/1.1\r\nHost: p\r\n{field}\r\n"
                            .encode())
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            self.receive()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        expect("a stream of events", b" 200 " in head and b"text/event-stream" in head)
        self.seen = []
        api.made.add(("GET", "/api/v1/events"))

    def receive(self):
        chunk = self.socket.recv(65536)
        if not chunk:
            raise Failed("the stream of events has ended")
        self.buffer += chunk

    def next(self):
        while b"\n\n" not in self.buffer:
            self.receive()
        text, self.buffer = self.buffer.split(b"\n\n", 1)
        lines = dict(line.split(": ", 1) for line in text.decode().split("\n")
                     if ": " in line)
        if "event" not in lines:
            return self.next()
        event = (lines.get("id"), lines["event"].rsplit("::", 1)[-1], json.loads(lines["data"]))
        self.seen.append(event)
        return event

    def wait(self, name, **wanted):
        until = time.monotonic() + 15
        while time.monotonic() < until:
            event = self.next()
            if event[1] == name and all(event[2].get(k) == v for k, v in wanted.items()):
                return event
        raise Failed(f"no event {name}: {self.seen}")

    def close(self):
        self.socket.close()
