#!/usr/bin/env python3
"""Many WebSockets come and go: `websocket_churn_test.py PROGRAM [CONNECTIONS ROUNDS SECONDS]`.

During the seconds of a round that many connections are open. Each in turn sends messages and reads the answers, and at
last ends: with a close frame, with a fault, or without a word; and another one takes its place. Some never answer again,
and the server ends them. After a round all others are ended: the server has no more descriptors than before. At the end it has
no more memory allocated than at the start; of its resident memory malloc() keeps a part for the next connections. `./dev soak`
runs this for ten minutes with 10,000 connections.
"""

import contextlib
import http.client
import socket
import struct
import sys
import threading
import time
import zlib

from many_clients import connect, descriptors, discard, limit_descriptors, memory_allowance, reset, wait_for_descriptors
from program import PATIENCE, Program
from tap import Tap
from websocket_client import BINARY, CLOSE, FIN, PING, PONG, RSV1, TEXT, WebSocketClient, close_payload, frame

SERVER = sys.argv[1]
COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 200
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 4
SECONDS = float(sys.argv[4]) if len(sys.argv) > 4 else 0.5
# The time between the pings of the server, and for an answer. Each connection must have its turn within it.
TIMEOUT = 20 if COUNT > 1000 else 1
# The free lists of the server's loop, which keep memory for as many connections as there were.
LEFT = memory_allowance(SERVER, COUNT) / 2**20
NO_KEY = b"\0\0\0\0"
MESSAGES = [frame(opcode, b"x" * size, key=NO_KEY) for opcode, size in ((TEXT, 20), (BINARY, 200), (TEXT, 0), (BINARY, 5000), (TEXT, 70_000))]
TCP_REPAIR = 19


class Life:
    """A connection, from its handshake to its end."""

    ends = ("close", "reset", "finish", "half_close", "vanish", "silence", "fault", "cut", "stuck")

    def __init__(self, program, number):
        self.number = number
        # A server needs much memory for a connection that compresses.
        extension = "permessage-deflate" if number % 16 == 0 else None
        self.client = WebSocketClient(program, "/ws", extension, connection=connect(program, number))
        self.deflate = zlib.compressobj(wbits=-15) if extension else None
        self.turns = number % 5  # before its end
        self.how = self.ends[number % len(self.ends)]
        self.last = time.monotonic()  # when it last had something to say

    def turn(self):
        """False once the connection is ended."""
        if self.turns >= 0:
            self.talk()
            self.turns -= 1
            return True
        return getattr(self, self.how)()

    def talk(self):
        self.last = time.monotonic()
        if self.deflate:
            payload = self.deflate.compress(b"compressed ") + self.deflate.flush(zlib.Z_SYNC_FLUSH)
            self.client.send(TEXT, payload[:-4], first=FIN | RSV1)
            first, received = self.next_frame()
            assert first == FIN | RSV1 | TEXT and received, (first, received)
            return
        sent = MESSAGES[(self.number + self.turns) % len(MESSAGES)]
        self.client.socket.sendall(sent)
        first, received = self.next_frame()
        assert first == sent[0] and sent.endswith(received), (self.number, first, received[:100])

    def next_frame(self):
        """The next frame that is not a ping; answers pings."""
        while True:
            first, received = self.client.frame()
            if first != FIN | PING:
                return first, received
            self.client.send(PONG, received)

    def leave(self):
        self.client.socket.close()
        return False

    # ---- The ends: false if the connection is ended, true if it wants another turn.

    def close(self):
        self.client.send(CLOSE, close_payload(1000, b"bye"))
        assert self.next_frame() == (FIN | CLOSE, close_payload(1000))
        self.client.expect_end()
        return self.leave()

    def reset(self):
        reset(self.client.socket)
        return False

    def finish(self):
        return self.leave()

    def half_close(self):
        self.client.socket.shutdown(socket.SHUT_WR)
        self.how = "see_end"
        return True

    def see_end(self):
        with contextlib.suppress(ConnectionResetError):
            while piece := self.client.socket.recv(1 << 16):
                assert piece == b"\x89\0", piece
        return self.leave()

    def vanish(self):
        # The peer's computer is gone: neither FIN nor RST is sent. Only root may do that.
        with contextlib.suppress(PermissionError):
            self.client.socket.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        return self.leave()

    def silence(self):
        return False  # the churn keeps the connection

    def fault(self):
        self.client.socket.sendall(frame(TEXT, b"\xff"))
        first, payload = self.next_frame()
        assert (first, payload[:2]) == (FIN | CLOSE, close_payload(1007)), (first, payload)
        return self.leave()

    def cut(self):
        self.client.socket.sendall(frame(TEXT, b"x" * 1000)[:500])
        return self.leave()

    def stuck(self):
        # The server cannot send the answers, and stops reading.
        self.client.socket.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            for _ in range(20):
                self.client.socket.sendall(frame(BINARY, b"y" * 200_000, key=NO_KEY))
        self.how = "reset"
        return True


def allocated(program):
    """The bytes that the server has allocated, in MB."""
    connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=PATIENCE)
    connection.request("GET", "/allocated")
    count = int(connection.getresponse().read())
    connection.close()
    return count / 2**20


class Churn:
    def __init__(self, program):
        self.program = program
        self.lives = []
        self.silent = []
        self.count = 0
        self.ended_by_server = 0
        self.late = 0
        self.slowest = 0.0

    def begin(self):
        self.count += 1
        return Life(self.program, self.count)

    def run(self, seconds):
        """For some seconds, and until a connection was silent, which takes longer on a slow machine."""
        while len(self.lives) < COUNT:
            self.lives.append(self.begin())
        end = time.monotonic() + seconds
        while time.monotonic() < end or (not self.silent and not self.ended_by_server and time.monotonic() < end + PATIENCE):
            for i, life in enumerate(self.lives):
                begun = time.monotonic()
                late = begun - life.last > TIMEOUT
                try:
                    goes_on = life.turn()
                except (AssertionError, OSError):
                    if not late:
                        raise
                    # This machine is so slow that the server has taken the connection for dead.
                    goes_on = life.leave()
                    life.how = "late"
                    self.late += 1
                self.slowest = max(self.slowest, time.monotonic() - begun)
                if not goes_on:
                    self.keep_or_forget(life)
                    self.lives[i] = self.begin()
            self.look_at_silent()

    def keep_or_forget(self, life):
        if life.how != "silence":
            return
        if len(self.silent) < COUNT / 4:
            self.silent.append(life)
        else:
            life.leave()

    def look_at_silent(self):
        """Forgets the silent connections that the server has ended."""
        waiting = []
        for life in self.silent:
            if self.is_ended(life):
                self.ended_by_server += 1
                life.leave()
            else:
                waiting.append(life)
        self.silent = waiting

    @staticmethod
    def is_ended(life):
        life.client.socket.settimeout(0)
        try:
            while piece := life.client.socket.recv(1 << 16):
                life.client.buffer += piece
        except BlockingIOError:
            return False
        said = life.client.buffer.lstrip(b"\x89\0")
        assert said == b"\x88" + struct.pack("!B", 2 + len("ping timed out")) + close_payload(1000, b"ping timed out"), life.client.buffer
        return True

    def end_all(self):
        for life in self.lives:
            reset(life.client.socket) if life.number % 2 else life.leave()
        self.lives = []


def churn():
    """WebSockets that talk, and end with or without a word, leave neither descriptors nor memory"""
    limit_descriptors(COUNT * 5 // 4)
    with Program(SERVER, "--port", "0", "--timeout", str(TIMEOUT)) as program:
        threading.Thread(target=discard, args=[program.process.stderr], daemon=True).start()
        churns = Churn(program)
        idle = descriptors(program)
        start = program.resident_bytes()
        allocated_at_start = allocated(program)
        wait_for_descriptors(program, idle, "after a request")
        begun = time.monotonic()
        for number in range(ROUNDS):
            churns.run(SECONDS)
            busy = program.resident_bytes()
            in_use = allocated(program)
            held = descriptors(program) - idle
            churns.end_all()
            # The silent connections live on. Those that vanished stay until the server sends a ping.
            wait_for_descriptors(program, idle + len(churns.silent), f"round {number}", 4 * TIMEOUT + PATIENCE)
            churns.look_at_silent()
            resident = program.resident_bytes()
            left = allocated(program)
            if COUNT > 1000 or number + 1 == ROUNDS:
                print(
                    f"# round {number + 1} of {ROUNDS}: {churns.count} connections in {time.monotonic() - begun:.0f} s; "
                    f"{start / 2**20:.1f} MB ({allocated_at_start:.1f} allocated) at the start, {busy / 2**20:.1f} ({in_use:.1f}) with {held} open, "
                    f"{resident / 2**20:.1f} ({left:.1f}) with {len(churns.silent)} behind them; "
                    f"slowest turn {churns.slowest * 1000:.0f} ms; {churns.late} too late for a ping",
                    flush=True,
                )
        deadline = time.monotonic() + 4 * TIMEOUT + PATIENCE
        while churns.silent:
            assert time.monotonic() < deadline, f"the server keeps {len(churns.silent)} silent connections"
            time.sleep(0.05)
            churns.look_at_silent()
        wait_for_descriptors(program, idle, "at the end")
        assert churns.ended_by_server > 0
        left = allocated(program)
        wait_for_descriptors(program, idle, "after a request")
        print(
            f"# the server ended {churns.ended_by_server} silent connections; at the end {descriptors(program)} descriptors, {idle} at the start; "
            f"{left:.1f} MB allocated, {allocated_at_start:.1f} at the start; {program.resident_bytes() / 2**20:.1f} MB resident"
        )
        assert left <= allocated_at_start + LEFT, f"{left - allocated_at_start:.1f} MB more are allocated than at the start"
        program.process.terminate()
        assert program.process.wait(PATIENCE) == 0


if __name__ == "__main__":
    tap = Tap()
    tap.run([churn])
    tap.end()
