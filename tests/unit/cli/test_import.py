#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""perigee import: what comes out is good, and everything else is said with its reason.

    test_import.py PERIGEE-IMPORT PERIGEED
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT, PERIGEED = (os.path.abspath(path) for path in sys.argv[1:3])
SAMPLES = pathlib.Path(__file__).parent / "import"


def run(kind, path):
    done = subprocess.run([sys.executable, SCRIPT, kind, str(path)], capture_output=True, text=True,
                          timeout=60, check=False, env={**os.environ, "PERIGEED": PERIGEED})
    return done.returncode, done.stdout, done.stderr


def check(text):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        done = subprocess.run([PERIGEED, "--config", file.name, "--check"], capture_output=True,
                              text=True, timeout=60, check=False)
        return done.returncode, done.stderr


class Import(unittest.TestCase):
    def test_wolf(self):
        code, out, err = run("wolf", SAMPLES / "wolf.toml")
        self.assertEqual(code, 0, err)
        self.assertEqual(check(out)[0], 0, check(out)[1] + out)
        for part in ('name: "Attic"', '  - {"id": "user", "name": "Ann", "pin": "1234"}', 'title: "Paint"', 'command: ["paint", "--full", "a b"]',
                     "hdr: true", 'title: "Shell"'):
            self.assertIn(part, out)
        for part in ("taken: hostname 'Attic'", "not taken: app 'Wolf UI'",
                     "not taken: icon_png_path of 'Paint'", "not taken: app 'Guest'",
                     "taken: profile 'Ann' with its PIN",
                     "not taken: that the apps of profile 'Ann' are its alone",
                     "not taken: 1 paired clients", '"run_uid": 1001', "not taken: gstreamer",
                     "not taken: uuid", "not taken: surprise"):
            self.assertIn(part, err)
        self.assertNotIn("BEGIN CERTIFICATE", out + err)
        # A container's command is its image's; what perigee.yaml cannot say is left out alone.
        for part in ('title: "Firefox"', 'image: "ghcr.io/games-on-whales/firefox:edge"',
                     'mounts: ["/srv/data:/data:rw", "/srv/more:/more:ro"]', 'env: ["RUN_SWAY=1"]',
                     'devices: ["/dev/input:/dev/input:rwm"]', 'ports: ["8080:80/tcp"]',
                     "gpu: true"):
            self.assertIn(part, out)
        for part in ("not taken: render_node of 'Firefox'", "not taken: mounts 'cache:/cache'",
                     "not taken: 'ro,z' of the mount", "not taken: env 'NOVALUE'",
                     "not taken: ports '9999'", "not taken: an app without a title"):
            self.assertIn(part, err)

    def test_sunshine(self):
        code, out, err = run("sunshine", SAMPLES / "apps.json")
        self.assertEqual(code, 0, err)
        self.assertEqual(check(out)[0], 0, check(out)[1] + out)
        for part in ('title: "Game"', "first\\nsecond\\ngame --save ${HOME}/saves\\nstatus=$?\\nlast",
                     'folder: "/srv/game"', 'env: ["LOOK=dark"]', 'title: "Helper"',
                     "helper one &", 'command: ["foot", "-e", "top"]',
                     'command: ["retro", "-f", "a b"]'):
            self.assertIn(part, out)
        for part in ("not taken: app 'Desktop'", "not taken: image-path of 'Game'",
                     "not taken: exit-timeout of 'Game'", "not taken: elevated steps of 'Game'",
                     "not taken: a second app 'Plain'", "not taken: app 'Long'",
                     "not taken: env PATH", "not taken: env DISPLAY", "not taken: gamepad of 'Listed': not known here"):
            self.assertIn(part, err)
        self.assertNotIn("elevated of 'Listed'", err)
        self.assertNotIn("type:", out)  # the host decides, as for any app
        lines = {line.split('"')[1]: json.loads(after.split("command: ")[1])
                 for line, after in zip(out.splitlines(), out.splitlines()[1:])
                 if "title: " in line}
        said = subprocess.run(lines["Quoted"][:2] + ["doom() { printf '%s|' \"$@\"; }; " +
                                                     lines["Quoted"][2]], capture_output=True,
                              text=True, env={"HOME": "/home/a"}, check=True)
        self.assertEqual(said.stdout, "/home/a/a b.wad|it's /home/a|")

    def test_nonsense(self):
        for kind, text in (("wolf", "[[["), ("sunshine", "{"), ("sunshine", "[1]"),
                           ("wolf", "apps = 3\n")):
            with tempfile.NamedTemporaryFile("w") as file:
                file.write(text)
                file.flush()
                code, out, err = run(kind, file.name)
                self.assertEqual((code, out), (1, ""), text)
                self.assertIn("cannot be read", err)
        self.assertEqual(run("wolf", "/nowhere")[0], 1)
        self.assertEqual(run("steam", "/dev/null")[0], 1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
