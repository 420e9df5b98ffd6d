#!/usr/bin/env python3
"""The demos that run Squall inside another library's loop: `embed_test.py PROGRAM`."""

import re
import signal
import sys
import time

from program import Program, fails
from tap import Tap

PROGRAM = sys.argv[1]
REQUEST = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"


def ticks(program):
    answer = program.talk(REQUEST)
    found = re.search(rb"\r\n\r\n\w+ has ticked (\d+) times\n$", answer)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n") and found, answer
    return int(found[1])


def both_run():
    """requests are answered while the other loop's timer ticks"""
    with Program(PROGRAM, "0") as program:
        first = ticks(program)
        deadline = time.monotonic() + 10
        while ticks(program) < first + 2:
            assert time.monotonic() < deadline, "the other loop does not tick"
        assert program.stop() == 0, program.said


def stops():
    """a signal that Squall's loop handles ends the other loop too"""
    with Program(PROGRAM, "0") as program:
        ticks(program)
        assert program.stop(signal.SIGINT) == 0, program.said


def drains():
    """on SIGTERM the request in flight is answered, and a second signal ends the program at once"""
    with Program(PROGRAM, "0") as program:
        assert b" has ticked " in program.drains()
    with Program(PROGRAM, "0") as program:
        program.ends_at_second_signal(program.request_in_flight())


def busy_port():
    """a busy port gives one clear line"""
    with Program(PROGRAM, "0") as program:
        status, said = fails(PROGRAM, str(program.port))
        assert status == 1 and said.endswith("Address already in use\n") and said.count("\n") == 1, said


tap = Tap()
tap.run([both_run, stops, drains, busy_port])
tap.end()
