#!/usr/bin/env python3
"""A client that is written from RFC 6455 by hand, with an echo server of Squall: `interop_test.py SERVER`."""

import os
import struct
import sys
import zlib

from program import Program
from tap import Tap
from websocket_client import BINARY, CLOSE, FIN, PING, PONG, RSV1, TEXT, WebSocketClient


def Client(server, extensions=None):
    client = WebSocketClient(server, "/chat", extensions, "other, echo")
    assert client.fields["Sec-WebSocket-Protocol"] == "echo", client.fields
    return client


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
