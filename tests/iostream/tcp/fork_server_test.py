#!/usr/bin/env python3
"""A server that binds, forks and adds its sockets in each child: `fork_server_test.py PROGRAM`."""

import os
import re
import signal
import sys

from program import Program
from tap import Tap

SERVER = sys.argv[1]


def ask(connection):
    """(id, pid) of the process that answers."""
    connection.sendall(b"hello\n")
    answer = b""
    while not answer.endswith(b"\n"):
        piece = connection.recv(100)
        assert piece, answer
        answer += piece
    match = re.fullmatch(rb"(\d) of (\d+): hello\n", answer)
    assert match, answer
    return int(match[1]), int(match[2])


def both_serve():
    """forked children serve the connections of sockets that were bound before the fork (TSV-04)"""
    with Program(SERVER) as program:
        with program.connect() as one, program.connect() as two:
            first, second = ask(one), ask(two)
            assert {first[0], second[0]} == {0, 1}, (first, second)
            assert len({first[1], second[1], program.process.pid}) == 3, (first, second)
            assert ask(one) == first and ask(two) == second
        with program.connect() as next_one:
            assert ask(next_one) in (first, second)
        assert program.stop(signal.SIGTERM) == 0, program.said


def restarted():
    """a child that is killed is restarted with its id, and serves again (PRC-05)"""
    with Program(SERVER) as program:
        with program.connect() as one, program.connect() as two:
            killed, other = ask(one), ask(two)
            os.kill(killed[1], signal.SIGKILL)
            with program.connect() as three:
                again = ask(three)
                assert again[0] == killed[0] and again[1] not in (killed[1], other[1]), (killed, again)
                assert ask(two) == other
        assert program.stop(signal.SIGTERM) == 0, program.said


tap = Tap()
tap.run([both_serve, restarted])
tap.end()
