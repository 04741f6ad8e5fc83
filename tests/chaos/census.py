# SPDX-License-Identifier: MIT
"""What a host holds: counted from outside, in /proc, without asking it."""
import collections
import os
import pathlib

import heap
from host import pss_kb

LASTING = ("perigee-hold", "perigeed", "perigee-gate", "perigee-store", "perigee-log",
           "perigee-facts")


def read(path):
    try:
        return pathlib.Path(path).read_bytes()
    except OSError:
        return b""


def stat_of(pid):
    """State letter and parent, None for one that is gone."""
    text = read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return (text[0].decode(), int(text[1])) if len(text) > 1 else None


def tree(root):
    """Every process below root, itself included: orphans come back to the holder."""
    children = collections.defaultdict(list)
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (found := stat_of(entry)):
            children[found[1]].append(int(entry))
    pids, at = [root], 0
    while at < len(pids):
        pids += children[pids[at]]
        at += 1
    return pids


def name_of(pid):
    words = read(f"/proc/{pid}/cmdline").split(b"\0")
    name = os.path.basename(words[0].decode(errors="replace")) or \
        read(f"/proc/{pid}/comm").decode().strip()
    role = b"--role" in words and words[words.index(b"--role") + 1].decode()
    return f"{name}-{role}" if role else name


def fds_of(pid):
    found = []
    try:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                found.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
            except OSError:
                pass
    except OSError:
        pass
    return found


def lasts(name):
    return name.startswith(LASTING)


def close_wait(ports):
    """TCP connections to our doors that the other side has closed and we have not."""
    count = 0
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for row in read(table).splitlines()[1:]:
            words = row.split()
            if int(words[1].rpartition(b":")[2], 16) in ports and words[3] == b"08":
                count += 1
    return count


def cgroups(names):
    """Control groups that carry one of these names."""
    found = []
    for folder, below, _ in os.walk("/sys/fs/cgroup"):
        found += [os.path.join(folder, name) for name in below
                  if any(part in name for part in names)]
        if folder.count("/") > 8:
            below.clear()
    return found


def count(host):
    """Everything that must be as it was when everybody has gone."""
    pids = tree(host.process.pid)
    names = {pid: name_of(pid) for pid in pids}
    links = {pid: fds_of(pid) for pid in pids if lasts(names[pid])}
    runtime = host.folder / "run"
    return {
        "processes": dict(sorted(collections.Counter(names.values()).items())),
        "zombies": sum((stat_of(pid) or ("Z",))[0] == "Z" for pid in pids),
        "fds": {names[pid]: len(found) for pid, found in sorted(links.items())},
        "sockets": {names[pid]: sum(link.startswith("socket:") for link in found)
                    for pid, found in sorted(links.items())},
        "shared": {names[pid]: sum("/memfd:" in link for link in found)
                   for pid, found in sorted(links.items())},
        "threads": {names[pid]: len(os.listdir(f"/proc/{pid}/task")) for pid in sorted(links)
                    if os.path.exists(f"/proc/{pid}/task")},
        "runtime": sorted(str(path.relative_to(runtime)) for path in runtime.rglob("*")),
        "close_wait": close_wait({host.port + offset for offset in (-5, 0, 1, 21)}),
    }


def weights(host):
    """Of those that last, without the pages of files."""
    pids = tree(host.process.pid)
    return {name_of(pid): pss_kb(pid) for pid in sorted(pids) if lasts(name_of(pid))}


def mappings(pid):
    """kB of each mapping, without pages of files, by its name; those without one together."""
    found, name, shared = collections.Counter(), "", False
    for row in read(f"/proc/{pid}/smaps").decode().splitlines():
        words = row.split()
        if not words[0].endswith(":"):
            name = words[5] if len(words) > 5 else "[anonymous]"
            shared = name.startswith(("/memfd:", "/dev/shm/", "/dev/zero"))
        elif words[0] == ("Pss:" if shared else "Anonymous:"):
            found[name] += int(words[1])
    return found


def heaps(host, names):
    """Bytes that processes whose names begin so have not given back, where they can be told."""
    if not names:
        return {}
    pids = tree(host.process.pid)
    found = {name_of(pid): heap.in_use(pid) for pid in sorted(pids)
             if name_of(pid).startswith(tuple(names))}
    return {name: used for name, used in found.items() if used is not None}


def differences(before, after):
    """What is not as before, in words; [] when all is."""
    found = []
    for key, was in before.items():
        now = after[key]
        if was == now:
            continue
        if isinstance(was, dict):
            found += [f"{key}.{name}: {was.get(name, 0)} before, {now.get(name, 0)} after"
                      for name in sorted({*was, *now}) if was.get(name, 0) != now.get(name, 0)]
        else:
            found.append(f"{key}: {was} before, {now} after")
    return found


def more(before, after):
    """Differences that are a rise: a leak; fewer is a process that has not warmed up again."""
    def number(text, word):
        return text.split(word)[0].split()[-1]
    rises = []
    for text in differences(before, after):
        was, now = number(text, " before"), number(text, " after")
        if not (was.isdigit() and now.isdigit()) or int(now) > int(was):
            rises.append(text)
    return rises
