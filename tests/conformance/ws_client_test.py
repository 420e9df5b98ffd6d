#!/usr/bin/env python3
"""conformance_ws_client as a fuzzing server uses it, with a server that is written from RFC 6455 by hand: `ws_client_test.py PROGRAM`."""

import base64
import hashlib
import os
import socket
import struct
import subprocess
import sys

from program import PATIENCE, fails, read_to_end
from tap import Tap

CLIENT = sys.argv[1]
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
FIN = 0x80


class Peer:
    """A server with one client: the program under test."""

    def __init__(self, path="/", more=""):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(PATIENCE)
            url = f"ws://127.0.0.1:{listener.getsockname()[1]}{path}"
            self.process = subprocess.Popen([CLIENT, url], stderr=subprocess.PIPE, text=True)
            self.socket, _ = listener.accept()
        self.socket.settimeout(PATIENCE)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.receive(1)
        self.line, *rest = head.decode().strip().split("\r\n")
        self.fields = dict(line.split(": ", 1) for line in rest)
        key = self.fields["Sec-WebSocket-Key"]
        proof = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
        self.socket.sendall(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            f"Sec-WebSocket-Accept: {proof}\r\n{more}\r\n".encode())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def ends(self):
        """(exit status, stderr) of the program."""
        _, said = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, said

    def receive(self, count):
        received = bytearray()
        while len(received) < count:
            piece = self.socket.recv(min(count - len(received), 1 << 20))
            assert piece, f"the client has closed behind {bytes(received[:100])!r}"
            received += piece
        return bytes(received)

    def send(self, opcode, payload, first=FIN):
        size = len(payload)
        if size < 126:
            head = struct.pack("!BB", first | opcode, size)
        elif size < 65536:
            head = struct.pack("!BBH", first | opcode, 126, size)
        else:
            head = struct.pack("!BBQ", first | opcode, 127, size)
        self.socket.sendall(head + payload)

    def expect(self, opcode, payload):
        first, size = self.receive(2)
        assert size & 0x80, "the client does not mask its frame"
        size &= 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", self.receive(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self.receive(8))
        key = self.receive(4)
        masked = self.receive(size)
        stream = (key * (size // 4 + 1))[:size]
        received = (int.from_bytes(masked, "big") ^ int.from_bytes(stream, "big")).to_bytes(size, "big")
        assert (first, received) == (FIN | opcode, payload), (first, received[:100])

    def expect_end(self):
        assert read_to_end(self.socket) == b""


def echoes():
    """it asks for the path and the query, and echoes text and binary messages of all sizes, up to 20 MiB"""
    with Peer("/runCase?case=3&agent=squall") as peer:
        assert peer.line == "GET /runCase?case=3&agent=squall HTTP/1.1", peer.line
        assert peer.fields["Sec-WebSocket-Version"] == "13"
        assert peer.fields["Sec-WebSocket-Extensions"] == "permessage-deflate; client_max_window_bits"
        for size in (0, 1, 125, 126, 65535, 65536, 1_000_000):
            peer.send(TEXT, b"x" * size)
            peer.expect(TEXT, b"x" * size)
            binary = os.urandom(size)
            peer.send(BINARY, binary)
            peer.expect(BINARY, binary)
        large = os.urandom(20 * 1024 * 1024)
        peer.send(BINARY, large)
        peer.expect(BINARY, large)
        peer.send(PING, b"now")
        peer.expect(PONG, b"now")
        peer.send(CLOSE, struct.pack("!H", 1000))
        peer.expect(CLOSE, struct.pack("!H", 1000))
        peer.socket.close()
        assert peer.ends() == (0, "")


def ends_without_close_frame():
    """a server that only ends the connection is no failure, a reset is one"""
    with Peer() as peer:
        peer.socket.shutdown(socket.SHUT_WR)
        peer.expect_end()
        assert peer.ends() == (0, "")
    with Peer() as peer:
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.socket.close()
        status, said = peer.ends()
        assert status == 1 and "reset" in said, said


def refuses_faults():
    """a server that breaks the protocol gets a close frame with the code, and the program ends with 1"""
    with Peer() as peer:
        peer.send(TEXT, b"\xff")
        peer.expect(CLOSE, struct.pack("!H", 1007) + b"text is not UTF-8")
        peer.socket.close()
        assert peer.ends() == (1, "conformance_ws_client: closed with 1007: text is not UTF-8\n")
    with Peer() as peer:
        peer.socket.sendall(struct.pack("!BBQ", FIN | BINARY, 127, 20 * 1024 * 1024 + 1))
        peer.expect(CLOSE, struct.pack("!H", 1009) + b"message too big")
        peer.socket.close()
        assert peer.ends()[0] == 1


def refuses_handshakes():
    """a handshake that fails, a server that is not there and a bad command line end with a message and not 0"""
    with Peer(more="Sec-WebSocket-Extensions: x-unknown\r\n") as peer:
        status, said = peer.ends()
        assert status == 1 and "extensions that were not offered" in said, said
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    status, said = fails(CLIENT, f"ws://127.0.0.1:{port}/")
    assert status == 1 and said.startswith("conformance_ws_client: HTTP 599: Connection refused"), said
    status, said = fails(CLIENT, "http://127.0.0.1/")
    assert status == 1 and "ws://" in said, said
    assert fails(CLIENT)[0] not in (0, 1)


def main():
    tap = Tap()
    tap.run([echoes, ends_without_close_frame, refuses_faults, refuses_handshakes])
    tap.end()


main()
