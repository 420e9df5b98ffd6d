#!/usr/bin/env python3
"""fork_processes() as a user calls it, in its own program: `fork_processes_test.py PROGRAM`."""

import os
import re
import signal
import subprocess
import sys
import time

from tap import Tap

PROGRAM = sys.argv[1]
PATIENCE = 60.0


def run(what):
    """(exit status, stdout, stderr) of a program that ends by itself."""
    done = subprocess.run([PROGRAM, what], capture_output=True, text=True, timeout=PATIENCE, check=False)
    return done.returncode, done.stdout, done.stderr


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # Processes that were not reaped have ended too.
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        return stat.read().rpartition(")")[2].split()[0] != "Z"


def wait_until_gone(pid):
    end = time.monotonic() + PATIENCE
    while is_alive(pid):
        assert time.monotonic() < end, f"{pid} is still there"
        time.sleep(0.01)


class Running:
    """A program whose children are ready."""

    def __init__(self, what, **options):
        self.process = subprocess.Popen(
            [PROGRAM, what], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
        )
        self.children = [self.read_ready(), self.read_ready()]

    def read_ready(self):
        line = self.process.stdout.readline()
        match = re.fullmatch(r"ready (\d+)\n", line)
        assert match, line
        return int(match[1])

    def end(self):
        """(exit status, rest of stdout, stderr)."""
        out, said = self.process.communicate(timeout=PATIENCE)
        for child in self.children:
            wait_until_gone(child)
        return self.process.returncode, out, said

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in [self.process.pid] + self.children:
            if self.process.poll() is None or is_alive(pid):
                os.kill(pid, signal.SIGKILL)
        self.process.communicate()


def ids():
    """each child gets its task id, and the parent exits with 0 when all children have (PRC-02, PRC-06, PRC-07)"""
    status, out, said = run("ids")
    assert status == 0, (status, said)
    children = [f"child {i} of itself" for i in range(3)]
    exits = [f"exit of {i}" for i in range(3)]
    assert sorted(out.splitlines()) == sorted(children + exits + ["exit of the parent"]), out
    assert out.splitlines()[-1] == "exit of the parent", out
    assert re.search(r"^\[I .*\] Starting 3 processes$", said, re.MULTILINE), said
    for i in range(3):
        assert re.search(rf"^\[I .*\] child {i} \(pid \d+\) exited normally$", said, re.MULTILINE), said


def default_count():
    """0 means the number of processors (PRC-02)"""
    count = int(subprocess.run(["nproc"], capture_output=True, text=True, check=True).stdout)
    status, out, said = run("default")
    match = re.search(r"Starting (\d+) processes", said)
    assert status == 0 and match and 1 <= int(match[1]) <= count, (status, said)
    assert out.count("of itself") == int(match[1]), out


def restarts():
    """a child that fails or is killed is restarted with the same id (PRC-04, PRC-05)"""
    status, out, said = run("restarts")
    assert status == 0, (status, said)
    assert out.splitlines() == [f"try {i} of child 0" for i in range(3)], out
    assert re.search(r"^\[W .*\] child 0 \(pid \d+\) exited with status 3, restarting$", said, re.MULTILINE), said
    assert re.search(r"^\[W .*\] child 0 \(pid \d+\) killed by signal 9, restarting$", said, re.MULTILINE), said
    assert len(re.findall(r"child \d \(pid \d+\) exited normally", said)) == 2, said


def give_up():
    """too many restarts are an error, and the other children are ended before (PRC-05)"""
    status, out, said = run("give_up")
    assert status == 7, (status, out, said)
    assert out.splitlines()[-1] == "parent: Too many child restarts, giving up", out
    assert said.count("exited with status 1, restarting") == 3, said
    stays = re.search(r"stays (\d+)", out)
    assert stays and not is_alive(int(stays[1])), out


def passes_on():
    """SIGTERM and SIGINT are passed on: the parent exits with 0 if all children do"""
    for how in (signal.SIGTERM, signal.SIGINT):
        with Running("serve") as program:
            program.process.send_signal(how)
            status, out, said = program.end()
            assert status == 0, (status, said)
            assert out.count("stopped") == 2, out
            assert "restarting" not in said, said


def dies_with_them():
    """a parent whose children end by the signal ends by it too"""
    for how in (signal.SIGTERM, signal.SIGINT):
        with Running("stay") as program:
            program.process.send_signal(how)
            status, _, said = program.end()
            assert status == -how, (status, said)
            assert said.count(f"killed by signal {int(how)}\n") == 2, said


def ignored():
    """a signal that was ignored when the program began stays ignored"""

    def ignore():
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    with Running("stay", preexec_fn=ignore) as program:
        program.process.send_signal(signal.SIGINT)
        os.kill(program.children[0], signal.SIGKILL)
        program.children[0] = program.read_ready()  # another child replaces it: the parent still runs
        program.process.send_signal(signal.SIGTERM)
        assert program.end()[0] == -signal.SIGTERM


def child_killed():
    """a child killed from outside is replaced while the others continue"""
    with Running("serve") as program:
        killed, other = program.children
        os.kill(killed, signal.SIGKILL)
        program.children[0] = program.read_ready()
        assert program.children[0] != killed
        assert is_alive(other)
        program.process.send_signal(signal.SIGTERM)
        status, _, said = program.end()
        assert status == 0, (status, said)
        assert said.count("killed by signal 9, restarting") == 1, said


def refusals():
    """it is refused in its own children, and while a loop or a thread of a pool exists (IOL-06)"""
    for what, why in (
        ("twice", "fork_processes() was called already"),
        ("loop", "before an IOLoop is made"),
        ("pool", "before a ThreadPool has threads"),
    ):
        status, out, said = run(what)
        assert status == 0 and why in out, (what, status, out, said)


def after_loop():
    """a destroyed loop does not prevent a fork"""
    status, out, said = run("after_loop")
    assert status == 0 and "child 0 of itself" in out, (status, out, said)


def seeds():
    """the C library's generators give each child other numbers (PRC-03)"""
    status, out, said = run("seeds")
    assert status == 0, said
    numbers = [line.split()[1:] for line in out.splitlines()]
    assert len(numbers) == 3, out
    for column in zip(*numbers):
        assert len(set(column)) == 3, out


def inherited():
    """a child has the signal mask and handlers that the program had"""
    status, out, said = run("inherited")
    assert status == 0 and out == "1 0 1 1\n", (status, out, said)


def buffered():
    """output that was not flushed before the fork appears once"""
    status, out, said = run("buffered")
    assert status == 0 and out == "written before\n", (status, out, said)


tap = Tap()
tap.run(
    [
        ids,
        default_count,
        restarts,
        give_up,
        passes_on,
        dies_with_them,
        ignored,
        child_killed,
        refusals,
        after_loop,
        seeds,
        inherited,
        buffered,
    ]
)
tap.end()
