#!/usr/bin/env python3
"""conformance_server as other people's suites will use it: `server_test.py PROGRAM`."""

import http.client
import re
import signal
import sys
import time

from program import PATIENCE, Program, fails, read_to_end
from tap import Tap

SERVER = sys.argv[1]


def get(path, more=""):
    return f"GET {path} HTTP/1.1\r\nHost: h\r\n{more}\r\n".encode()


def client(program):
    return http.client.HTTPConnection("127.0.0.1", program.port, timeout=PATIENCE)


def fetch(program, method, path, body=None):
    connection = client(program)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def root():
    """GET / is 200 with a Content-Length and a date"""
    with Program(SERVER, "--port", "0") as program:
        status, headers, body = fetch(program, "GET", "/")
        assert (status, body) == (200, b"Hello, world"), (status, body)
        assert headers["Content-Length"] == "12" and headers["Date"].endswith(" GMT"), headers
        status, headers, body = fetch(program, "HEAD", "/")
        assert (status, headers["Content-Length"], body) == (200, "12", b""), (status, headers, body)


def no_content():
    """GET /nocontent is 204 without body or length"""
    with Program(SERVER, "--port", "0") as program:
        answer = program.talk(get("/nocontent", "Connection: close\r\n"))
        assert answer.startswith(b"HTTP/1.1 204 No Content\r\n") and answer.endswith(b"\r\n\r\n"), answer
        assert b"Content-Length" not in answer, answer


def echo():
    """POST /echo gives the body back byte for byte, with a length and in chunks"""
    body = bytes(i * 7 % 256 for i in range(300_000))
    with Program(SERVER, "--port", "0") as program:
        assert fetch(program, "POST", "/echo", body)[2] == body
        assert fetch(program, "POST", "/echo", (body[i : i + 9999] for i in range(0, len(body), 9999)))[2] == body
        assert fetch(program, "POST", "/echo", b"")[2] == b""


def large():
    """GET /large streams any size to its last byte"""
    with Program(SERVER, "--port", "0") as program:
        for size in (0, 1, 65536, 65537, 3_000_000):
            status, headers, body = fetch(program, "GET", f"/large?n={size}")
            assert (status, len(body)) == (200, size), (status, len(body), size)
        status, _, _ = fetch(program, "GET", "/large?n=many")
        assert status == 400, status


def large_is_not_held():
    """a client that does not read holds back a large response, which is never all in memory"""
    with Program(SERVER, "--port", "0") as program:
        before = program.resident_bytes()
        with program.connect() as slow:
            slow.sendall(get("/large?n=10000000000"))
            slow.recv(1000)
            fetch(program, "GET", "/")
            time.sleep(0.2)  # time in which a server that does not wait would fill its memory
            grown = program.resident_bytes() - before
            assert grown < 30_000_000, grown


def slow():
    """GET /slow answers when its time has come, and others are served meanwhile"""
    with Program(SERVER, "--port", "0") as program, program.connect() as waiting:
        waiting.sendall(get("/slow?ms=300", "Connection: close\r\n"))
        assert fetch(program, "GET", "/")[0] == 200
        begun = time.monotonic()
        assert read_to_end(waiting).endswith(b"\r\n\r\nslept\n")
        assert time.monotonic() - begun < PATIENCE


def numbers():
    """numbers out of range are 400, and the server goes on"""
    with Program(SERVER, "--port", "0") as program:
        for path in ("/slow?ms=3600001", "/slow?ms=9223372036854775807", "/slow?ms=-1", "/large?n=9223372036854775807"):
            assert fetch(program, "GET", path)[0] == 400, path
        assert fetch(program, "GET", "/slow?ms=0")[::2] == (200, b"slept\n")


def unknown():
    """an unknown path is 404, and a verb that is not there 405"""
    with Program(SERVER, "--port", "0") as program:
        assert fetch(program, "GET", "/nowhere")[0] == 404
        status, headers, _ = fetch(program, "DELETE", "/")
        assert (status, headers["Allow"]) == (405, "GET, HEAD"), (status, headers)


def timeouts():
    """--timeout bounds heads, bodies, idle connections and writes"""
    with Program(SERVER, "--port", "0", "--timeout", "0.2") as program:
        assert program.talk(b"GET / HT").startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        part = b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\npart"
        assert program.talk(part).startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        with program.connect() as idle:
            assert read_to_end(idle) == b""
        with program.connect() as used:
            used.sendall(get("/"))
            assert read_to_end(used).endswith(b"Hello, world")
        with program.connect() as blocked:
            blocked.sendall(get("/large?n=10000000000"))
            program.wait_for(r"Timeout writing to 127\.0\.0\.1")


def log():
    """a request is a line in the log, and so is bad input, with its peer"""
    with Program(SERVER, "--port", "0") as program:
        fetch(program, "GET", "/slow?ms=1")
        program.wait_for(r"\[I \d{6} \d\d:\d\d:\d\d application:\d+\] 200 GET /slow\?ms=1 \(127\.0\.0\.1\) \d+\.\d\dms\n")
        program.talk(b"nonsense\r\n\r\n")
        program.wait_for(r"Malformed HTTP message from 127\.0\.0\.1:\d+: Malformed HTTP request line\n")


def signals():
    """SIGTERM and SIGINT stop it cleanly, with connections open and at work"""
    for how in (signal.SIGTERM, signal.SIGINT):
        with Program(SERVER, "--port", "0") as program, program.connect() as one, program.connect() as other:
            one.sendall(get("/slow?ms=60000"))
            other.sendall(get("/"))
            other.recv(100)
            assert program.stop(how) == 0, program.said


def wrong_use():
    """a busy port, an unknown flag and a number out of range are one clear line each"""
    with Program(SERVER, "--port", "0") as program:
        status, said = fails(SERVER, "--port", str(program.port))
        assert status == 1, status
        assert f"conformance_server: cannot listen on 127.0.0.1:{program.port}: Address already in use\n" == said, said
    for arguments in (["--nonsense"], ["--port", "70000"], ["--port", "x"], ["--port", "-1"], ["--timeout", "0"], ["stray"]):
        status, said = fails(SERVER, *arguments)
        assert status == 2, (arguments, status)
        assert re.fullmatch(r"[^\n]+\n(Run with --help for more information\.\n)?", said), (arguments, said)


tap = Tap()
tap.run([root, no_content, echo, large, large_is_not_held, slow, numbers, unknown, timeouts, log, signals, wrong_use])
tap.end()
