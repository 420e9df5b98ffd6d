#!/usr/bin/env python3
"""demos/helloworld as a newcomer uses it: `helloworld_test.py PROGRAM SQUALL_WATCH`."""

import re
import signal
import socket
import sys

from program import Program, fails
from tap import Tap

HELLO, WATCH = sys.argv[1:]
REQUEST = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"


def greets():
    """GET / is answered with a greeting"""
    with Program(HELLO, "--port", "0", "--address", "127.0.0.1") as program:
        answer = program.talk(REQUEST)
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n") and answer.endswith(b"\r\n\r\nHello, world\n"), answer
        program.wait_for(r"200 GET / \(127\.0\.0\.1\)")
        assert program.stop() == 0


def all_interfaces():
    """without an address it serves on all interfaces"""
    with Program(HELLO, "--port", "0") as program:
        assert program.talk(REQUEST).endswith(b"Hello, world\n")


def threads():
    """with several threads each has a loop, all loops share the port, and a signal stops all"""
    with Program(HELLO, "--port", "0", "--address", "127.0.0.1", "--threads", "3") as program:
        program.wait_for(rf"(?s)(Serving on port {program.port}.*){{3}}")
        for _ in range(50):
            assert program.talk(REQUEST).endswith(b"Hello, world\n")
        assert program.stop(signal.SIGINT) == 0, program.said


def drains():
    """on SIGTERM the request in flight is answered, and a second signal ends the program at once"""
    for threads in ("1", "3"):
        arguments = (HELLO, "--port", "0", "--address", "127.0.0.1", "--threads", threads)
        with Program(*arguments) as program:
            assert program.drains() == b"Hello, world\n"
        with Program(*arguments) as program:
            program.ends_at_second_signal(program.request_in_flight())


def wrong_use():
    """a busy port, an unknown flag and a number out of range each give one clear line"""
    with Program(HELLO, "--port", "0", "--address", "127.0.0.1") as program:
        for more in ([], ["--threads", "2"]):
            status, said = fails(HELLO, "--port", str(program.port), "--address", "127.0.0.1", *more)
            assert status == 1, (status, said)
            assert said == f"helloworld: cannot listen on 127.0.0.1:{program.port}: Address already in use\n", said
    for arguments in (["--nonsense"], ["--port", "70000"], ["--threads", "0"], ["--threads", "x"]):
        status, said = fails(HELLO, *arguments)
        assert status == 2 and re.fullmatch(r"helloworld: [^\n]+\n", said), (arguments, status, said)
        assert arguments[0].lstrip("-") in said, (arguments, said)
    status, said = fails(HELLO, "--address", "no such host")
    assert status == 1 and said.startswith("helloworld: cannot look up no such host: ") and said.count("\n") == 1, said


def adopts_sockets():
    """under squall-watch it serves on the sockets of squall-watch, with several threads too"""
    for threads in ("1", "3"):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        command = (WATCH, "--listen", f"127.0.0.1:{port}", HELLO, "--port", port, "--threads", threads)
        with Program(*command) as program:
            assert program.talk(REQUEST).endswith(b"Hello, world\n")
            assert program.stop() == 0, program.said


def help_text():
    """--help lists the options"""
    assert fails(HELLO, "--help")[0] == 0


tap = Tap()
tap.run([greets, all_interfaces, threads, drains, wrong_use, adopts_sockets, help_text])
tap.end()
