#!/usr/bin/env python3
"""demos/ticker as its page uses it: `ticker_test.py PROGRAM`."""

import json
import re
import struct
import sys
import time

from program import PATIENCE, Program, fails
from tap import Tap
from websocket_client import CLOSE, FIN, TEXT, WebSocketClient

TICKER = sys.argv[1]
ARGUMENTS = (TICKER, "--port", "0", "--address", "127.0.0.1")


def messages(socket):
    """The JSON of each text that the server sends."""
    while True:
        first, payload = socket.frame()
        assert first == FIN | TEXT, (first, payload)
        yield json.loads(payload)


def states(socket, condition):
    """The first state of the viewers for which the condition is true."""
    end = time.monotonic() + PATIENCE
    for state in messages(socket):
        if condition(state["viewers"]):
            return state["viewers"]
        assert time.monotonic() < end, state
    return None


def closes(socket, text):
    """(code, reason) with which the server answers a message."""
    socket.send(TEXT, text.encode())
    while True:
        first, payload = socket.frame()
        if first == FIN | CLOSE:
            return struct.unpack("!H", payload[:2])[0], payload[2:].decode()


def prices():
    """a page gets prices, with numbers that grow"""
    with Program(*ARGUMENTS) as program, WebSocketClient(program, "/prices") as socket:
        got = [quote for quote, _ in zip(messages(socket), range(50))]
        assert all(re.fullmatch("[A-Z]{4}", quote["symbol"]) and quote["price"] > 0 for quote in got), got
        numbers = [quote["number"] for quote in got]
        assert numbers == sorted(set(numbers)), numbers
        assert closes(socket, "hello") == (1008, "nothing is read here")


def slow_viewers():
    """slow viewers lose prices by their policies, or their connections, and a fast one loses none"""
    with Program(*ARGUMENTS, "--viewers", "5", "--rate", "600") as program:
        with WebSocketClient(program, "/control") as control:
            first = states(control, lambda viewers: all(viewer["received"] > 100 for viewer in viewers))
            policies = [viewer["policy"] for viewer in first]
            assert policies == ["keep_latest", "drop_oldest", "drop_newest", "close", "keep_latest"], policies
            assert [viewer["dropped"] for viewer in first] == [0] * 5, first
            for viewer in range(4):
                control.send(TEXT, json.dumps({"viewer": viewer, "pause": 300}).encode())
            slow = states(control, lambda viewers: all(viewer["dropped"] > 300 for viewer in viewers[:3]) and viewers[3]["closed"] > 0)
            assert [viewer["pause"] for viewer in slow] == [300, 300, 300, 300, 0], slow
            assert all(viewer["behind"] > 1000 for viewer in slow[:3]), slow
            fast = slow[4]
            assert fast["dropped"] == 0 and fast["behind"] < 1000 and fast["closed"] == 0, slow
            for viewer in range(3):
                control.send(TEXT, json.dumps({"viewer": viewer, "pause": 0}).encode())
            states(control, lambda viewers: all(viewer["behind"] < 1000 for viewer in viewers[:3]))
        assert program.stop() == 0, program.said


def bad_input():
    """what is not a viewer and its pause closes the connection, and the program goes on"""
    with Program(*ARGUMENTS) as program:
        for text in ("", "[]", "{}", '{"viewer": 4, "pause": 1}', '{"viewer": -1, "pause": 1}', '{"viewer": 0, "pause": "1"}', "[" * 100_000):
            with WebSocketClient(program, "/control") as control:
                assert closes(control, text) == (1008, "not a viewer and its pause"), text
        for path in ("/prices?policy=none", "/prices?viewer=9", "/prices?viewer=x"):
            answer = program.talk(f"GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
            assert answer.startswith(b"HTTP/1.1 400 "), answer
        with WebSocketClient(program, "/prices") as socket:
            next(messages(socket))
        assert program.stop() == 0, program.said


def refused():
    """wrong numbers and missing pages are named"""
    assert fails(*ARGUMENTS, "--rate", "0")[0] == 2
    status, said = fails(*ARGUMENTS, "--pages", "/nowhere")
    assert status == 1 and "cannot read /nowhere/index.html" in said, said


tap = Tap()
tap.run([prices, slow_viewers, bad_input, refused])
tap.end()
