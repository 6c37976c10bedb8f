#!/usr/bin/env python3
"""Draws the generations of a credential under the example's rotation_period and overlap, to standard output.

The dates come from the example itself, so that the drawing cannot tell another story than the configuration.
It is text, because a page in a registry shows no picture that lies beside it.
"""
import pathlib
import re
import sys

EXAMPLE = pathlib.Path(__file__).resolve().parent.parent / "examples" / "rotation-with-overlap" / "main.tf"
# Each pipeline runs a few hours after what it finds due: a day is the coarsest schedule that the guides advise.
RUN_EVERY = 1
# A day is one character.
LEFT, CURRENT, OLD = 14, "#", "="


def main():
    period, overlap = (days(name) for name in ("rotation_period", "overlap"))
    shown = 2 * period + overlap + 7
    generations = history(period, overlap, shown)
    sys.stdout.write(drawing(generations, period, overlap, shown))


def days(argument):
    found = re.search(rf'^\s*{argument}\s*=\s*"(\d+)d"', EXAMPLE.read_text(), re.MULTILINE)
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


def drawing(generations, period, overlap, shown):
    lines = [
        f'rotation_period = "{period}d", overlap = "{overlap}d", one apply each day',
        "",
        "day".ljust(LEFT) + "".join(str(day).ljust(10) for day in range(0, shown + 1, 10)),
        " " * LEFT + "".join("|" if day % 10 == 0 else " " for day in range(shown + 1)),
    ]
    lines += [row(number, generation, shown) for number, generation in enumerate(generations, 1)]
    lines += [
        "",
        f"{CURRENT}  current: in the state, and with everything that the apply updates",
        f"{OLD}  old: still valid, for consumers that fetch the new one when they like",
    ]
    return "".join(line.rstrip() + "\n" for line in lines)


def row(number, generation, shown):
    issued, succeeded, revoked = generation
    line = f"generation {number}".ljust(LEFT) + " " * issued
    line += CURRENT * ((shown if succeeded is None else succeeded) - issued)
    if succeeded is not None:
        line += OLD * ((shown if revoked is None else revoked) - succeeded)
    return line if revoked is None else line + " revoked"


if __name__ == "__main__":
    main()
