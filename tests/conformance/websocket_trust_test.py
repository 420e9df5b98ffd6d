#!/usr/bin/env python3
"""WebSocket peers that mean harm, against a whole server: `websocket_trust_test.py PROGRAM`.

What a connection may hold is measured more finely in tests/websocket. Here the server's memory is that of the process,
and other clients must be served meanwhile.
"""

import contextlib
import struct
import sys
import threading
import time
import zlib

from many_clients import counts_memory
from program import PATIENCE, Program
from tap import Tap
from websocket_client import BINARY, CLOSE, FIN, PING, PONG, RSV1, TEXT, WebSocketClient, close_payload, frame, handshake

SERVER = sys.argv[1]
LIMIT = 20 * 1024 * 1024  # of a message at /ws
COUNTS_MEMORY = counts_memory(SERVER)
NO_KEY = b"\0\0\0\0"


@contextlib.contextmanager
def server(*options):
    with Program(SERVER, "--port", "0", *options) as program:
        yield program
        # It still serves.
        with WebSocketClient(program, "/ws") as client:
            client.send(TEXT, b"hello")
            client.expect(TEXT, b"hello")
        assert program.stop() == 0, program.said


def grown(program, before):
    return program.resident_bytes() - before if COUNTS_MEMORY else 0


def bomb(size):
    deflate = zlib.compressobj(9, wbits=-15)
    payload = b"".join(deflate.compress(b"\0" * (1 << 20)) for _ in range(size >> 20))
    return payload + deflate.flush(zlib.Z_SYNC_FLUSH)[:-4]


def bombs():
    """bombs behind the handshakes of ten clients, in the same packets, end with 1009 and leave no memory"""
    sent = frame(BINARY, bomb(64 << 20), first=FIN | RSV1)
    assert len(sent) < 80_000, len(sent)
    with server() as program:
        before = program.resident_bytes()
        clients = []
        for _ in range(10):
            request, _ = handshake(program.port, "/ws", Sec_WebSocket_Extensions="permessage-deflate")
            clients.append(program.connect())
            clients[-1].sendall(request + sent)
        for client in clients:
            received = b""
            while b"\x03\xf1" not in received:
                piece = client.recv(1 << 16)
                assert piece, received
                received += piece
            assert received.endswith(b"\x03\xf1message too big after decompression"), received
        # All of them are still open, and wait for their clients to close.
        assert grown(program, before) < 2 * LIMIT, grown(program, before)
        for client in clients:
            client.close()


def sizes():
    """a size with the top bit is a protocol error, and one of 2^62 bytes too big, before any payload"""
    with server() as program:
        before = program.resident_bytes()
        for size, code in ((1 << 63, 1002), ((1 << 64) - 1, 1002), (1 << 62, 1009), (LIMIT + 1, 1009)):
            with WebSocketClient(program, "/ws") as client:
                client.socket.sendall(struct.pack("!BBQ", FIN | BINARY, 0xFF, size) + NO_KEY)
                first, payload = client.frame()
                assert (first, payload[:2]) == (FIN | CLOSE, close_payload(code)), (size, first, payload)
                client.expect_end()
        # Announced, and never sent.
        clients = [WebSocketClient(program, "/ws") for _ in range(50)]
        for client in clients:
            client.socket.sendall(struct.pack("!BBQ", BINARY, 0xFF, LIMIT) + NO_KEY + b"x" * 10)
        for client in clients:
            client.send(PING)
            client.socket.close()
        assert grown(program, before) < LIMIT, grown(program, before)


def fragments():
    """an unfinished message of a million one-byte fragments, behind a million empty ones, takes little memory"""
    with server() as program, WebSocketClient(program, "/ws") as client:
        before = program.resident_bytes()
        client.send(TEXT, b"", first=0)
        for fragment in (frame(0, b"", first=0, key=NO_KEY), frame(0, b"x", first=0, key=NO_KEY)):
            for _ in range(100):
                client.socket.sendall(fragment * 10_000)
        client.send(PING, b"all read")
        client.expect(PONG, b"all read")
        assert grown(program, before) < 4 << 20, grown(program, before)
        client.send(0, b"end")
        client.expect(TEXT, b"x" * 1_000_000 + b"end")


def window_bits():
    """an offer with bad window bits, or other bad parameters, is declined, and the connection is not compressed"""
    with server() as program:
        for parameter in (
            "server_max_window_bits=7",
            "server_max_window_bits=16",
            "server_max_window_bits=010",
            "server_max_window_bits=4294967306",
            "server_max_window_bits=-9",
            "server_max_window_bits",
            "client_max_window_bits=0",
            "client_max_window_bits=99999999999999999999",
            "client_max_window_bits=x",
            'client_max_window_bits=""',
            "client_max_window_bits=9; client_max_window_bits=9",
            "server_no_context_takeover=1",
            "window=9",
        ):
            with WebSocketClient(program, "/ws", f"permessage-deflate; {parameter}") as client:
                assert "Sec-WebSocket-Extensions" not in client.fields, (parameter, client.fields)
                client.send(TEXT, b"plain")
                client.expect(TEXT, b"plain")
        with WebSocketClient(program, "/ws", "permessage-deflate; client_max_window_bits=3, permessage-deflate") as client:
            assert client.fields["Sec-WebSocket-Extensions"] == "permessage-deflate", client.fields
        # A frame with RSV1 without the extension.
        with WebSocketClient(program, "/ws") as client:
            client.send(TEXT, b"\0", first=FIN | RSV1)
            first, payload = client.frame()
            assert (first, payload[:2]) == (FIN | CLOSE, close_payload(1002)), (first, payload)


def echo_times(program, seconds):
    """The slowest of the echoes of another client during these seconds."""
    slowest = 0.0
    with WebSocketClient(program, "/ws") as client:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            begun = time.monotonic()
            client.send(TEXT, b"good")
            client.expect(TEXT, b"good")
            slowest = max(slowest, time.monotonic() - begun)
    return slowest


def stream(client, data):
    """Sends the data again and again in a thread, until the connection ends."""

    def run():
        with contextlib.suppress(OSError):
            while True:
                client.socket.sendall(data)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def slow_consumers():
    """clients that send without pause and never read hold little memory, and delay no other"""
    messages = frame(TEXT, b"x" * 10_000, key=NO_KEY) * 10
    with server() as program, contextlib.ExitStack() as stack:
        before = program.resident_bytes()
        clients = [stack.enter_context(WebSocketClient(program, "/ws")) for _ in range(5)]
        threads = [stream(client, messages) for client in clients]
        slowest = echo_times(program, 0.5)
        assert grown(program, before) < 30 << 20, grown(program, before)
        assert slowest < PATIENCE / 10, slowest
        for client in clients:
            client.socket.shutdown(2)
        for thread in threads:
            thread.join()


def pings():
    """pings without pause take no memory, and delay no other, whether the client reads the pongs or not"""
    with server() as program:
        for reads in (False, True):
            before = program.resident_bytes()
            with WebSocketClient(program, "/ws") as client:
                sent = frame(PING, b"0123456789abcdef", key=NO_KEY) * 10_000
                thread = stream(client, sent)
                if reads:

                    def discard(client=client):
                        with contextlib.suppress(OSError):
                            while client.socket.recv(1 << 18):
                                pass

                    reader = threading.Thread(target=discard)
                    reader.start()
                slowest = echo_times(program, 0.5)
                assert grown(program, before) < 10 << 20, grown(program, before)
                assert slowest < PATIENCE / 10, slowest
                client.socket.shutdown(2)
                thread.join()
                if reads:
                    reader.join()


tap = Tap()
tap.run([bombs, sizes, fragments, window_bits, slow_consumers, pings])
tap.end()
