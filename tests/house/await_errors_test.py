#!/usr/bin/env python3
"""Awaiting a type that is not awaitable is a readable error (GEN-41): `await_errors_test.py ROOT COMPILER [ARGUMENT...]`."""

import os
import subprocess
import sys

from tap import Tap

HEAD = """
#include <squall/ioloop/coro/multi.h>
#include <squall/ioloop/coro/race.h>
#include <squall/ioloop/coro/shield.h>
#include <squall/ioloop/loop/sleep.h>
#include <squall/ioloop/coro/with_timeout.h>
using namespace squall;
struct Foreign {};
Task<> work();
"""

# A statement of a task, and the name that the compiler's first error must have; the other words differ
# between compilers.
REFUSED = [
    ("co_await Foreign();", "await_ready"),
    ("co_await adapt(Foreign());", "adapt"),
    ("co_await as_task(Foreign());", "as_task"),
    ("co_await multi(work(), Foreign());", "multi"),
    ("co_await race(work(), Foreign());", "race"),
    ("co_await shield(Foreign());", "shield"),
    ("auto task = work(); co_await task;", "Task"),
]
TAKEN = ["co_await work();", "co_await multi(work(), sleep(std::chrono::seconds(1)));"]


def first_error(command, statement):
    source = HEAD + "Task<> task() { " + statement + " }\n"
    run = subprocess.run(
        command + ["-fsyntax-only", "-x", "c++", "-"], input=source, capture_output=True, text=True, check=False
    )
    errors = [line for line in run.stderr.splitlines() if "error:" in line]
    return errors[0] if errors else ""


def main():
    root, command = sys.argv[1], sys.argv[2:]
    command += ["-std=c++20", "-I", os.path.join(root, "include")]
    tap = Tap()
    for statement, name in REFUSED:
        error = first_error(command, statement)
        tap.check(f"`{statement}` is refused, and the error says: {name}", [] if name in error else [error or "it was taken"])
    for statement in TAKEN:
        error = first_error(command, statement)
        tap.check(f"`{statement}` is taken", [error] if error else [])
    tap.end()


main()
