# SPDX-License-Identifier: MIT
"""Drives Chromium through two pipes, with nothing but the standard library.

--remote-debugging-pipe: the browser reads commands from its fd 3 and writes answers and
events to its fd 4, each a JSON text that ends with a zero byte.
Protocol: https://chromedevtools.github.io/devtools-protocol/
"""
import base64
import fcntl
import json
import os
import pathlib
import select
import shutil
import signal
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
from host import Failed, deadline  # noqa: E402

FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--ignore-certificate-errors", "--hide-scrollbars",
    "--remote-debugging-pipe",
]
# Nothing but this machine is ever asked for a name or a page.
NO_OUTSIDE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"

KEYS = {"Tab": (9, ""), "Enter": (13, "\r"), "Escape": (27, ""), "Backspace": (8, ""),
        " ": (32, " ")}
SHIFT = 8


def open_pipe():
    """Both ends above the numbers that the browser wants for itself."""
    ends = os.pipe()
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in ends]
    for fd in ends:
        os.close(fd)
    return high


class Chrome:
    def __init__(self, program):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="perigee-chrome-", dir="/tmp"))
        commands, self.commands = open_pipe()
        self.answers, answers = open_pipe()
        log = os.open(self.folder / "log", os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        command = [program, *FLAGS, NO_OUTSIDE, f"--user-data-dir={self.folder}/profile",
                   "about:blank"]
        self.pid = os.posix_spawn(
            program, command, {**os.environ, "HOME": str(self.folder), "DISPLAY": ""},
            file_actions=[(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, log, 1),
                          (os.POSIX_SPAWN_DUP2, log, 2), (os.POSIX_SPAWN_DUP2, commands, 3),
                          (os.POSIX_SPAWN_DUP2, answers, 4)], setpgroup=0)
        for fd in (commands, answers, log, null):
            os.close(fd)
        os.set_blocking(self.answers, False)
        self.pending = b""
        self.number = 0
        self.events = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- the wire ----

    def receive(self, until):
        """The next message. Whoever waits names the moment when it gives up."""
        while b"\0" not in self.pending:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.answers], [], [], left)[0]:
                raise Failed("the browser does not answer in time")
            data = os.read(self.answers, 1 << 20)
            if not data:
                raise Failed("the browser ended: " + (self.folder / "log").read_text()[-2000:])
            self.pending += data
        line, self.pending = self.pending.split(b"\0", 1)
        return json.loads(line)

    def call(self, method, session=None, seconds=30, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.commands, data):]
        until = deadline(seconds)
        while True:
            answer = self.receive(until)
            if answer.get("id") != message["id"]:
                self.events.append(answer)
            elif "error" in answer:
                raise Failed(f"{method}: {answer['error']}")
            else:
                return answer["result"]

    def event(self, session, method, seconds=20, **wanted):
        """The next such event, also of those that came during other calls."""
        until = deadline(seconds)
        at = 0
        while True:
            while at == len(self.events):
                self.events.append(self.receive(until))
            event = self.events[at]
            if event.get("sessionId") == session and event["method"] == method and \
                    all(event["params"].get(key) == value for key, value in wanted.items()):
                return self.events.pop(at)["params"]
            at += 1

    def page(self, **view):
        """A page in a profile of its own: no cookies, storage or history of others."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)
        session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        return Page(self, session["sessionId"], **view)

    def close(self):
        """The whole process group: the browser has children that outlive a crash."""
        try:
            self.call("Browser.close", seconds=5)
            while True:
                self.receive(deadline(10))
        except (Failed, OSError):
            pass
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.waitpid(self.pid, 0)
        os.close(self.commands)
        os.close(self.answers)
        shutil.rmtree(self.folder, ignore_errors=True)


class Page:
    def __init__(self, chrome, session, width=1280, height=800, scheme="light"):
        self.chrome = chrome
        self.session = session
        for domain in ("Page", "Runtime", "Log", "Security", "Network", "Audits"):
            self.call(f"{domain}.enable")
        self.call("Page.setLifecycleEventsEnabled", enabled=True)
        self.resize(width, height)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": scheme}])

    def call(self, method, **params):
        return self.chrome.call(method, session=self.session, **params)

    def resize(self, width, height=800):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=width < 600)

    def go(self, url):
        answer = self.call("Page.navigate", url=url)
        if answer.get("errorText"):
            raise Failed(f"{url}: {answer['errorText']}")
        if answer.get("loaderId"):  # else only the fragment changed
            # This document's own: an earlier one's may still be on its way.
            self.chrome.event(self.session, "Page.lifecycleEvent", name="load",
                              loaderId=answer["loaderId"])

    def reload(self):
        """Until the new document has loaded; the old one's events may still be on their way."""
        old = self.call("Page.getFrameTree")["frameTree"]["frame"]["loaderId"]
        self.call("Page.reload")
        while self.chrome.event(self.session, "Page.lifecycleEvent",
                                name="load")["loaderId"] == old:
            pass

    def evaluate(self, expression, seconds=20):
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True,
                           returnByValue=True, seconds=seconds)
        if "exceptionDetails" in answer:
            raise Failed(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, what, expression, seconds=10):
        """Until the expression is true: it is asked whenever the document changes. What it
        asks for may not be there yet, which is not true yet."""
        try:
            return self.evaluate("""new Promise((resolve) => {
                const look = () => {
                    let value = false;
                    try { value = (%s); } catch (error) { value = false; }
                    if (value) { observer.disconnect(); resolve(value); }
                };
                const observer = new MutationObserver(look);
                observer.observe(document, { attributes: true, childList: true,
                                             characterData: true, subtree: true });
                look();
            })""" % expression, seconds)
        except Failed as reason:
            text = self.evaluate("document.body.innerText")
            raise Failed(f"{what}: not within {seconds} s ({reason}); the page says:\n{text}")

    def text(self, selector):
        return self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? null")

    def key(self, key, modifiers=0):
        # A sign's own number would be that of another key: "." that of Delete.
        plain = ord(key.upper()) if len(key) == 1 and key.isalnum() else 0
        code, text = KEYS.get(key, (plain, key))
        common = {"key": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text,
                  **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def type(self, text):
        for letter in text:
            self.key(letter)

    def tab_to(self, selector, modifiers=0):
        """By the Tab key alone, as somebody without a mouse."""
        wanted = f"document.activeElement?.matches({json.dumps(selector)})"
        for _ in range(40):
            if self.evaluate(wanted):
                return
            self.key("Tab", modifiers)
        raise Failed(f"Tab does not reach {selector}")

    def click(self, selector):
        x, y = self.evaluate(f"""(() => {{
            const element = document.querySelector({json.dumps(selector)});
            element.scrollIntoView({{ block: "center" }});
            const box = element.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        }})()""")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left",
                      clickCount=1)

    def complaints(self):
        """What the browser logged: errors, violations of the policy, exceptions, issues."""
        self.evaluate("1")
        found = []
        for event in self.chrome.events:
            if event.get("sessionId") != self.session:
                continue
            params = event["params"]
            if event["method"] == "Runtime.exceptionThrown":
                found.append(params["exceptionDetails"].get("exception", {}).get("description"))
            elif event["method"] == "Runtime.consoleAPICalled":
                found.append(f"console.{params['type']}")
            elif event["method"] == "Log.entryAdded":
                found.append(f"{params['entry']['level']}: {params['entry']['text']} "
                             f"{params['entry'].get('url', '')}")
            elif event["method"] == "Audits.issueAdded":
                found.append(json.dumps(params["issue"]))
        return found

    def requests(self):
        return [event["params"]["request"] for event in self.chrome.events
                if event.get("sessionId") == self.session
                and event["method"] == "Network.requestWillBeSent"]

    def screenshot(self, path):
        height = self.evaluate("Math.ceil(document.documentElement.getBoundingClientRect().height)")
        width = self.evaluate("innerWidth")
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True,
                         clip={"x": 0, "y": 0, "width": width, "height": max(height, 200),
                               "scale": 1})["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))
