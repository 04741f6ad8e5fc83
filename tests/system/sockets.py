# SPDX-License-Identifier: MIT
"""The sockets of a desktop, by which somebody could get at it."""
import pathlib
import re

from host import expect


def of_desktop(host, app):
    """Its own folder's, its X server's, and the abstract one that X servers have as well."""
    session = host.status("session", app=app)[0]["id"]
    folder = host.folder / "run" / f"s-{session}"
    display = re.search(rf"event=desktop-ready session={session} .*?x_display=\"?:(\d+)", host.log())
    found = [str(folder / name) for name in ("perigee.sock", "wayland-0", "pulse/native")]
    if display:
        found.append(f"/tmp/.X11-unix/X{display[1]}")
    for path in found:
        expect(f"it is there: {path}", pathlib.Path(path).is_socket())
    return found + ["@" + path for path in found[3:]]
