#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fails when a built program calls what no program of ours may call, or what only some may, or is
not linked as hardened as it must be. Reads the dynamic symbols, so it sees what the code does.

What it shuts out elsewhere: CVE-2024-31226 (a program found by a half-quoted path), CVE-2025-54081,
CVE-2025-10198 and CVE-2025-10199 (libraries found by a search order), GHSA-fp6g-27w5-489j (a
privileged program that loads modules by name).
"""
import pathlib
import re
import subprocess
import sys

# Shells, programs and libraries by search path; strings without a length.
NOBODY = """system popen execlp execvp execvpe posix_spawnp dlopen dlmopen gets strcpy strcat sprintf
vsprintf scanf sscanf __isoc99_scanf __isoc99_sscanf strtok atoi mktemp tmpnam""".split()
# Whoever needs one more: a line here, and why in the commit.
ONLY = {
    "execv": {"perigee", "perigee-exec"},
    "posix_spawn": {"perigeed", "perigee-hold", "perigee-runner"},
    # Names are looked up by people's tools, never by the host (architecture, law 2);
    # perigee-trial has the probe's code, and is given numbers.
    "getaddrinfo": {"perigee", "perigee-probe", "perigee-trial"},
    "setuid": {"perigee-exec"},
    "fork": {"perigee", "perigee-exec", "perigeed"},
}
OF_WEB_PAGES = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function")


def read(flags, path):
    return subprocess.run(["readelf", "-W", *flags, path], check=True, text=True,
                          capture_output=True).stdout


def faults_of(path):
    called = set(re.findall(r" UND (\w+)", read(["--dyn-syms"], path)))
    for name in sorted(called):
        if name in NOBODY:
            yield f"calls {name}()"
        if name in ONLY and path.name not in ONLY[name]:
            yield f"calls {name}(), which is for {', '.join(sorted(ONLY[name])) or 'nobody'}"
    dynamic = read(["-d"], path)
    if re.search(r"\((RPATH|RUNPATH)\)", dynamic):
        yield "has a search path for libraries of its own"
    if not re.search(r"BIND_NOW|\bNOW\b", dynamic):
        yield "resolves symbols late"
    if "Type:                              DYN" not in read(["-h"], path):
        yield "is not position independent"
    segments = read(["-l"], path)
    if "GNU_RELRO" not in segments:
        yield "keeps its tables writable"
    if re.search(r"GNU_STACK .*RWE", segments):
        yield "has an executable stack"


def main():
    build, source = map(pathlib.Path, sys.argv[1:3])
    programs = [path for path in sorted(build.glob("src/*/perigee*"))
                if path.is_file() and path.read_bytes()[:4] == b"\x7fELF"]
    bad = [f"{path.name} {fault}" for path in programs for fault in faults_of(path)]
    for page in sorted((source / "web").glob("*.js")):
        for number, line in enumerate(page.read_text().splitlines(), 1):
            if OF_WEB_PAGES.search(line):
                bad.append(f"web/{page.name}:{number} makes elements of text")
    print("\n".join(bad) or f"{len(programs)} programs are as they must be")
    return 1 if bad or len(programs) < 10 else 0


if __name__ == "__main__":
    sys.exit(main())
