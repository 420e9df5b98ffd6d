#!/usr/bin/env python3
"""A client that is written from RFC 6455 by hand, with an echo server of Squall: `interop_test.py SERVER`."""

import base64
import hashlib
import os
import struct
import sys
import zlib

from program import Program, read_to_end
from tap import Tap

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
FIN, RSV1 = 0x80, 0x40


class Client:
    def __init__(self, server, extensions=None):
        self.socket = server.connect()
        key = base64.b64encode(os.urandom(16)).decode()
        fields = {
            "Host": f"127.0.0.1:{server.port}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": key,
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Protocol": "other, echo",
        }
        if extensions:
            fields["Sec-WebSocket-Extensions"] = extensions
        lines = ["GET /chat HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
        self.socket.sendall("\r\n".join(lines).encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.receive(1)
        status, *rest = head.decode().strip().split("\r\n")
        self.fields = dict(line.split(": ", 1) for line in rest)
        assert status == "HTTP/1.1 101 Switching Protocols", head
        proof = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        assert self.fields["Sec-WebSocket-Accept"] == base64.b64encode(proof).decode(), head
        assert self.fields["Sec-WebSocket-Protocol"] == "echo", head

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def receive(self, count):
        received = b""
        while len(received) < count:
            piece = self.socket.recv(count - len(received))
            assert piece, f"the server has closed behind {received!r}"
            received += piece
        return received

    def send(self, opcode, payload, first=FIN):
        key = os.urandom(4)
        size = len(payload)
        if size < 126:
            head = struct.pack("!BB", first | opcode, 0x80 | size)
        elif size < 65536:
            head = struct.pack("!BBH", first | opcode, 0x80 | 126, size)
        else:
            head = struct.pack("!BBQ", first | opcode, 0x80 | 127, size)
        stream = (key * (size // 4 + 1))[:size]
        masked = (int.from_bytes(payload, "big") ^ int.from_bytes(stream, "big")).to_bytes(size, "big")
        self.socket.sendall(head + key + masked)

    def frame(self):
        """(opcode with its bits, payload) of the server's next frame."""
        first, size = self.receive(2)
        assert size < 0x80, "the server masks its frames"
        if size == 126:
            (size,) = struct.unpack("!H", self.receive(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self.receive(8))
        return first, self.receive(size)

    def expect(self, opcode, payload):
        first, received = self.frame()
        assert (first, received) == (FIN | opcode, payload), (first, received[:100])

    def expect_end(self):
        assert read_to_end(self.socket) == b""


def main():
    server = Program(sys.argv[1])

    def echoes_all_sizes():
        """text and binary messages of all forms of the size are echoed"""
        with Client(server) as client:
            for size in (0, 1, 125, 126, 65535, 65536, 1_000_000):
                for opcode, payload in ((TEXT, b"x" * size), (BINARY, os.urandom(size))):
                    client.send(opcode, payload)
                    client.expect(opcode, payload)
            client.send(TEXT, "Grüße 😀".encode())
            client.expect(TEXT, "Grüße 😀".encode())

    def joins_fragments():
        """a ping between the fragments of a message is answered at once, and the message is echoed whole"""
        with Client(server) as client:
            client.send(TEXT, b"frag", first=0)
            client.send(PING, b"now")
            client.expect(PONG, b"now")
            client.send(0, b"ments")
            client.expect(TEXT, b"fragments")

    def closes():
        """either side may close, and the other one answers with the same code"""
        with Client(server) as client:
            client.send(CLOSE, struct.pack("!H", 1000) + b"bye")
            client.expect(CLOSE, struct.pack("!H", 1000))
            client.expect_end()
        with Client(server) as client:
            client.send(TEXT, b"close")
            client.expect(CLOSE, struct.pack("!H", 4000) + b"as asked")
            client.send(TEXT, b"in flight")
            client.send(CLOSE, struct.pack("!H", 4000))
            client.expect_end()
        with Client(server) as client:
            client.send(TEXT, b"close")
            client.expect(CLOSE, struct.pack("!H", 4000) + b"as asked")
            client.expect_end()  # at the deadline

    def refuses_faults():
        """a fault gets a close frame with its code, although the client goes on sending"""
        with Client(server) as client:
            client.send(TEXT, b"\xff")
            client.expect(CLOSE, struct.pack("!H", 1007) + b"text is not UTF-8")
            client.expect_end()
        with Client(server) as client:
            client.socket.sendall(struct.pack("!BBQ", FIN | BINARY, 0xFF, 50_000_000))
            for _ in range(20):
                client.socket.sendall(b"x" * 65536)
            client.expect(CLOSE, struct.pack("!H", 1009) + b"message too big")

    def compresses():
        """permessage-deflate with the context of earlier messages, in both directions"""
        with Client(server, "permessage-deflate") as client:
            assert client.fields["Sec-WebSocket-Extensions"].startswith("permessage-deflate"), client.fields
            deflate = zlib.compressobj(wbits=-15)
            inflate = zlib.decompressobj(wbits=-15)
            for payload in (b"Hello", b"Hello", b"", b"ab" * 100_000, os.urandom(1000)):
                sent = deflate.compress(payload) + deflate.flush(zlib.Z_SYNC_FLUSH)
                client.send(BINARY, sent[:-4], first=FIN | RSV1)
                first, received = client.frame()
                assert first == FIN | RSV1 | BINARY
                assert inflate.decompress(received + b"\x00\x00\xff\xff") == payload

    with server:
        tap = Tap()
        tap.run([echoes_all_sizes, joins_fragments, closes, refuses_faults, compresses])
        tap.check("the server stops in order, and has logged no errors",
                  [server.said] if server.stop() != 0 or "error" in server.said.lower() else [])
        tap.end()


main()
