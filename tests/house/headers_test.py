#!/usr/bin/env python3
"""Every header compiles alone: `headers_test.py ROOT COMPILER [ARGUMENT...]`."""

import concurrent.futures
import os
import subprocess
import sys

from sources import LIBRARY, sources
from tap import Tap


def compile_alone(command, include):
    """The compiler's complaints about a file that includes nothing else, twice."""
    source = f"#include <{include}>\n#include <{include}>\n"
    run = subprocess.run(
        command + ["-fsyntax-only", "-x", "c++", "-"], input=source, capture_output=True, text=True, check=False
    )
    return include, run.stderr.splitlines() if run.returncode or run.stderr else []


def main():
    root, command = sys.argv[1], sys.argv[2:]
    command += ["-std=c++20", "-Wall", "-Wextra", "-I", os.path.join(root, "include")]
    includes = []
    for path, _ in sources(root, LIBRARY + ["include/squall"]):
        if path.suffix == ".h":
            includes.append("squall/" + (path.name if path.parts[0] == "include" else path.as_posix()))
    tap = Tap()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for include, complaints in pool.map(lambda name: compile_alone(command, name), includes):
            tap.check(f"<{include}> compiles alone", complaints)
    tap.check("a header that does not is found", [] if compile_alone(command, "squall/no_such.h")[1] else ["it was not"])
    tap.end()


main()
