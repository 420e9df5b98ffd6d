#!/usr/bin/env python3
"""Replays a fuzzer's corpus, and then fuzzes for a while: `fuzz_test.py PROGRAM CORPUS SECONDS`.

With 0 seconds PROGRAM is no libFuzzer, and only replays.
"""

import base64
import pathlib
import subprocess
import sys
import tempfile

from tap import Tap

# Bytes of one input, MiB of memory, and seconds for one input.
LIMITS = ["-max_len=8192", "-rss_limit_mb=512", "-timeout=10"]


def run(command, seconds, folder):
    """The failures, as lines."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False, timeout=seconds)
    except subprocess.TimeoutExpired:
        return [f"not done after {seconds} s: {' '.join(command)}"]
    if done.returncode == 0:
        return []
    problems = [f"exited with {done.returncode}: {' '.join(command)}", *done.stderr.splitlines()[-60:]]
    for left in sorted(pathlib.Path(folder).iterdir()):
        if left.is_file():
            problems.append(f"the input, in base64: {base64.b64encode(left.read_bytes()).decode()}")
    return problems


def main():
    program, corpus, seconds = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2]).resolve(), int(sys.argv[3])
    inputs = sorted(str(path) for path in corpus.iterdir())
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        problems = run([program, *inputs], 120, folder) if inputs else ["there is no corpus"]
        tap.check(f"{corpus.name}: all conditions hold for the corpus", problems)
    if seconds > 0:
        with tempfile.TemporaryDirectory() as folder:
            found = pathlib.Path(folder, "found")
            found.mkdir()
            # New inputs go to the first folder, so the corpus stays as it is.
            command = [program, *LIMITS, f"-max_total_time={seconds}", str(found), str(corpus)]
            tap.check(f"{corpus.name}: {seconds} s of fuzzing find no input that violates a condition", run(command, seconds + 120, folder))
    tap.end()


main()
