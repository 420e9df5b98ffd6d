#!/usr/bin/env python3
"""With assertions, an object of a running loop cannot be used on another thread: `thread_check_test.py PROGRAM`."""

import signal
import subprocess
import sys

from tap import Tap

PROGRAM = sys.argv[1]
PATIENCE = 60.0
MESSAGE = "was used on another thread: call add_callback() there"


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False)


def main():
    tap = Tap()
    for use in run().stdout.split():
        done = run(use)
        good = done.returncode == -signal.SIGABRT and MESSAGE in done.stderr
        tap.check(f"{use} on another thread aborts with a message", [] if good else [f"{done.returncode}: {done.stderr}"])
    done = run("allowed")
    tap.check("functions for other threads are allowed", [] if done.returncode == 0 else [f"{done.returncode}: {done.stderr}"])
    tap.end()


main()
