# SPDX-License-Identifier: MIT
"""A device node that comes to a desktop while its app runs, as one of a gamepad does."""
import os
import pathlib
import stat

from host import expect, wait_for

# There is no such device: to open it fails otherwise than for one that is forbidden.
NODE, RAW = "event191", "hidraw9"
NUMBER = os.makedev(13, 255)

# Of the app; FIFO lets it look only once the node was made.
SCRIPT = """
echo pads-wait in $(ls /run/udev)
read go <FIFO
echo pads-see $(ls /dev/input) with $(cat /run/udev/data/c13:255)
test -c /dev/input/event191 && echo pads-node
test -c /dev/hidraw9 && echo pads-raw
cat /dev/input/event191 2>&1
echo pads-done
"""


def can_make():
    return os.getuid() == 0 and os.access("/dev", os.W_OK)


def folder_of(host, session):
    name = "/dev/perigee" + str(host.folder / "run").replace("/", "-")
    return pathlib.Path(name) / f"s-{session}"


def come_to(host, app, fifo, mark, words="No such device"):
    """The node is in the app's /dev/input; words: what opening it answers."""
    host.wait_log("pads-wait in control data", 20, mark)
    folder = folder_of(host, host.status("session", app=app)[0]["id"])
    for path in (folder / "input" / NODE, folder / "raw" / RAW):
        os.mknod(path, stat.S_IFCHR | 0o666, NUMBER)
        os.chmod(path, 0o666)
    (folder / "udev/data/c13:255").write_text("E:ID_INPUT=1\n")
    with open(fifo, "w", encoding="ascii") as pipe:
        pipe.write("go\n")
    host.wait_log("pads-done", 20, mark)
    log = [line for line in host.log()[mark:].splitlines() if "event=app-output" in line]
    said = "\n".join(log)
    expect(f"the one with its reports is where apps look for it: {said}", "pads-raw" in said)
    expect(f"it is there, and alone: {said}", "pads-node" in said and
           f"pads-see {NODE} with E:ID_INPUT=1" in said)
    expect(f"{words}: {said}", words in said)
    return folder


def are_gone(folder):
    wait_for("the folder goes with its desktop", 10, lambda: not folder.exists())
