# SPDX-License-Identifier: MIT
"""Does a row of measurements grow? A least-squares line, judged by its own noise."""
import math


def line(values):
    """Slope a step and its standard error."""
    n = len(values)
    if n < 3:
        return 0.0, 0.0
    mean_x, mean_y = (n - 1) / 2, sum(values) / n
    spread = sum((x - mean_x) ** 2 for x in range(n))
    slope = sum((x - mean_x) * (y - mean_y) for x, y in enumerate(values)) / spread
    rest = sum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in enumerate(values))
    return slope, math.sqrt(rest / (n - 2) / spread)


def warm(values):
    """The first quarter warms caches up, arenas and pools."""
    return values[len(values) // 4:]


def grows(values, least):
    """True when the line rises by more than three of its standard errors, and over the whole
    run by more than `least`: below that it is one cache line or one late close, not a leak."""
    values = warm(values)
    slope, error = line(values)
    return slope > 3 * error and slope * len(values) > least


def words(name, values):
    slope, error = line(warm(values))
    return f"{name}: {values[0]} .. {values[-1]}, slope {slope:+.4f} +- {error:.4f} a step"
