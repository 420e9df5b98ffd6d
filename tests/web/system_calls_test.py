#!/usr/bin/env python3
"""The system calls of a program, by strace: `system_calls_test.py PROGRAM PLATFORM`."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from program import Program
from tap import Tap

PROGRAM, PLATFORM = sys.argv[1:]

# Calls that POSIX.1-2008 does not have: as strace names them, and as libc does.
OTHER_CALLS = re.compile(
    r"accept4|dup3|epoll_\w+|eventfd2?|fanotify_\w+|inotify_\w+|memfd_create|openat2|pidfd_\w+|pipe2|ppoll|sendfile(?:64)?|signalfd4?|splice"
    r"|tee|timerfd_\w+|vmsplice"
)
# Without flags it is the call of POSIX: some versions of libc make it so.
WITHOUT_FLAGS = re.compile(r"(?:accept4|pipe2|dup3)\(.*, 0\) +=|ppoll\(.*, NULL, \d+\) +=")
# Those that the program makes with calls of Linux, and with those of POSIX.
OF_LINUX = {"accept4", "epoll_ctl", "eventfd2", "openat2", "pidfd_open", "pipe2", "sendfile", "splice"}
OF_POSIX = {"execve", "openat", "pread64", "sendto", "setsockopt"}
PAGE = "a line of a static file\n" * 20_000


def cannot_trace():
    """Why strace cannot be used; empty if it can."""
    if not shutil.which("strace"):
        return "there is no strace"
    run = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "true"], capture_output=True, text=True, timeout=60, check=False)
    return "" if run.returncode == 0 else f"strace may not trace: {run.stderr.strip()}"


def body(program, path):
    answer = program.talk(f"GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
    head, _, text = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n"), answer
    return text.decode()


def calls_of_program():
    """The names of the system calls that the program makes while it serves."""
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "page.txt").write_text(PAGE, encoding="utf-8")
        # A file for each thread, in which no call is in two lines.
        with Program("strace", "-ff", "-qq", "-o", f"{folder}/trace", PROGRAM, folder) as program:
            assert body(program, "/") == "hello\n"
            assert body(program, "/files/page.txt") == PAGE
            assert body(program, "/child") == "from the child\n"
            assert body(program, "/thread") == "42"
            assert body(program, "/pump") == "1000000"
            program.talk(b"GET /stop HTTP/1.1\r\nHost: h\r\n\r\n")
            assert program.process.wait(60) == 0, program.said
        traces = [path.read_text(encoding="utf-8", errors="replace") for path in pathlib.Path(folder).glob("trace.*")]
    lines = [line for trace in traces for line in re.findall(r"^\w+\(.*", trace, re.MULTILINE)]
    return {line.partition("(")[0] for line in lines if not WITHOUT_FLAGS.match(line)}


def imports():
    """The functions that the program takes from shared libraries."""
    listing = subprocess.run(["nm", "--undefined-only", PROGRAM], capture_output=True, text=True, timeout=60, check=True).stdout
    return set(re.findall(r"\bU (\w+)", listing))


def others(names):
    return sorted(name for name in names if OTHER_CALLS.fullmatch(name))


def main():
    tap = Tap()
    calls = "every system call of a server is one of POSIX" if PLATFORM == "posix" else "a server makes the calls of Linux"
    if reason := cannot_trace():
        tap.skip(calls, reason)
    else:
        made = calls_of_program()
        tap.check(calls, others(made) + sorted(OF_POSIX - made) if PLATFORM == "posix" else sorted(OF_LINUX - made))
    functions = "the library uses only functions of POSIX" if PLATFORM == "posix" else "the library uses functions of Linux"
    if not shutil.which("nm"):
        tap.skip(functions, "there is no nm")
    else:
        found = others(imports())
        tap.check(functions, found if PLATFORM == "posix" else [] if {"accept4", "epoll_ctl", "pipe2"} <= set(found) else found)
    tap.end()


main()
