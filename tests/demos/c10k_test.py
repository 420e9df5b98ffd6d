#!/usr/bin/env python3
"""demos/c10k with few connections: `c10k_test.py PROGRAM`."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time

from program import PATIENCE, Program, fails
from tap import Tap

C10K = sys.argv[1]
ON_LOOPBACK = (C10K, "--port", "0", "--address", "127.0.0.1")
ARGUMENTS = (*ON_LOOPBACK, "--connections", "60", "--processes", "2", "--messages", "500")


def workers(program):
    """The process ids of the program's children."""
    pid = program.process.pid
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def wait_until(what, condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"not in time: {what}"
        time.sleep(0.02)


def is_alive(pid):
    """Whether a process runs; one that has ended may wait for its parent to ask for its status."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def summary():
    """it opens its connections, sends messages over them, and says what they cost"""
    run = subprocess.run([*ARGUMENTS, "--seconds", "6"], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert run.returncode == 0, run
    said = re.search(r"(\d+) connections open, (\d+) lost, (\d+) failed to connect; (\d+) messages/s, "
                     r"median ([\d.]+) ms, 99 % ([\d.]+) ms; (\d+) bytes a connection", run.stdout)
    assert said, run.stdout
    assert said.groups()[:3] == ("60", "0", "0"), run.stdout
    assert 100 < int(said[4]) < 1500, run.stdout
    assert 0 < float(said[5]) <= float(said[6]), run.stdout
    assert "60 connections are open after" in run.stderr, run.stderr


def page():
    """the page has the numbers and its nonce, and its icon is there"""
    with Program(*ARGUMENTS) as program:
        answer = program.talk(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").decode()
        nonce = re.search(r'<script nonce="([^"]+)">', answer)[1]
        assert f"script-src 'self' 'nonce-{nonce}';" in answer and "{nonce}" not in answer, answer
        assert "<title>60 WebSockets</title>" in answer, answer
        assert b"Content-Type: image/svg+xml\r\n" in program.talk(b"GET /icon.svg HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        assert program.stop() == 0, program.said


def killed_worker():
    """a server that is killed is reported, and so are its clients' connections; the others stay"""
    with Program(*ARGUMENTS) as program:
        program.wait_for("60 connections are open")
        for pid in workers(program):
            command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"server" in command:
                os.kill(pid, signal.SIGKILL)
                break
        program.wait_for(r"server \d \(process \d+\) has ended")
        assert program.process.poll() is None
        assert program.stop() == 1, program.said


def killed():
    """its workers end with it, also if it is killed"""
    with Program(*ARGUMENTS) as program:
        program.wait_for("60 connections are open")
        children = workers(program)
        assert len(children) == 4, children
        program.stop(signal.SIGKILL)
        wait_until("the workers end", lambda: not any(is_alive(child) for child in children))


def refused():
    """more connections than descriptors, no terminal, a busy port and wrong numbers are named"""
    status, said = fails(*ON_LOOPBACK, "--connections", "100000000")
    assert status == 1 and "descriptors: raise `ulimit -n`, or use --processes" in said, said
    status, said = fails(*ARGUMENTS, "--tui")
    assert status == 1 and "--tui needs a terminal" in said, said
    assert fails(*ON_LOOPBACK, "--connections", "0")[0] == 2
    assert fails(*ON_LOOPBACK, "--processes", "0")[0] == 2
    status, said = fails(*ARGUMENTS, "--pages", "/nowhere")
    assert status == 1 and "cannot read /nowhere/index.html" in said, said
    with Program(*ARGUMENTS) as program:
        status, said = fails(C10K, "--address", "127.0.0.1", "--port", str(program.port))
        assert status == 1 and str(program.port) in said, said


tap = Tap()
tap.run([summary, page, killed_worker, killed, refused])
tap.end()
