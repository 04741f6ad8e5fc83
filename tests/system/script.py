# SPDX-License-Identifier: MIT
"""How a script that a person runs over a build folder begins and ends."""
import argparse
import sys

from host import Failed


def options(doc, **defaults):
    """The build folder, and an option for each of the defaults, which say its type; False is
    that of a flag. doc: the script's own, whose first line the help begins with."""
    parser = argparse.ArgumentParser(description=doc.split("\n")[0])
    parser.add_argument("build")
    for name, value in defaults.items():
        if value is False:
            parser.add_argument(f"--{name}", action="store_true")
        else:
            parser.add_argument(f"--{name}", type=type(value), default=value)
    return parser.parse_args()


def end(deed):
    """Does it; prints each of the faults that it returns, or raises, and exits with 1 then."""
    try:
        faults = deed()
    except Failed as reason:
        faults = [str(reason)]
    for text in faults:
        print(f"FAULT {text}")
    sys.exit(1 if faults else 0)
