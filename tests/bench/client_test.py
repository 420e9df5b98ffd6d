#!/usr/bin/env python3
"""bench_client measures: `client_test.py PROGRAM SERVER` (bench_server)."""

import subprocess
import sys

from program import PATIENCE, Program, fails
from tap import Tap

CLIENT, SERVER = sys.argv[1:]


def rate():
    """prints only the requests per second, with one connection and with many"""
    with Program(SERVER, "--port", "0") as program:
        for connections in ("1", "20"):
            run = subprocess.run(
                [CLIENT, str(program.port), "0.2", connections], capture_output=True, text=True, timeout=PATIENCE, check=False
            )
            assert run.returncode == 0 and run.stderr == "", run
            assert int(run.stdout) > 0, run.stdout


def with_curl():
    """--curl fetches with libcurl, or says that the build does not have it"""
    with Program(SERVER, "--port", "0") as program:
        run = subprocess.run([CLIENT, str(program.port), "0.2", "2", "--curl"], capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert (run.returncode == 0 and int(run.stdout) > 0) or run.stderr == "bench_client: built without libcurl\n", run


def wrong_use():
    """a missing server and invalid numbers each give one clear line"""
    status, said = fails(CLIENT, "1", "0.1", "1")
    assert status == 1 and said.startswith("bench_client: HTTP 599: ") and said.count("\n") == 1, (status, said)
    for arguments in ([], ["x"], ["0"], ["80", "-1"]):
        status, said = fails(CLIENT, *arguments)
        assert status == 2 and said.startswith("bench_client: ") and said.count("\n") == 1, (status, said)


tap = Tap()
tap.run([rate, with_curl, wrong_use])
tap.end()
