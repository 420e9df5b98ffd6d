#!/usr/bin/env python3
"""demos/asio_beside: an Asio io_context beside Squall's loop, on one thread: `asio_beside_test.py PROGRAM`."""

import socket
import sys

from program import Program
from tap import Tap

PROGRAM = sys.argv[1]
REQUEST = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"


def both_run():
    """Asio echoes while Squall answers, and each has the results of the other"""
    with Program(PROGRAM, "0", "0") as program:
        port = int(program.wait_for(r"Echoing on port (\d+)")[1])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as echo:
            for count in range(1, 4):
                echo.sendall(b"hello")
                got = b""
                while len(got) < 5:
                    got += echo.recv(5 - len(got))
                assert got == b"hello", got
                answer = program.talk(REQUEST)
                assert answer.endswith(b"\r\n\r\nAsio has echoed %d times\n" % count), answer
        assert program.stop() == 0, program.said


def drains():
    """on SIGTERM the request in flight is answered, and a second signal ends the program at once"""
    with Program(PROGRAM, "0", "0") as program:
        assert b" has echoed " in program.drains()
    with Program(PROGRAM, "0", "0") as program:
        program.ends_at_second_signal(program.request_in_flight())


tap = Tap()
tap.run([both_run, drains])
tap.end()
