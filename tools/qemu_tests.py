#!/usr/bin/env python3
"""Runs test programs under an emulator: `qemu_tests.py EXCLUDED FOLDER EMULATOR... -- PROGRAM...`.

EXCLUDED lists the tests that are left out, because the emulator does not have what they need: `PROGRAM: TEST: REASON`,
where `*` in the test's name stands for any text. Prints the tests that failed, and the numbers of each program.
"""

import os
import pathlib
import re
import subprocess
import sys

# An emulated program is many times slower. This is the time of one test that waits for an event.
PATIENCE = {"ASYNC_TEST_TIMEOUT": "60"}


def excluded(path):
    """(program, test) of each line."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            program, test, _ = line.split(": ", 2)
            yield program, test


def run(command, folder, tests):
    """(passed, failed with what they said) of a program."""
    # A comma and a bracket have a meaning for Catch2, even between the quotes that separate the names.
    exclusions = ['~"' + re.sub(r"([,\[\]\\])", r"\\\1", test) + '"' for test in tests]
    arguments = ["--reporter", "tap-cases"] + (["".join(exclusions)] if exclusions else [])
    try:
        outcome = subprocess.run(command + arguments, cwd=folder, env={**os.environ, **PATIENCE}, capture_output=True, text=True,
                                 errors="replace", timeout=1800, check=False)
        out, status = outcome.stdout, outcome.returncode
        errors = outcome.stderr
    except subprocess.TimeoutExpired as expired:
        out, status = (expired.stdout or b"").decode(errors="replace"), "after 30 minutes"
        errors = ""
    passed, failed, said = 0, [], []
    for line in out.splitlines():
        if line.startswith("ok "):
            passed += 1
        elif line.startswith("not ok "):
            failed.append("\n".join(said[-6:] + [line]))
        said = said + [line] if line.startswith("#") else []
    if not re.search(r"^1\.\.", out, re.MULTILINE):
        failed.append(f"ended with {status} behind {passed + len(failed)} tests\n" + "\n".join((out + errors).splitlines()[-6:]))
    return passed, failed


def main():
    at = sys.argv.index("--")
    skips = list(excluded(pathlib.Path(sys.argv[1])))
    folder = pathlib.Path(sys.argv[2])
    emulator = sys.argv[3:at]
    passed = failed = skipped = 0
    for program in sys.argv[at + 1:]:
        name = pathlib.Path(program).name
        tests = [test for of, test in skips if of == name]
        good, bad = run(emulator + [str((folder / program).resolve())], folder, tests)
        print(f"{name}: {good} passed, {len(bad)} failed, {len(tests)} left out", flush=True)
        for said in bad:
            print("  " + said.replace("\n", "\n  "), flush=True)
        passed += good
        failed += len(bad)
        skipped += len(tests)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


sys.exit(main())
