#!/usr/bin/env python3
"""A server with slow clients: `slow_clients_test.py PROGRAM [CLIENTS ROUNDS]`."""

import contextlib
import http.client
import os
import pathlib
import subprocess
import sys
import threading
import time

from program import PATIENCE, Program
from tap import Tap

SERVER = sys.argv[1]
ATTACK = pathlib.Path(__file__).resolve().parent.parent / "support/slow_clients.py"
COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 300
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 2
# How much more memory may stay in use after the later attacks than after the first half of them: the allocator keeps
# what the largest of them needed. A sanitizer keeps freed memory.
LEFT = 8 * 1024 * 1024 if b"__asan_init" not in pathlib.Path(SERVER).read_bytes() else 1 << 40


@contextlib.contextmanager
def attackers(program, kind):
    command = [sys.executable, str(ATTACK), str(program.port), kind, str(COUNT)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as attack:
        try:
            assert attack.stdout.readline() == "attacking\n"
            yield
        finally:
            attack.stdin.close()
            try:
                attack.wait(PATIENCE)
            finally:
                attack.kill()


def descriptors(program):
    return len(os.listdir(f"/proc/{program.process.pid}/fd"))


def good_requests(program, count):
    # A connection each: on a busy machine two requests may be a second apart, and the server closes idle connections then.
    for _ in range(count):
        connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=PATIENCE)
        connection.request("GET", "/")
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, b"Hello, world")
        connection.close()


def wait_until(done, what):
    end = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < end, what()
        time.sleep(0.02)


@contextlib.contextmanager
def read_output(program):
    """Reads the program's log meanwhile: thousands of lines at a time would fill its pipe, and block the program."""
    done = threading.Event()

    def read():
        while not done.is_set():
            program.read_more(0.1)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield
    finally:
        done.set()
        reader.join()


def survives(kind, says):
    with Program(SERVER, "--port", "0", "--timeout", "1") as program:
        good_requests(program, 20)
        idle = descriptors(program)
        resident = []
        for _ in range(ROUNDS):
            with read_output(program), attackers(program, kind):
                wait_until(lambda: descriptors(program) > idle + COUNT // 2, lambda: "the attackers are not connected")
                good_requests(program, 50)
                # The server closes the connections of the attackers, who do not close them.
                wait_until(lambda: descriptors(program) <= idle, lambda: f"{descriptors(program)} descriptors, {idle} before")
                good_requests(program, 10)
            resident.append(program.resident_bytes())
        half = (ROUNDS + 1) // 2
        assert max(resident[half:]) <= max(resident[:half]) + LEFT, resident
        if says:
            program.wait_for(says)


def heads():
    """a client that sends a head slowly gets 408 at the timeout, and others are served meanwhile"""
    survives("head", "Malformed HTTP message from 127.0.0.1:[0-9]+: Timeout reading the request's head")


def bodies():
    """a client that sends a body slowly gets 408 at the timeout, and others are served meanwhile"""
    survives("body", "Malformed HTTP message from 127.0.0.1:[0-9]+: Timeout reading the request's body")


def reads():
    """the connection of a client that does not read is closed, and the memory of its response is freed"""
    survives("read", "Timeout writing to 127.0.0.1:[0-9]+")


def idlers():
    """a client that connects and sends nothing is closed without an answer"""
    survives("idle", None)


tap = Tap()
tap.run([heads, bodies, reads, idlers])
tap.end()
