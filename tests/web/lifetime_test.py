#!/usr/bin/env python3
"""Objects that outlive their loop, and loops that outlive their objects, in programs of their own: `lifetime_test.py PROGRAM`."""

import signal
import subprocess
import sys

from tap import Tap

PROGRAM = sys.argv[1]
PATIENCE = 60.0


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False)


def problems_of(kind, order):
    done = run(kind, order)
    if done.returncode == 0 and "main returns" in done.stdout:
        return []
    how = signal.Signals(-done.returncode).name if done.returncode < 0 else f"status {done.returncode}"
    return [f"{order}: {how}\n{done.stdout}{done.stderr[-4000:]}"]


def main():
    names = [line.split() for line in run().stdout.splitlines()]
    kinds = [name for what, name in names if what == "kind"]
    orders = [name for what, name in names if what == "order"]
    tap = Tap()
    tap.check("the program has kinds and orders", [] if kinds and orders else ["none"])
    for kind in kinds:
        tap.check(
            f"{kind}: the program ends well, whichever of the object and its loop ends first",
            [problem for order in orders for problem in problems_of(kind, order)],
        )
    tap.end()


main()
