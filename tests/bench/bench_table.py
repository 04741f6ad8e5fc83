# SPDX-License-Identifier: MIT
"""The table of figures, and the arithmetic behind it."""


def percentile(values, percent):
    """The smallest value that at least `percent` of all do not exceed."""
    ordered = sorted(values)
    if not ordered:
        return float("nan")
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * percent // 100) - 1))]


def class_percentile(counts, borders, percent):
    """Of values known only by class: the upper border of the class it lies in."""
    total, seen = sum(counts), 0
    for count, border in zip(counts, borders):
        seen += count
        if total and seen * 100 >= total * percent:
            return border
    return float("inf") if total else float("nan")


def share_below(counts, borders, limit):
    """Percent of values known only by class; limit is one of the borders."""
    within = sum(count for count, border in zip(counts, borders) if border <= limit)
    return within / max(sum(counts), 1) * 100


class Table:
    def __init__(self):
        self.rows = []

    def add(self, figure, limit, measured, met=None):
        """met: None where there is no limit, or nothing was measured."""
        self.rows.append({"figure": figure, "limit": limit, "measured": measured, "met": met})

    def add_below(self, figure, limit, value, unit, note=""):
        measured = f"{value:.4g} {unit}{note}"
        self.add(figure, f"<= {limit:g} {unit}", measured, value <= limit)

    def add_class(self, figure, limit, border, unit, note=""):
        measured = f"< {border:g} {unit}{note}"
        self.add(figure, f"<= {limit:g} {unit}", measured, border <= limit)

    def show(self):
        words = {None: "", True: "met", False: "MISSED"}
        lines = [("figure", "limit", "measured", "")]
        lines += [(r["figure"], r["limit"], r["measured"], words[r["met"]]) for r in self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(4)]
        for line in lines:
            print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
