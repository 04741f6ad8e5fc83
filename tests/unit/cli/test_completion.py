#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What bash offers behind words of perigee's.

    test_completion.py COMPLETION
"""
import os
import subprocess
import sys
import unittest

FILE = os.path.abspath(sys.argv[1])
SCRIPT = """source "$0" || exit
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_perigee
printf '%s\\n' "${COMPREPLY[@]}" """


def offered(*words):
    done = subprocess.run(["bash", "--norc", "-c", SCRIPT, FILE, "perigee", *words],
                          capture_output=True, text=True, timeout=20, check=True)
    return done.stdout.split()


class Completion(unittest.TestCase):
    def test_words_by_their_place(self):
        for words, wanted in ((["lo"], ["lobby", "logs"]), (["clip"], ["clipboard"]),
                              (["lobby", "j"], ["join"]), (["clipboard", ""], ["get", "set"]),
                              (["import", "w"], ["wolf"]), (["config", "r"], ["reload"]),
                              (["permit", "3f2a", "lobby_j"], ["lobby_join"]),
                              (["--runtime", "/run/perigee", "lobby", "st"], ["stop"]),
                              (["--json", "sessions", "p"], ["pause"]),
                              (["lobby", "--role", ""], ["player", "viewer"]),
                              (["lobby", "join", "L", "--role", "p"], ["player"]),
                              (["status", "--js"], ["--json"])):
            self.assertEqual(offered(*words), wanted, words)

    def test_files_and_ids_are_not_ours(self):
        for words in (["backup", ""], ["screenshot", "5", ""], ["--runtime", ""],
                      ["lobby", "join", "L", "--session", ""], ["import", "wolf", ""]):
            self.assertEqual(offered(*words), [], words)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
