#!/usr/bin/env python3
"""demos/sse_clock as a browser uses it: `sse_clock_test.py PROGRAM`."""

import re
import socket
import sys

from program import Program, fails
from tap import Tap

CLOCK = sys.argv[1]
ARGUMENTS = (CLOCK, "--port", "0", "--address", "127.0.0.1")


def request(path, more=""):
    return f"GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{more}\r\n".encode()


def read_until(stream, pattern):
    """What the server sends, up to the first match of the pattern."""
    got = b""
    while not re.search(pattern, got):
        piece = stream.recv(65536)
        assert piece, f"the stream ends without {pattern}: {got}"
        got += piece
    return got


def page():
    """the page may run its own script and no other, and has its icon"""
    with Program(*ARGUMENTS) as program:
        answer = program.talk(request("/"))
        nonce = re.search(rb'<script nonce="([^"]+)">', answer)[1]
        assert b"script-src 'self' 'nonce-" + nonce + b"';" in answer, answer
        assert answer.count(nonce) == 4 and b"{nonce}" not in answer, answer
        assert b"Content-Type: image/svg+xml\r\n" in program.talk(request("/icon.svg"))
        assert program.stop() == 0, program.said


def clock():
    """every client gets the time, and a client that comes back the times that it missed"""
    with Program(*ARGUMENTS) as program:
        with socket.create_connection(("127.0.0.1", program.port), timeout=10) as stream:
            stream.sendall(request("/clock"))
            got = read_until(stream, rb"data: \d\d:\d\d:\d\d\n\n")
        assert b"Content-Type: text/event-stream\r\n" in got, got
        hub, number = re.search(rb"id: (\w+-)(\d+)\n", got).groups()
        with socket.create_connection(("127.0.0.1", program.port), timeout=10) as stream:
            stream.sendall(request("/clock", f"Last-Event-ID: {(hub + number).decode()}\r\n"))
            following = hub + str(int(number) + 1).encode()
            assert re.search(rb"\r\nid: " + following + rb"\n", read_until(stream, rb"data: \d")), got


def poem():
    """the words of the poem come to the end, from the word behind the last one"""
    with Program(*ARGUMENTS) as program:
        got = program.talk(request("/poem", "Last-Event-ID: 11\r\n"))
        assert re.findall(rb"data: (\S+)\n", got) == [b"is", b"streamed."], got
        assert b"event: done\n" in got, got


def drains():
    """on SIGTERM the streams of the clock end, and the program with them"""
    with Program(*ARGUMENTS) as program:
        with socket.create_connection(("127.0.0.1", program.port), timeout=10) as stream:
            stream.sendall(request("/clock"))
            read_until(stream, rb"\r\n\r\n")
            assert program.stop() == 0, program.said
            assert read_until(stream, rb"0\r\n\r\n")


def wrong_use():
    """an unknown flag gives one clear line"""
    status, said = fails(CLOCK, "--nonsense")
    assert status == 2 and re.fullmatch(r"sse_clock: [^\n]+\n", said), (status, said)


tap = Tap()
tap.run([page, clock, poem, drains, wrong_use])
tap.end()
