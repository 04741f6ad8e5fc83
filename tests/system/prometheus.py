# SPDX-License-Identifier: MIT
"""A strict reader of Prometheus' text form, version 0.0.4: what it does not refuse, a real
one takes. Knows nothing of the host."""
import math
import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
TYPES = {"counter", "gauge", "histogram", "summary", "untyped"}
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count")}


class Malformed(Exception):
    pass


def read_labels(text):
    """{a="b",c="d\\n"} at the beginning of text -> (dict, rest)."""
    labels, at = {}, 1
    while text[at] != "}":
        match = LABEL.match(text, at)
        if not match or text[match.end():match.end() + 2] != '="':
            raise Malformed(f"label: {text}")
        at, value = match.end() + 2, ""
        while text[at] != '"':
            if text[at] == "\\":
                at += 1
                value += {"n": "\n", "\\": "\\", '"': '"'}[text[at]]
            else:
                value += text[at]
            at += 1
        if match[0] in labels:
            raise Malformed(f"label twice: {text}")
        labels[match[0]] = value
        at += 1
        if text[at] == ",":
            at += 1
        elif text[at] != "}":
            raise Malformed(f"labels: {text}")
    return labels, text[at + 1:]


class Families:
    """families: name -> type; samples: (name, labels as sorted pairs) -> value."""

    def __init__(self, text):
        self.families, self.helps, self.samples = {}, {}, {}
        self.current = None
        if not text.endswith("\n"):
            raise Malformed("the last line does not end")
        for line in text.splitlines():
            try:
                self.read(line)
            except (IndexError, KeyError, ValueError) as reason:
                raise Malformed(f"{line}: {reason}") from reason
        self.check_histograms()

    def read(self, line):
        if line.startswith("# HELP "):
            name, words = line[7:].split(" ", 1)
            if name in self.helps or not words:
                raise Malformed(f"HELP twice, or empty: {line}")
            self.helps[name] = words
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            if name in self.families or kind not in TYPES or name not in self.helps:
                raise Malformed(f"TYPE twice, unknown, or without HELP: {line}")
            self.families[name] = kind
            self.current = name
        else:
            self.sample(line)

    def sample(self, line):
        match = NAME.match(line)
        name, rest = match[0], line[match.end():]
        labels, rest = read_labels(rest) if rest[0] == "{" else ({}, rest)
        if rest[0] != " " or rest.count(" ") != 1:
            raise Malformed(f"value: {line}")
        value = float(rest[1:])
        kind = self.families[self.current]
        if name not in [self.current + suffix for suffix in SUFFIXES.get(kind, ("",))]:
            raise Malformed(f"{name} is not of the family {self.current}")
        if kind == "counter" and (not name.endswith("_total") or value < 0):
            raise Malformed(f"a counter is called _total and never negative: {line}")
        key = (name, tuple(sorted(labels.items())))
        if key in self.samples:
            raise Malformed(f"twice: {line}")
        self.samples[key] = value

    def check_histograms(self):
        for family, kind in self.families.items():
            if kind != "histogram":
                continue
            series = {}
            for (name, labels), value in self.samples.items():
                if name == family + "_bucket":
                    rest = tuple(pair for pair in labels if pair[0] != "le")
                    series.setdefault(rest, []).append((float(dict(labels)["le"]), value))
            for rest, buckets in series.items():
                counts = [value for _, value in sorted(buckets)]
                if counts != sorted(counts) or max(buckets)[0] != math.inf or \
                        counts[-1] != self.samples[(family + "_count", rest)] or \
                        (family + "_sum", rest) not in self.samples:
                    raise Malformed(f"the buckets of {family} do not add up")

    def value(self, name, **labels):
        return self.samples.get((name, tuple(sorted(labels.items()))))

    def sum(self, name):
        return sum(value for (other, _), value in self.samples.items() if other == name)
