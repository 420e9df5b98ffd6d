#!/usr/bin/env python3
"""The pages of the demos in headless Chromium, light and dark: `browser_test.py NPM PICTURES PROGRAM...`.

NPM is the folder that has playwright-core, and PICTURES gets the screenshots. Where one of the programs is
missing, or the browser does not start, the test is skipped: `./dev test release asan` installs them.
"""

import contextlib
import json
import pathlib
import shutil
import subprocess
import sys

from program import Program
from tap import Tap

NPM, PICTURES = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
PROGRAMS = sys.argv[3:]
SCRIPT = pathlib.Path(__file__).with_name("browser.mjs")
# With these options the demos answer the requests of all checks, and leave no file.
MORE = {
    "api": ["--rate", "10000"],
    "blog": ["--sqlite", ":memory:"],
    "c10k": ["--connections", "500"],
    "facebook": ["--offline"],
    "google_auth": ["--offline"],
}


def missing():
    """What the machine does not have; None if it has everything."""
    for program in ("node", "chromium"):
        if not shutil.which(program):
            return f"{program} is not installed"
    if not (NPM / "node_modules/playwright-core").is_dir():
        return f"playwright-core is not installed in {NPM}"
    return None


def run(tap):
    PICTURES.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        demos = {}
        for path in PROGRAMS:
            name = pathlib.Path(path).name
            program = Program(path, "--port", "0", "--address", "127.0.0.1", *MORE.get(name, []))
            demos[name] = f"http://127.0.0.1:{stack.enter_context(program).port}/"
        settings = {"npm": str(NPM), "chromium": shutil.which("chromium"), "pictures": str(PICTURES), "demos": demos}
        command = ["node", str(SCRIPT), json.dumps(settings)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as node:
            try:
                said, errors = node.communicate(timeout=240)
            except subprocess.TimeoutExpired:
                node.terminate()
                said, errors = node.communicate()
        for line in said.splitlines():
            outcome = json.loads(line)
            if "skip" in outcome:
                return tap.skip("pages in a browser", outcome["skip"])
            tap.check(**outcome)
        tap.check("the browser runs all checks", [] if node.returncode == 0 else [f"exit status {node.returncode}", errors])


def main():
    tap = Tap()
    reason = missing()
    if reason:
        tap.skip("pages in a browser", reason)
    else:
        run(tap)
    tap.end()


main()
