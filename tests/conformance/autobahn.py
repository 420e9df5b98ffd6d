#!/usr/bin/env python3
"""Autobahn's test suite for WebSockets, both roles: `autobahn.py CHECKOUT FOLDER SERVER CLIENT [CASES...]`.

CHECKOUT is a checkout of a port of the suite to Python 3: it has autobahntestsuite/autobahntestsuite/wstest.py, and needs Debian's
python3-autobahn, python3-twisted, python3-jinja2 and python3-wsaccel. FOLDER gets the reports, in HTML. SERVER is
conformance_server and CLIENT conformance_ws_client. CASES are patterns such as 6.*; all without any. Every case must be OK, or
informational; NON-STRICT is printed and counts as failed.
"""

import collections
import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time

from program import PATIENCE, Program
from system_python import SYSTEM_PYTHON
from tap import Tap
from websocket_client import FIN, TEXT, WebSocketClient

CHECKOUT, FOLDER, SERVER, CLIENT = (pathlib.Path(argument).resolve() for argument in sys.argv[1:5])
# The last two have most of the work, so each group has a process of its own.
GROUPS = [sys.argv[5:]] if len(sys.argv) > 5 else [[f"{n}.*" for n in range(1, 12)], ["12.*"], ["13.*"]]
GOOD = {"OK", "INFORMATIONAL"}
# More seconds than the suite gives any case.
SLOWEST = 600


def wstest(mode, folder, spec):
    """The suite in one of its modes; its reports are below the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spec.json").write_text(json.dumps({"outdir": "reports", "exclude-cases": [], "exclude-agent-cases": {}, **spec}))
    with open(folder / "log", "w", encoding="utf-8") as log:
        return subprocess.Popen(
            [SYSTEM_PYTHON, "-m", "autobahntestsuite.wstest", "-m", mode, "-s", "spec.json", "-u", "0"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT / "autobahntestsuite"), "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=log,
            stderr=log,
        )


def outcomes(folder):
    """The suite's word for each case, and for its end."""
    cases = json.loads((folder / "reports" / "index.json").read_text())["squall"]
    return {case: (result["behavior"], result["behaviorClose"]) for case, result in cases.items()}


def server_mode(folder, cases):
    """The suite is the client."""
    with Program(str(SERVER), "--port", "0") as program:
        threading.Thread(target=lambda: list(program.process.stderr), daemon=True).start()
        spec = {"servers": [{"agent": "squall", "url": f"ws://127.0.0.1:{program.port}/ws"}], "cases": cases}
        assert wstest("fuzzingclient", folder, spec).wait() == 0, (folder / "log").read_text()[-2000:]
    return outcomes(folder)


class Listening:
    """A server that is not a Program, by its port."""

    def __init__(self, port):
        self.port = port

    def connect(self):
        end = time.monotonic() + 10 * PATIENCE  # on a busy machine it starts slowly
        while True:
            with contextlib.suppress(ConnectionRefusedError):
                connection = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
                connection.settimeout(PATIENCE)
                return connection
            assert time.monotonic() < end, "the suite does not listen"
            time.sleep(0.1)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def client_mode(folder, cases):
    """The suite is the server, and the client runs once for each case."""
    port = free_port()
    suite = wstest("fuzzingserver", folder, {"url": f"ws://127.0.0.1:{port}", "cases": cases})
    try:
        with WebSocketClient(Listening(port), "/getCaseCount") as counting:
            first, text = counting.frame()
            assert first == FIN | TEXT, first
        for number in range(1, int(text) + 1):
            url = f"ws://127.0.0.1:{port}/runCase?case={number}&agent=squall"
            # Its status is 1 for a case that breaks the protocol.
            subprocess.run([str(CLIENT), url], capture_output=True, timeout=SLOWEST, check=False)
        # The suite drops the connection if writing the reports takes it more than a second.
        subprocess.run([str(CLIENT), f"ws://127.0.0.1:{port}/updateReports?agent=squall"], capture_output=True, timeout=10 * PATIENCE, check=False)
    finally:
        suite.terminate()
        suite.wait()
    return outcomes(folder)


def in_order(cases):
    return sorted(cases, key=lambda case: [int(part) for part in re.findall(r"\d+", case)])


def run_groups(mode, folder, groups, results):
    """Adds to `results`; the problems of the runs themselves."""
    problems = []

    def run_group(number, cases):
        try:
            results.update(mode(folder / str(number), cases))
        except Exception as error:  # pylint: disable=broad-except
            problems.append(f"{cases}: {error!r}")

    threads = [threading.Thread(target=run_group, args=[number, cases]) for number, cases in enumerate(groups)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return problems


def run(mode, name):
    results = {}
    problems = run_groups(mode, FOLDER / name, GROUPS, results)
    # Of its peers the suite expects an answer within a second, which a busy machine may miss.
    again = in_order(case for case, words in results.items() if not set(words) <= GOOD)
    if again:
        missed = [f"{case} ({' '.join(results[case])})" for case in again]
        print(f"# {name}: once more: {', '.join(missed)}", flush=True)
        problems += run_groups(mode, FOLDER / name / "again", [again], results)
    for case in in_order(results):
        if not set(results[case]) <= GOOD:
            problems.append(f"case {case}: {results[case][0]}, its end: {results[case][1]}")
    counts = collections.Counter(behavior for behavior, _ in results.values())
    print(f"# {name}: {len(results)} cases, {', '.join(f'{count} {word}' for word, count in sorted(counts.items()))}", flush=True)
    return problems if results else ["no case was run", *problems]


tap = Tap()
tap.check("the server passes all cases", run(server_mode, "server"))
tap.check("the client passes all cases", run(client_mode, "client"))
tap.end()
