#!/usr/bin/env python3
"""Three processes with a RedisBroker: one is killed, then Redis restarts. `redis_processes_test.py PROGRAM`."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from program import PATIENCE
from tap import Tap

PROGRAM = sys.argv[1]
SERVER = shutil.which("redis-server")


def start_redis(folder):
    path = os.path.join(folder, "redis.sock")
    command = [SERVER, "--port", "0", "--unixsocket", path, "--save", "", "--dir", folder]
    redis = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + PATIENCE
    while True:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(path) == 0:
                return redis, "unix://" + path
        assert redis.poll() is None and time.monotonic() < end, "redis-server did not start"
        time.sleep(0.01)


class Process:
    def __init__(self, url):
        self.child = subprocess.Popen([PROGRAM, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL, text=True)
        self.messages = []
        self.ask("subscribe t", "subscribed")

    def send(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()

    def until(self, start):
        """The next line that begins with `start`; messages and gaps before it are kept."""
        while True:
            line = self.child.stdout.readline().rstrip("\n")
            assert line, f"no line {start!r}"
            if line.startswith(("message ", "gap ")):
                self.messages.append(line)
            if line.startswith(start):
                return line

    def ask(self, line, start):
        self.send(line)
        return self.until(start)

    def taken(self):
        messages, self.messages = self.messages, []
        return messages

    def end(self):
        self.child.stdin.close()
        self.child.wait(PATIENCE)


def processes():
    """all get all messages; a killed process takes nothing with it; a restart of Redis is a gap, and its positions are of another epoch"""
    with tempfile.TemporaryDirectory() as folder:
        redis, url = start_redis(folder)
        others = []
        try:
            a, b, c = others = [Process(url) for _ in range(3)]
            first = a.ask("publish t 1", "published everywhere").split()[-1]
            for one in (a, b, c):
                if not one.messages:
                    one.until("message t 1 1")
                assert one.taken() == ["message t 1 1"]
            c.child.send_signal(signal.SIGKILL)
            c.child.wait(PATIENCE)
            second = b.ask("publish t 2", "published everywhere").split()[-1]
            if not a.messages:
                a.until("message t 2 2")
            assert a.taken() == ["message t 2 2"]
            # The killed process begins again, and resumes where it was.
            d = Process(url)
            others.append(d)
            assert d.ask(f"history t {first}", "history") == "history ok 2"
            redis.kill()
            redis.wait(PATIENCE)
            end = time.monotonic() + PATIENCE
            while "here" not in a.ask("publish t local", "published"):
                assert time.monotonic() < end
            if "message t local -" not in a.messages:
                a.until("message t local -")
            assert a.ask(f"history t {second}", "history") == "history unavailable"
            redis, _ = start_redis(folder)
            for one in (a, b, d):
                if "gap t" not in one.messages:
                    one.until("gap t")
                one.taken()
            assert a.ask(f"history t {second}", "history") in ("history no_history", "history gap")
            third = ""
            while "everywhere" not in third:
                third = b.ask("publish t 3", "published")
            for one in (a, d):
                one.until("message t 3 1")
            assert third.split()[-1].split("-")[0] != second.split("-")[0], (second, third)
            assert a.ask(f"history t {second}", "history") == "history gap"
        finally:
            for one in others:
                one.child.kill()
                one.child.wait(PATIENCE)
            redis.kill()
            redis.wait(PATIENCE)


tap = Tap()
if SERVER:
    tap.run([processes])
else:
    tap.skip(processes.__doc__, "redis-server is not installed")
tap.end()
