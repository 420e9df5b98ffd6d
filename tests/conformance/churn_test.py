#!/usr/bin/env python3
"""Many connections come and go: `churn_test.py PROGRAM [CONNECTIONS ROUNDS]`.

In each round all connections are open at the same time: good clients, slow ones, silent ones, ones that do not read, and
ones that send garbage. Then they end in different ways. After each round the server has no more descriptors than before,
and after the first rounds no more memory. `./dev soak` runs this with 10,000 connections.
"""

import http.client
import socket
import sys
import threading
import time

from many_clients import connect, descriptors, discard, limit_descriptors, memory_allowance, reset, wait_for_descriptors
from program import PATIENCE, Program
from tap import Tap

SERVER = sys.argv[1]
COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 500
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 8
# The rounds in which pools and the allocator reach their sizes.
WARM_UP = 3
LEFT = memory_allowance(SERVER, COUNT)

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
GARBAGE = (b"\x16\x03\x01 garbage\r\n\r\n", b"HTTP/1.1 400 ")
# What a client sends, and how its answer begins; None: it does not read.
KINDS = [
    (GET, b"HTTP/1.1 200 "),
    (GET + GET, b"HTTP/1.1 200 "),
    (b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", b"HTTP/1.1 200 "),
    (b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", b"HTTP/1.1 200 "),
    (b"", None),  # idle
    (b"GET / HTTP/1.1\r\nHost: h\r\nX-Slow: ", None),
    (b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nslow", None),
    (b"GET /large?n=1000000 HTTP/1.1\r\nHost: h\r\n\r\n", None),
    (GET * 50, None),
    GARBAGE,
]


def read_start(client, start):
    received = b""
    while len(received) < len(start):
        piece = client.recv(65536)
        assert piece, f"the server closed the connection after {received!r}"
        received += piece
    assert received.startswith(start), received[:100]


def end(client, how):
    if how == 0:
        reset(client)
    elif how == 1:
        try:
            client.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the server has closed it
    client.close()


def good_request(program):
    connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=PATIENCE)
    connection.request("GET", "/")
    response = connection.getresponse()
    assert (response.status, response.read()) == (200, b"Hello, world")
    connection.close()


def one_round(program, number, idle):
    """The time of a good request beside all others."""
    clients = []
    for i in range(COUNT):
        clients.append(connect(program, number * COUNT + i))
        clients[-1].sendall(KINDS[i % len(KINDS)][0])
    for i, client in enumerate(clients):
        start = KINDS[i % len(KINDS)][1]
        if start:
            read_start(client, start)
    # The server lingers on the connections that sent garbage, so each of them is open or already closed.
    lingering = sum(1 for i in range(COUNT) if KINDS[i % len(KINDS)] is GARBAGE)
    count = descriptors(program)
    assert idle + COUNT - lingering <= count <= idle + COUNT, f"{count} descriptors, {idle} before, {COUNT} connections"
    begun = time.monotonic()
    good_request(program)
    took = time.monotonic() - begun
    for i, client in enumerate(clients):
        end(client, (i // len(KINDS) + number) % 3)
    wait_for_descriptors(program, idle, f"round {number}")
    return took


def churn():
    """connections of all kinds that come and go leave neither descriptors nor memory"""
    limit_descriptors(COUNT)
    with Program(SERVER, "--port", "0", "--timeout", "600") as program:
        threading.Thread(target=discard, args=[program.process.stderr], daemon=True).start()
        idle = descriptors(program)
        good_request(program)
        # The server may not have processed the end of that connection yet.
        wait_for_descriptors(program, idle, "after a good request")
        resident = []
        slowest = 0.0
        begun = time.monotonic()
        for number in range(ROUNDS):
            slowest = max(slowest, one_round(program, number, idle))
            resident.append(program.resident_bytes())
            if sys.stdout.isatty() or number + 1 == ROUNDS:
                print(
                    f"# round {number + 1} of {ROUNDS}: {(number + 1) * COUNT} connections in {time.monotonic() - begun:.0f} s, "
                    f"{resident[-1] / 2**20:.1f} MB, slowest good request {slowest * 1000:.1f} ms",
                    flush=True,
                )
            after = resident[WARM_UP - 1 :]
            assert not after or after[-1] <= after[0] + LEFT, f"round {number + 1}: memory grew: {resident}"
        program.process.terminate()
        assert program.process.wait(PATIENCE) == 0


if __name__ == "__main__":
    tap = Tap()
    tap.run([churn])
    tap.end()
