#!/usr/bin/env python3
"""Draws the life of generations under the example's rotation_period and overlap, as SVG to standard output.

The dates come from the example itself, so that the picture cannot tell another story than the configuration.
"""
import pathlib
import re
import sys

EXAMPLE = pathlib.Path(__file__).resolve().parent.parent / "examples" / "rotation-with-overlap" / "main.tf"
# Each pipeline runs a few hours after what it finds due: a day is the coarsest schedule that the guides advise.
RUN_EVERY = 1
LEFT, RIGHT, TOP, ROW, BAR = 130, 50, 64, 46, 22
PIXELS_A_DAY = 9
CURRENT, OLD, INK, FAINT = "#2a7f62", "#e0a030", "#24292f", "#8c959f"


def main():
    period, overlap = (days(name) for name in ("rotation_period", "overlap"))
    shown = 2 * period + overlap + 7
    generations = history(period, overlap, shown)
    sys.stdout.write(picture(generations, period, overlap, shown))


def days(argument):
    found = re.search(rf'^\s*{argument}\s*=\s*"P(\d+)D"', EXAMPLE.read_text(), re.MULTILINE)
    if not found:
        sys.exit(f"{EXAMPLE} has no {argument} in days")
    return int(found[1])


def history(period, overlap, shown):
    """What a daily apply does: (issued, succeeded, revoked) of each generation, in days; None is not yet."""
    generations, issued = [], 0
    while issued <= shown:
        succeeded = issued + period + RUN_EVERY
        revoked = succeeded + overlap + RUN_EVERY
        generations.append((issued, succeeded if succeeded <= shown else None, revoked if revoked <= shown else None))
        issued = succeeded
    return generations


def picture(generations, period, overlap, shown):
    width = LEFT + shown * PIXELS_A_DAY + RIGHT
    bottom = TOP + len(generations) * ROW
    height = bottom + 88
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="13" fill="{INK}" role="img" aria-labelledby="t">',
        f'<title id="t">Generations under rotation_period = P{period}D and overlap = P{overlap}D</title>',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        text(16, 28, f"rotation_period = P{period}D, overlap = P{overlap}D, an apply each day", size=15, weight="bold"),
    ]
    for day in range(0, shown + 1, 10):
        parts.append(f'<line x1="{x(day)}" y1="{TOP - 12}" x2="{x(day)}" y2="{bottom}" stroke="#e6e8eb"/>')
        parts.append(text(x(day), bottom + 18, f"day {day}", FAINT, anchor="middle"))
    for number, generation in enumerate(generations, 1):
        parts += row(number, generation, shown)
    for at, (colour, label) in enumerate([
        (CURRENT, "current: in the state and at every dependent of the apply"),
        (OLD, "old: still valid, for consumers that fetch the new one in their own time; the apply after it revokes"),
    ]):
        y = bottom + 36 + at * 20
        parts.append(f'<rect x="{LEFT}" y="{y}" width="22" height="12" fill="{colour}"/>')
        parts.append(text(LEFT + 30, y + 11, label))
    return "\n".join([*parts, "</svg>", ""])


def row(number, generation, shown):
    issued, succeeded, revoked = generation
    y = TOP + (number - 1) * ROW
    yield text(16, y + BAR - 6, f"generation {number}")
    yield bar(issued, shown if succeeded is None else succeeded, y, CURRENT)
    if succeeded is not None:
        yield bar(succeeded, shown if revoked is None else revoked, y, OLD)
        below = y + BAR + ROW - 8
        yield f'<line x1="{x(succeeded)}" y1="{y}" x2="{x(succeeded)}" y2="{below}" stroke="{INK}" stroke-dasharray="3 3"/>'
    if revoked is not None:
        yield text(x(revoked) + 6, y + BAR - 6, "revoked", FAINT)


def bar(begin, end, y, colour):
    return f'<rect x="{x(begin)}" y="{y}" width="{x(end) - x(begin)}" height="{BAR}" fill="{colour}"/>'


def text(at, y, words, fill=INK, size=13, weight="normal", anchor="start"):
    return f'<text x="{at}" y="{y}" fill="{fill}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}">{words}</text>'


def x(day):
    return LEFT + day * PIXELS_A_DAY


if __name__ == "__main__":
    main()
