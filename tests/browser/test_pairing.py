#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The pairing page in a real browser, and what its door refuses.

With a second argument that is a file name, leaves a picture of the page there.
"""
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import sys
import threading
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
from chrome import SHIFT, Chrome  # noqa: E402
from host import Failed, Host, deadline, expect, run, wait_for  # noqa: E402

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
PICTURE = sys.argv.pop(2) if len(sys.argv) > 2 else None
WRONG_KEY = "x" * 32
WORDS = "document.querySelector('#message').textContent"
ROWS = "document.querySelectorAll('#waiting li').length"


class Door(Host):
    def wait_ready(self):
        super().wait_ready()
        self.link = wait_for("the whole link", 5, lambda: re.search(
            r"https://\S+#key=\S+(?=\s)", self.text()))[0]
        self.key = self.link.split("#key=")[1]
        self.origin = f"https://127.0.0.1:{self.port + 1}"
        self.url = f"{self.origin}/#key={self.key}"

    def pending(self):
        return self.api("/api/v1/pair/pending")["requests"]

    def waiting(self, keys="viewer", host="127.0.0.1", count=1):
        """A client that shows the PIN 1234 and waits until somebody types it."""
        process = self.probe("pair", "--pin", "1234", "--host", host, keys=keys, background=True)
        wait_for("a waiting client", 10, lambda: len(self.pending()) == count)
        return process

    def ask(self, method, path, headers=None, body=None):
        """One request without a browser's care: the path goes out as it is."""
        loose = ssl._create_unverified_context()
        link = http.client.HTTPSConnection("127.0.0.1", self.port + 1, context=loose, timeout=10)
        link.putrequest(method, path, skip_accept_encoding=True)
        for name, value in {"Connection": "close", **(headers or {})}.items():
            link.putheader(name, value)
        data = json.dumps(body).encode() if body is not None else b""
        link.putheader("Content-Length", str(len(data)))
        link.endheaders(data)
        answer = link.getresponse()
        answer.body = answer.read().decode()
        link.close()
        return answer

    def name_device(self, name):
        """Begins a pairing under this name, with another client's certificate."""
        pem = next(file for file in (self.folder / "viewer").iterdir()
                   if b"BEGIN CERTIFICATE" in file.read_bytes()).read_bytes()
        query = urllib.parse.urlencode({
            "uniqueid": "fedcba9876543210", "devicename": name, "updateState": 1,
            "phrase": "getservercert", "salt": "00" * 16, "clientcert": pem.hex()},
            quote_via=urllib.parse.quote)
        s = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        s.sendall(f"GET /pair?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        return s


def check_clean(page, *expected):
    """No word of the browser but these. Answers with an error status are always logged."""
    for complaint in page.complaints():
        if not any(words in complaint for words in expected):
            raise Failed(f"the browser complains: {complaint}")


def opened(chrome, host, **view):
    page = chrome.page(**view)
    page.go(host.url)
    page.wait("the lists", "!document.querySelector('#lists').hidden")
    return page


# ---- pairing ----

def the_link_lists_a_waiting_client_and_the_typed_pin_pairs_it(build):
    with Door(build) as host, Chrome(PROGRAM) as chrome:
        page = opened(chrome, host)
        expect("title", page.evaluate("document.title") == "Perigee: pair a client")
        expect("language", page.evaluate("document.documentElement.lang") == "en")
        expect("nobody waits", "No client is waiting" in page.text("#lists"))
        client = host.waiting()
        page.wait("the client's row", f"{ROWS} === 1")
        row = host.pending()[0]
        expect("address", page.text("#waiting .address") == row["address"] == "127.0.0.1")
        expect("fingerprint", page.text("#waiting .fingerprint") == row["fingerprint"])
        expect("the PIN has the focus", page.evaluate("document.activeElement.name") == "pin")
        if PICTURE:
            page.resize(860)
            page.screenshot(PICTURE)
        page.type("1234")
        page.key("Tab")
        page.type("TV <b>")
        page.key("Enter")
        page.wait("success", f"{WORDS}.startsWith('Paired.')")
        host.report(client)
        page.wait("the paired client", "document.querySelector('#clients .name')")
        expect("name as text", page.text("#clients .name") == "TV <b>")
        expect("nobody waits", "No client is waiting" in page.text("#lists"))
        check_clean(page)
        foreign = [r["url"] for r in page.requests() if not r["url"].startswith(host.origin + "/")]
        expect(f"only this host is asked, not {foreign}", not foreign)


def a_wrong_pin_says_what_happened_and_what_to_do(build):
    with Door(build) as host, Chrome(PROGRAM) as chrome:
        page = opened(chrome, host)
        client = host.waiting()
        page.wait("the client's row", f"{ROWS} === 1")
        page.type("12")
        page.key("Enter")
        expect("half a PIN is not sent", host.pending() and page.evaluate(WORDS) == "")
        page.type("43")
        page.key("Enter")
        page.wait("the words", f"{WORDS}.startsWith('The PIN was wrong.')")
        expect("a remedy", "Start pairing in Moonlight again" in page.evaluate(WORDS))
        expect("the client is refused", not host.report(client, check=False).get("ok"))
        page.wait("no row", f"{ROWS} === 0")
        check_clean(page, "status of 400")
        client = host.waiting()
        page.wait("the client's row again, and its PIN field",
                  "document.activeElement.matches('.pin')")
        page.type("1234")
        page.key("Enter")
        page.wait("success", f"{WORDS}.startsWith('Paired.')")
        host.report(client)


def each_of_two_waiting_clients_has_its_own_pin(build):
    with Door(build) as host, Chrome(PROGRAM) as chrome:
        first = host.waiting("one")
        second = host.waiting("two", host="::1", count=2)
        page = opened(chrome, host)
        page.wait("two rows", f"{ROWS} === 2")
        expect("both addresses", page.evaluate(
            "[...document.querySelectorAll('#waiting .address')].map((e) => e.innerText).join()")
            == "127.0.0.1,::1")
        page.click("#waiting li:nth-child(1) .label")
        page.type("half typed")
        page.click("#waiting li:nth-child(2) .pin")
        page.type("1234")
        page.click("#waiting li:nth-child(2) button")
        page.wait("one row", f"{ROWS} === 1")
        host.report(second)
        expect("the other still waits", [r["address"] for r in host.pending()] == ["127.0.0.1"])
        expect("what was typed stays",
               page.evaluate("document.querySelector('.label').value") == "half typed")
        page.click(".pin")
        page.type("1234")
        page.click("#waiting button")
        page.wait("no row", f"{ROWS} === 0")
        host.report(first)
        page.wait("two clients", "document.querySelectorAll('#clients li').length === 2")
        check_clean(page)


def the_keyboard_alone_pairs_and_unpairs(build):
    with Door(build) as host, Chrome(PROGRAM) as chrome:
        host.paired()
        client = host.waiting("second")
        page = opened(chrome, host, width=360)
        page.wait("a row each", f"{ROWS} === 1 && document.querySelector('#clients li')")
        page.tab_to("#clients .remove")
        page.tab_to(".pin", SHIFT)
        page.type("1234")
        page.tab_to("#waiting button")
        expect("the focus is seen", page.evaluate(
            "getComputedStyle(document.activeElement).outlineStyle") == "solid")
        page.key(" ")
        page.wait("success", f"{WORDS}.startsWith('Paired.')")
        host.report(client)
        page.wait("the focus on the words", "document.activeElement.id === 'message'")
        page.tab_to("#clients .remove")
        page.call("Runtime.evaluate", expression="setTimeout(() => "
                  "document.activeElement.click())")  # the dialog would hold a key's answer
        chrome.event(page.session, "Page.javascriptDialogOpening")
        page.call("Page.handleJavaScriptDialog", accept=True)
        page.wait("unpaired", f"{WORDS}.endsWith('is no longer paired.')")
        page.wait("one client", "document.querySelectorAll('#clients li').length === 1")
        expect("one client is left", len(host.api("/api/v1/clients")["clients"]) == 1)
        check_clean(page)


# ---- the key ----

def without_a_key_the_page_says_how_to_get_it_and_takes_one(build):
    with Door(build) as host, Chrome(PROGRAM) as chrome:
        for entered in (host.key, f" {host.link} "):
            page = chrome.page()
            page.go(host.origin + "/")
            page.wait("the form", "!document.querySelector('#unlock').hidden")
            expect("how to get it", "perigee pair" in page.text("#unlock"))
            expect("no lists", page.evaluate("document.querySelector('#lists').hidden"))
            expect("the focus", page.evaluate("document.activeElement.id") == "key")
            page.type("not a key")
            page.key("Enter")
            page.wait("words for a damaged key", f"{WORDS}.startsWith('That is no key')")
            page.evaluate("document.querySelector('#key').value = ''")
            page.type(entered)
            page.key("Enter")
            page.wait("the lists", "!document.querySelector('#lists').hidden")
            expect("no words", page.evaluate(WORDS) == "")
            check_clean(page)


def a_wrong_key_is_refused_once_and_asked_for_again(build):
    with Door(build) as host, Chrome(PROGRAM) as chrome:
        page = chrome.page()
        page.go(f"{host.origin}/#key={WRONG_KEY}")
        page.wait("words", f"{WORDS}.startsWith('The key is wrong.')")
        expect("a remedy", "perigee pair" in page.evaluate(WORDS))
        expect("the form", not page.evaluate("document.querySelector('#unlock').hidden"))
        check_clean(page, "status of 401")
        calls = [r for r in page.requests() if "/api/" in r["url"]]
        expect(f"one try, not {len(calls)}: more would lock us out", len(calls) == 1)
        page.type(host.key)
        page.key("Enter")
        page.wait("the lists", "!document.querySelector('#lists').hidden")
        for wrong in ("", "#key=short"):
            page.go(f"{host.origin}/{wrong or '#key=' + host.key}")
        page.wait("a damaged link", f"{WORDS}.startsWith('That is no key')")


def the_key_stays_nowhere_that_is_seen(build):
    with Door(build) as host, Chrome(PROGRAM) as chrome:
        page = opened(chrome, host)
        expect("address bar", host.key not in page.evaluate("location.href"))
        entries = page.call("Page.getNavigationHistory")["entries"]
        expect("the way back", not any(host.key in entry["url"] for entry in entries))
        expect("text", host.key not in page.evaluate("document.documentElement.outerHTML"))
        expect("cookies", page.evaluate("document.cookie") == "")
        expect("URLs", not any(host.key in r["url"] for r in page.requests()))
        page.reload()
        page.wait("a reload goes on", "!document.querySelector('#lists').hidden")
        expect("log", host.key not in host.log())
        other = chrome.page()
        other.go(host.origin + "/")
        other.wait("another tab is asked", "!document.querySelector('#unlock').hidden")


def a_host_that_went_away_is_said_and_forgotten(build):
    with Door(build) as host, Chrome(PROGRAM) as chrome:
        page = opened(chrome, host)
        page.call("Network.emulateNetworkConditions", offline=True, latency=0,
                  downloadThroughput=-1, uploadThroughput=-1)
        page.wait("words", f"{WORDS}.startsWith('The host does not answer.')")
        page.call("Network.emulateNetworkConditions", offline=False, latency=0,
                  downloadThroughput=-1, uploadThroughput=-1)
        page.wait("no words", f"{WORDS} === ''")
        check_clean(page, "ERR_INTERNET_DISCONNECTED")


# ---- how it looks ----

CONTRAST = """(() => {
    const parse = (text) => text.match(/[\\d.]+/g).map(Number);
    const light = (rgb) => rgb.slice(0, 3).map((c) => c / 255)
        .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = (element) => {
        for (; element; element = element.parentElement) {
            const colour = parse(getComputedStyle(element).backgroundColor);
            if (colour.length === 3 || colour[3] === 1) return colour;
        }
        throw new Error("no background");
    };
    const poor = [];
    for (const element of document.body.querySelectorAll("*")) {
        const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
        if (!element.checkVisibility() || !(own || element.matches("input"))) continue;
        const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < 4.5) poor.push(`${element.localName}.${element.className} ${ratio}`);
    }
    return poor;
})()"""

MISFITS = """[...document.querySelectorAll("main *")].filter((e) => e.checkVisibility())
    .filter((e) => {
        const box = e.getBoundingClientRect();
        return box.left < 0 || box.right > innerWidth ||
            (e.matches("input, button") && box.height < 44);
    }).map((e) => `${e.localName}.${e.className}`)"""


def check_looks(page, what):
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    expect(f"{what}: {wide} px too wide", wide <= 0)
    misfits = page.evaluate(MISFITS)
    expect(f"{what}: outside or too small to touch: {misfits}", not misfits)
    poor = page.evaluate(CONTRAST)
    expect(f"{what}: hard to read: {poor}", not poor)
    page.call("Accessibility.enable")
    for node in page.call("Accessibility.getFullAXTree")["nodes"]:
        if node.get("role", {}).get("value") in ("textbox", "button", "form", "region"):
            expect(f"{what}: {node['role']} has no name", node.get("name", {}).get("value"))


def the_page_fits_small_and_wide_screens_light_and_dark(build):
    with Door(build) as host, Chrome(PROGRAM) as chrome:
        host.paired()
        client = host.waiting("second")
        grounds = set()
        for scheme in ("light", "dark"):
            for width in (360, 1280):
                what = f"{scheme} {width}"
                page = opened(chrome, host, width=width, scheme=scheme)
                page.wait("the rows", f"{ROWS} === 1 && document.querySelector('#clients li')")
                check_looks(page, what)
                page.evaluate("say('The PIN was wrong.', false)")
                check_looks(page, what + " bad")
                page.evaluate("say('Paired.', true)")
                check_looks(page, what + " good")
                grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
                page.evaluate("askForKey('The key is wrong.')")
                check_looks(page, what + " asking")
                check_clean(page)
        expect("two schemes", len(grounds) == 2)
        client.kill()
        client.communicate()


# ---- what the door refuses ----

@contextlib.contextmanager
def evil_site(document):
    """A page of another origin on this machine, so that no rule of networks comes first."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(document.encode())

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def a_client_cannot_name_itself_into_the_page(build):
    with Door(build) as host, Chrome(PROGRAM) as chrome:
        host.paired()
        name = "<img src=x onerror=alert(1)><script>1</script>"
        with host.name_device(name):
            wait_for("a waiting client", 10, host.pending)
            page = opened(chrome, host)
            page.wait("its row", f"{ROWS} === 1")
            expect("the name as text", page.text("#waiting .name") == name)
            own = page.evaluate("document.querySelectorAll('main script, img[src=x]').length")
            expect("no element of its own", own == 0)
            check_clean(page)


def other_sites_can_neither_use_nor_frame_it(build):
    with Door(build) as host, Chrome(PROGRAM) as chrome:
        key = {"X-Perigee-Key": host.key}
        body = {"pin": "1234"}
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"},
                        {"Origin": f"https://127.0.0.1:{host.port}"},
                        {"Origin": f"http://127.0.0.1:{host.port + 1}"},
                        {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
            answer = host.ask("POST", "/api/v1/pair/client", {**key, **headers}, body)
            expect(f"{headers} is refused, not {answer.status}", answer.status == 403)
            expect("no CORS", answer.getheader("Access-Control-Allow-Origin") is None)
        own = {"Origin": host.origin, "Sec-Fetch-Site": "same-origin"}
        expect("its own page may", host.ask("GET", "/api/v1/clients", {**key, **own}).status == 200)
        answer = host.ask("OPTIONS", "/api/v1/pair/client", {
            "Origin": "https://evil.example", "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-perigee-key"})
        expect("no preflight", answer.status >= 400 and
               answer.getheader("Access-Control-Allow-Origin") is None)
        document = f'<!doctype html><title>evil</title><iframe src="{host.origin}/"></iframe>'
        with evil_site(document) as site:
            page = chrome.page()
            page.go(site)
            chrome.event(page.session, "Network.loadingFailed",
                         errorText="net::ERR_BLOCKED_BY_RESPONSE")
            wait_for("the reason", 10,
                     lambda: '"frame-ancestors \'none\'"' in "\n".join(page.complaints()))
            tried = page.evaluate(f"""fetch("{host.origin}/api/v1/clients", {{ headers: {{
                "X-Perigee-Key": "{host.key}" }} }}).then(() => "read", () => "refused")""")
            expect(f"another origin's script is refused, not {tried}", tried == "refused")
            wait_for("the missing leave as the reason", 10,
                     lambda: "CORS policy" in "\n".join(page.complaints()))


def every_answer_is_confined_also_errors(build):
    with Door(build) as host:
        key = {"X-Perigee-Key": host.key}
        for method, path, headers, status in (
                ("GET", "/", {}, 200), ("GET", "/pair.js", {}, 200), ("GET", "/icon.svg", {}, 200),
                ("GET", "/api/v1/clients", key, 200), ("GET", "/api/v1/clients", {}, 401),
                ("GET", "/api/v1/clients", {**key, "Origin": "https://evil.example"}, 403),
                ("POST", "/", {}, 405), ("GET", "/<script>alert(1)</script>", {}, 404),
                ("POST", "/api/v1/pair/client", key, 400), ("BREW", "/", {}, None),
                ("GET", "/api/v1/pair/link", key, 404),
                ("GET", "/../etc/passwd", {}, 404), ("GET", "/%2e%2e/etc/passwd", {}, 404),
                ("GET", "/..%2f..%2fetc/passwd", {}, 404), ("GET", "//etc/passwd", {}, 404),
                ("GET", "/pair.js/../../etc/passwd", {}, 404), ("GET", "/pair.js%00", {}, 404),
                ("GET", "etc/passwd", {}, None)):
            answer = host.ask(method, path, headers)
            what = f"{method} {path}"
            expect(f"{what}: {answer.status}, not {status}",
                   answer.status == status if status else 400 <= answer.status < 600)
            policy = answer.getheader("Content-Security-Policy") or ""
            expect(f"{what}: policy {policy}", policy.startswith("default-src 'none'") and
                   "frame-ancestors 'none'" in policy and "unsafe" not in policy)
            for name, value in (("X-Content-Type-Options", "nosniff"),
                                ("Referrer-Policy", "no-referrer"), ("Cache-Control", "no-store")):
                expect(f"{what}: {name}", answer.getheader(name) == value)
            expect(f"{what}: nothing reflected, nothing read",
                   "<script>a" not in answer.body and "root:" not in answer.body)


def the_link_is_told_on_the_hosts_own_socket(build):
    with Door(build) as host:
        answer = host.api("/api/v1/pair/link")
        expect(f"{answer} has {host.link}", answer == {"success": True, "url": host.link})


if __name__ == "__main__":
    if not PROGRAM:
        print("no chromium is installed")
        sys.exit(77)
    if not os.access(pathlib.Path(sys.argv[1]) / "src/cli/perigee-probe", os.X_OK):
        print("perigee-probe is not built")
        sys.exit(77)
    run([the_link_lists_a_waiting_client_and_the_typed_pin_pairs_it,
         a_wrong_pin_says_what_happened_and_what_to_do,
         each_of_two_waiting_clients_has_its_own_pin,
         the_keyboard_alone_pairs_and_unpairs,
         without_a_key_the_page_says_how_to_get_it_and_takes_one,
         a_wrong_key_is_refused_once_and_asked_for_again,
         the_key_stays_nowhere_that_is_seen,
         a_host_that_went_away_is_said_and_forgotten,
         the_page_fits_small_and_wide_screens_light_and_dark,
         a_client_cannot_name_itself_into_the_page,
         other_sites_can_neither_use_nor_frame_it,
         every_answer_is_confined_also_errors,
         the_link_is_told_on_the_hosts_own_socket])
