#!/usr/bin/env python3
"""demos/websocket as its page uses it: `websocket_test.py PROGRAM`."""

import base64
import hashlib
import json
import os
import re
import signal
import struct
import sys
import tempfile

from program import PATIENCE, Program, fails
from tap import Tap

DEMO = sys.argv[1]
ARGUMENTS = (DEMO, "--port", "0", "--address", "127.0.0.1")
TEXT, CLOSE, PING = 1, 8, 9


class Member:
    """A client with a WebSocket, written from RFC 6455."""

    def __init__(self, program, after="", more="", status=101):
        self.socket = program.connect()
        self.socket.settimeout(30)
        self.got = b""
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /chatsocket?after={after} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{more}\r\n".encode())
        while b"\r\n\r\n" not in self.got:
            self.fill()
        head, _, self.got = self.got.partition(b"\r\n\r\n")
        self.head = head.decode()
        assert self.head.startswith(f"HTTP/1.1 {status} "), head
        if status == 101:
            proof = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
            assert b"Sec-WebSocket-Accept: " + proof in head, head

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def fill(self):
        piece = self.socket.recv(65536)
        assert piece, f"the server has closed behind {self.got!r}"
        self.got += piece

    def take(self, count):
        while len(self.got) < count:
            self.fill()
        taken, self.got = self.got[:count], self.got[count:]
        return taken

    def frame(self):
        """(opcode, payload)"""
        first, size = self.take(2)
        if size == 126:
            (size,) = struct.unpack("!H", self.take(2))
        return first & 15, self.take(size)

    def send(self, opcode, payload):
        key = os.urandom(4)
        size = struct.pack("!BB", 0x80 | opcode, 0x80 | len(payload)) if len(payload) < 126 else struct.pack(
            "!BBH", 0x80 | opcode, 0xFE, len(payload))
        self.socket.sendall(size + key + bytes(byte ^ key[i % 4] for i, byte in enumerate(payload)))

    def say(self, body, **more):
        self.send(TEXT, json.dumps({"body": body, **more}).encode())

    def news(self, part):
        """The next message with this part; others are passed over."""
        while True:
            opcode, payload = self.frame()
            assert opcode == TEXT, (opcode, payload)
            message = json.loads(payload)
            if part in message:
                return message


def page_of(program):
    answer = program.talk(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").decode()
    return answer.partition("\r\n\r\n")


def messages():
    """a message goes to every member, with an id and escaped HTML (DEM-41, DEM-42)"""
    with Program(*ARGUMENTS) as program, Member(program) as alice, Member(program) as bob:
        assert bob.news("people") == {"people": 2}
        alice.say("<script>hello</script>", name="Alice")
        heard, own = bob.news("body"), alice.news("body")
        assert heard == own and (heard["name"], heard["body"]) == ("Alice", "<script>hello</script>"), heard
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", heard["id"]), heard
        assert "&lt;script&gt;hello" in heard["html"] and "<script>" not in heard["html"], heard
        alice.say("and I have no name")
        assert bob.news("body")["name"] == "Guest"


def failing_member():
    """a member that vanishes does not stop the others (DEM-41, DEM-42)"""
    with Program(*ARGUMENTS) as program, Member(program) as alice:
        with Member(program) as bob:
            assert bob.news("people") == {"people": 2}
            bob.socket.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SO_LINGER: close() resets
        while alice.news("people") != {"people": 1}:
            pass
        alice.say("still here")
        assert alice.news("body")["body"] == "still here"


def late_joiner():
    """who comes late sees the messages in the page; who comes back gets those that were missed (DEM-43)"""
    with Program(*ARGUMENTS) as program, Member(program) as alice:
        alice.say("one")
        first = alice.news("body")
        alice.say("two")
        second = alice.news("body")
        head, _, page = page_of(program)
        assert first["html"] in page and second["html"] in page, page
        assert "\r\nSet-Cookie: _xsrf=" in head and 'name="_xsrf"' in page, head
        with Member(program, after=first["id"]) as bob:
            assert bob.news("body") == second
        with Member(program) as bob:
            assert [bob.news("body") for _ in range(2)] == [first, second]


def cache():
    """the last 200 messages are kept (DEM-42)"""
    with Program(*ARGUMENTS) as program, Member(program) as alice:
        for i in range(202):
            alice.say(f"{i}.")
            alice.news("body")
        with Member(program) as bob:
            assert [bob.news("body")["body"] for _ in range(200)] == [f"{i}." for i in range(2, 202)]
            assert bob.news("people") == {"people": 2}


def refused():
    """bad messages get an answer, and pages of other sites no connection"""
    with Program(*ARGUMENTS) as program, Member(program) as alice:
        for bad in (b"no JSON", b"[]", b"{}", b'{"body": 1}', b'{"body": ""}', b'{"body": "x", "name": ""}',
                    json.dumps({"body": "x" * 4001}).encode()):
            alice.send(TEXT, bad)
            assert "problem" in alice.news("problem"), bad
        alice.say("fine")
        assert alice.news("body")["body"] == "fine"
        Member(program, more="Origin: http://evil.example\r\n", status=403).socket.close()
        Member(program, more="Origin: http://h\r\n").socket.close()


def compression():
    """permessage-deflate is negotiated with the default options (DEM-40)"""
    with Program(*ARGUMENTS) as program, Member(program, more="Sec-WebSocket-Extensions: permessage-deflate\r\n") as alice:
        assert "\r\nSec-WebSocket-Extensions: permessage-deflate" in alice.head, alice.head


def drains():
    """on SIGTERM the members are told 1001, and the program ends"""
    with Program(*ARGUMENTS) as program, Member(program) as alice:
        alice.news("people")
        program.process.send_signal(signal.SIGTERM)
        assert alice.frame() == (CLOSE, struct.pack("!H", 1001))
        alice.send(CLOSE, struct.pack("!H", 1001))
        # No second signal: it would end a program that already has left its handlers.
        assert program.process.wait(PATIENCE) == 0, program.said


def wrong_use():
    """an unknown flag and a folder without a page each give one clear line"""
    status, said = fails(DEMO, "--nonsense")
    assert status == 2 and re.fullmatch(r"websocket: [^\n]+\n", said), (status, said)
    with tempfile.TemporaryDirectory() as folder:
        status, said = fails(*ARGUMENTS, "--pages", folder)
        assert status == 1 and said == f"websocket: cannot read {folder}/index.html\n", (status, said)


tap = Tap()
tap.run([messages, failing_member, late_joiner, cache, refused, compression, drains, wrong_use])
tap.end()
