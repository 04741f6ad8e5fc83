# SPDX-License-Identifier: MIT
"""What programs ask of a container engine's images: of one made up here, by the words that
Docker says."""
import http.server
import json
import socketserver
import threading

from host import expect

INSPECT, PULL = "/api/v1/docker/images/inspect", "/api/v1/docker/images/pull"
IMAGE = {"Id": "sha256:00", "RepoTags": ["here:1"], "Config": {"Env": ["A=1"]}}
LINES = [{"status": "Pulling from there", "id": "1"},
         {"status": "Downloading", "id": "a", "progressDetail": {"current": 5, "total": 10}},
         {"status": "Status: Downloaded newer image for there:1"}]


class Answers(http.server.BaseHTTPRequestHandler):
    def say(self, status, *objects):
        body = b"".join(json.dumps(one).encode() + b"\r\n" for one in objects)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/v1.40/images/here%3A1/json":
            self.say(200, IMAGE)
        else:
            self.say(404, {"message": "No such image"})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if "fromImage=there%3A1" in self.path:
            self.say(200, *LINES)
        elif "fromImage=locked" in self.path:
            self.say(200, LINES[0], {"error": "pull access denied"})
        else:
            self.say(404, {"message": "manifest unknown"})

    def address_string(self):
        return "unix"

    def log_message(self, *_):
        pass


class Engine(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


class Listening:
    """A context in which the engine answers at that path."""

    def __init__(self, path):
        self.server = Engine(str(path), Answers)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def pulled(api, name):
    """The lines of a pull; its last says how it ended."""
    status, answer = api.raw("POST", PULL, {"image_name": name})
    if not isinstance(answer, bytes):
        api.check("POST", PULL, status, answer)
        return status, answer
    lines = [json.loads(line) for line in answer.split(b"\r\n") if line]
    if lines[-1]["success"]:
        api.check("POST", PULL, status, lines[-1])
    return status, lines


def images(host, api, events):
    api.get(INSPECT, query="?image_name=here:1", status=503)  # nobody listens yet
    with Listening(host.folder / "engine.sock"):
        answer = api.get(INSPECT, query="?image_name=here:1")
        expect(f"as the engine says it: {answer}", answer == IMAGE)
        api.get(INSPECT, query="?image_name=no-such", status=404)
        api.get(INSPECT, status=400)
        status, lines = pulled(api, "there:1")
        expect(f"its words and then success: {lines}",
               status == 200 and lines == [*LINES, {"success": True}])
        events.wait("DockerPullImageStartEvent", image_name="there:1")
        events.wait("DockerPullImageEndEvent", image_name="there:1", success=True)
        status, lines = pulled(api, "locked")
        expect(f"why not: {lines}", status == 200 and lines[-1]["success"] is False and
               "denied" in lines[-1]["error"])
        events.wait("DockerPullImageEndEvent", image_name="locked", success=False)
        expect("no such image", pulled(api, "nowhere")[0] == 404)
        expect(f"nothing has failed: {host.status('incident', kind='runner')}",
               not host.status("incident", kind="runner"))
        api.post(PULL, {"image_name": "there:1", "wait": False})
        events.wait("DockerPullImageEndEvent", image_name="there:1", success=True)
