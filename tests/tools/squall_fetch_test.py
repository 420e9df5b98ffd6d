#!/usr/bin/env python3
"""Tests of squall-fetch: `squall_fetch_test.py PROGRAM SERVER` (conformance_server)."""

import contextlib
import os
import pathlib
import pty
import socket
import subprocess
import sys
import tempfile
import threading
import time

from program import PATIENCE, Program, fails
from tap import Tap

FETCH, SERVER = sys.argv[1:]


def fetch(*arguments):
    run = subprocess.run([FETCH, *arguments], capture_output=True, timeout=PATIENCE, check=False)
    return run.returncode, run.stdout, run.stderr.decode()


def bodies():
    """prints bodies, one after the other, and heads with an option (HCL-50)"""
    with Program(SERVER, "--port", "0") as program:
        url = f"http://127.0.0.1:{program.port}/"
        assert fetch(url, url) == (0, b"Hello, world" * 2, "")
        status, said, _ = fetch("--print_headers", url)
        head, _, body = said.partition(b"\r\n\r\n")
        assert status == 0 and head.startswith(b"HTTP/1.1 200 OK\r\n") and body == b"Hello, world", said
        status, said, _ = fetch("--print_headers", "--no-print_body", url)
        assert status == 0 and said.startswith(b"HTTP/1.1 200 OK\r\n") and said.endswith(b"\r\n\r\n"), said


def files():
    """-o writes to a file, and writes nothing to a stderr that is not a terminal"""
    with Program(SERVER, "--port", "0") as program, tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "out"
        url = f"http://127.0.0.1:{program.port}/large?n=3000000"
        assert fetch("-o", str(path), url) == (0, b"", "")
        assert path.read_bytes() == b"x" * 3000000
        status, _, said = fetch("-o", f"{folder}/no/such", url)
        assert status == 1 and said.startswith("squall-fetch: cannot open "), (status, said)


def errors():
    """an error response is printed; an error without a response ends with status 1 and one line"""
    with Program(SERVER, "--port", "0") as program:
        url = f"http://127.0.0.1:{program.port}/nothing/here"
        status, said, _ = fetch("--print_headers", url)
        assert status == 0 and said.startswith(b"HTTP/1.1 404 "), said
        port = program.port
    status, _, said = fetch(f"http://127.0.0.1:{port}/")
    assert (status, said) == (1, f"squall-fetch: HTTP 599: Connection refused (connecting to 127.0.0.1:{port})\n"), said


def send_slowly(listener, head, pieces):
    connection, _ = listener.accept()
    with connection:
        connection.recv(1 << 16)
        connection.sendall(head)
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.3)


def read_terminal(terminal):
    said = b""
    with contextlib.suppress(OSError):  # on Linux: the other end is closed
        while piece := os.read(terminal, 1 << 16):
            said += piece
    return said.decode()


def progress():
    """on a terminal it shows its progress after one second, in one line that it erases at the end"""
    pieces = [b"x" * 262144] * 8
    for head, expected in (
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2097152\r\n\r\n", " MiB of 2.0, "),
        (b"HTTP/1.1 200 OK\r\n\r\n", " MiB, "),
    ):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            threading.Thread(target=send_slowly, args=(listener, head, pieces), daemon=True).start()
            ours, its = pty.openpty()
            command = [FETCH, f"http://127.0.0.1:{listener.getsockname()[1]}/"]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=its) as run:
                os.close(its)
                body = run.stdout.read()
                said = read_terminal(ours)
            os.close(ours)
        assert run.returncode == 0 and body == b"".join(pieces), (run.returncode, len(body))
        lines = said.split("\r")
        assert said.endswith("\r\x1b[K") and "\n" not in said and len(lines) > 2, said
        for line in lines[1:-1]:
            assert expected in line and line.endswith(" MiB/s\x1b[K"), said


def wrong_use():
    """wrong use gives status 2 and one line"""
    for arguments in ([], ["--nonsense", "http://127.0.0.1/"], ["--proxy_host", "x", "http://127.0.0.1/"]):
        status, said = fails(FETCH, *arguments)
        assert status == 2 and said.startswith("squall-fetch: ") and said.count("\n") == 1, (status, said)
    for value in ("-1", "nan", "-inf"):
        status, said = fails(FETCH, f"--timeout={value}", "http://127.0.0.1/")
        assert (status, said) == (2, f"squall-fetch: --timeout: {value} is not zero or more (--help shows the options)\n"), (status, said)


tap = Tap()
tap.run([bodies, files, errors, progress, wrong_use])
tap.end()
