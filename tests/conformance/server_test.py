#!/usr/bin/env python3
"""conformance_server as test suites of other projects use it: `server_test.py PROGRAM`."""

import http.client
import re
import select
import signal
import sys
import time
import zlib

from many_clients import counts_memory
from program import PATIENCE, Program, fails, read_to_end
from tap import Tap
from websocket_client import BINARY, CLOSE, FIN, PING, PONG, RSV1, TEXT, WebSocketClient, close_payload, frame, handshake

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
    """POST /echo sends the body back byte for byte, with a length and in chunks"""
    body = bytes(i * 7 % 256 for i in range(300_000))
    with Program(SERVER, "--port", "0") as program:
        assert fetch(program, "POST", "/echo", body)[2] == body
        assert fetch(program, "POST", "/echo", (body[i : i + 9999] for i in range(0, len(body), 9999)))[2] == body
        assert fetch(program, "POST", "/echo", b"")[2] == b""


def count():
    """POST /count answers with the number of received bytes, which it does not store"""
    with Program(SERVER, "--port", "0") as program:
        assert fetch(program, "POST", "/count", b"x" * 1234)[2] == b"1234"
        assert fetch(program, "POST", "/count", (b"x" * 1000 for _ in range(50)))[2] == b"50000"
        assert fetch(program, "POST", "/count", b"")[2] == b"0"
        before = program.resident_bytes()
        # Beyond the limit of collected bodies.
        assert fetch(program, "POST", "/count", b"x" * 105_000_000)[2] == b"105000000"
        grown = program.resident_bytes() - before
        assert grown < 30_000_000, grown


def chunked():
    """GET /chunked is sent in chunks, and GET /trailers with a trailer behind them"""
    with Program(SERVER, "--port", "0") as program:
        status, headers, body = fetch(program, "GET", "/chunked?n=3")
        assert (status, headers["Transfer-Encoding"], body) == (200, "chunked", b"piece 0\npiece 1\npiece 2\n"), (status, headers, body)
        answer = program.talk(get("/trailers", "Connection: close\r\n"))
        assert b"\r\nTrailer: X-Length\r\n" in answer, answer
        assert answer.endswith(b"\r\n\r\n9\r\nthe body\n\r\n0\r\nX-Length: 9\r\n\r\n"), answer


def drain():
    """with --drain a request that has begun is answered after SIGTERM, and idle connections are closed"""
    with Program(SERVER, "--port", "0", "--drain", str(PATIENCE)) as program, program.connect() as busy, program.connect() as idle:
        busy.sendall(get("/slow?ms=500"))
        idle.sendall(get("/"))
        assert b"Hello, world" in idle.recv(1000)
        for _ in range(2):
            fetch(program, "GET", "/")
        assert program.stop(signal.SIGTERM) == 0, program.said
        assert read_to_end(idle) == b""
        answer = read_to_end(busy)
        assert b"\r\nConnection: close\r\n" in answer and answer.endswith(b"slept\n"), answer


def large():
    """GET /large streams any size to its last byte"""
    with Program(SERVER, "--port", "0") as program:
        for size in (0, 1, 65536, 65537, 3_000_000):
            status, headers, body = fetch(program, "GET", f"/large?n={size}")
            assert (status, len(body)) == (200, size), (status, len(body), size)
        status, _, _ = fetch(program, "GET", "/large?n=many")
        assert status == 400, status


def large_is_not_held():
    """a client that does not read stops a large response, which is never completely in memory"""
    with Program(SERVER, "--port", "0") as program:
        before = program.resident_bytes()
        with program.connect() as slow:
            slow.sendall(get("/large?n=10000000000"))
            slow.recv(1000)
            fetch(program, "GET", "/")
            time.sleep(0.2)  # time in which a server without back-pressure would fill its memory
            grown = program.resident_bytes() - before
            assert grown < 30_000_000, grown


def slow():
    """GET /slow answers after its delay, not earlier"""
    with Program(SERVER, "--port", "0") as program:
        begun = time.monotonic()
        assert program.talk(get("/slow?ms=300", "Connection: close\r\n")).endswith(b"\r\n\r\nslept\n")
        assert time.monotonic() - begun >= 0.3


def slow_blocks_nobody():
    """while a GET /slow is pending other requests are served"""
    with Program(SERVER, "--port", "0") as program, program.connect() as waiting:
        waiting.sendall(get(f"/slow?ms={2 * PATIENCE * 1000:.0f}"))
        # After the second response the first connection's request has been read.
        for _ in range(2):
            assert fetch(program, "GET", "/")[0] == 200
        assert not select.select([waiting], [], [], 0)[0], waiting.recv(1000)


def numbers():
    """numbers out of range are 400, and the server still serves"""
    with Program(SERVER, "--port", "0") as program:
        for path in ("/slow?ms=3600001", "/slow?ms=9223372036854775807", "/slow?ms=-1", "/large?n=9223372036854775807"):
            assert fetch(program, "GET", path)[0] == 400, path
        assert fetch(program, "GET", "/slow?ms=0")[::2] == (200, b"slept\n")


def unknown():
    """an unknown path is 404, and an unknown verb 405"""
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


def allocated():
    """GET /allocated is the number of bytes that the server has allocated"""
    with Program(SERVER, "--port", "0") as program:
        before = int(fetch(program, "GET", "/allocated")[2])
        with WebSocketClient(program, "/ws") as client:
            client.send(TEXT, b"x" * 1_000_000, first=0)
            client.send(PING)
            client.expect(PONG, b"")
            now = int(fetch(program, "GET", "/allocated")[2])
            assert now >= before + 1_000_000 or not counts_memory(SERVER), (before, now)


def web_socket_timeouts():
    """--timeout is the time between two pings of /ws, to answer one, and to answer a close frame"""
    with Program(SERVER, "--port", "0", "--timeout", "0.2") as program, WebSocketClient(program, "/ws") as client:
        client.expect(PING, b"")
        client.expect(CLOSE, close_payload(1000, b"ping timed out"))
        client.expect_end()


def log():
    """a request is a line in the log, and bad input is a line with its peer"""
    with Program(SERVER, "--port", "0") as program:
        fetch(program, "GET", "/slow?ms=1")
        program.wait_for(r"\[I \d{6} \d\d:\d\d:\d\d access_log:\d+\] 200 GET /slow\?ms=1 \(127\.0\.0\.1\) \d+\.\d\dms\n")
        program.talk(b"nonsense\r\n\r\n")
        program.wait_for(r"Malformed HTTP message from 127\.0\.0\.1:\d+: Malformed HTTP request line\n")


def signals():
    """SIGTERM and SIGINT stop it cleanly, with idle and busy connections"""
    for how in (signal.SIGTERM, signal.SIGINT):
        with Program(SERVER, "--port", "0") as program, program.connect() as one, program.connect() as other:
            one.sendall(get("/slow?ms=60000"))
            other.sendall(get("/"))
            other.recv(100)
            assert program.stop(how) == 0, program.said


def web_socket():
    """GET /ws echoes messages of up to 20 MiB, text as text and binary as binary, and fragments as a whole"""
    with Program(SERVER, "--port", "0") as program, WebSocketClient(program, "/ws") as client:
        assert "Sec-WebSocket-Extensions" not in client.fields, client.fields
        for opcode, payload in ((TEXT, "Grüße".encode()), (BINARY, b"\xff\0"), (TEXT, b""), (BINARY, b"x" * 70_000)):
            client.send(opcode, payload)
            client.expect(opcode, payload)
        client.send(TEXT, b"frag", first=0)
        client.send(PING, b"now")
        client.send(0, b"ments")
        client.expect(PONG, b"now")
        client.expect(TEXT, b"fragments")
        largest = b"m" * (20 * 1024 * 1024)
        client.socket.sendall(frame(BINARY, largest, key=b"\0\0\0\0"))
        client.expect(BINARY, largest)
        client.socket.sendall(frame(BINARY, largest + b"m", key=b"\0\0\0\0")[:100])
        client.expect(CLOSE, close_payload(1009, b"message too big"))


def web_socket_compression():
    """messages of /ws are compressed if the client offers it"""
    with Program(SERVER, "--port", "0") as program, WebSocketClient(program, "/ws", "permessage-deflate") as client:
        assert client.fields["Sec-WebSocket-Extensions"] == "permessage-deflate", client.fields
        client.send(TEXT, bytes.fromhex("f248cdc9c90700"), first=FIN | RSV1)
        first, received = client.frame()
        assert first == FIN | RSV1 | TEXT, first
        assert zlib.decompressobj(wbits=-15).decompress(received + b"\x00\x00\xff\xff") == b"Hello"


def web_socket_origin():
    """pages of every origin may open /ws, and a request that is no handshake is refused"""
    with Program(SERVER, "--port", "0") as program:
        request, _ = handshake(program.port, "/ws", Origin="https://other.example")
        with program.connect() as connection:
            connection.sendall(request)
            assert connection.recv(1000).startswith(b"HTTP/1.1 101 "), program.said
        assert fetch(program, "GET", "/ws")[0] == 400


def wrong_use():
    """a busy port, an unknown flag and a number out of range each give one clear line"""
    with Program(SERVER, "--port", "0") as program:
        status, said = fails(SERVER, "--port", str(program.port))
        assert status == 1, status
        assert f"conformance_server: cannot listen on 127.0.0.1:{program.port}: Address already in use\n" == said, said
    for arguments in (["--nonsense"], ["--port", "70000"], ["--port", "x"], ["--port", "-1"], ["--timeout", "0"], ["stray"]):
        status, said = fails(SERVER, *arguments)
        assert status == 2, (arguments, status)
        assert re.fullmatch(r"conformance_server: [^\n]+\n", said), (arguments, said)


tap = Tap()
tap.run(
    [root, no_content, echo, count, chunked, large, large_is_not_held, slow, slow_blocks_nobody, numbers, unknown, timeouts, log, signals, drain, web_socket, web_socket_compression, web_socket_origin, web_socket_timeouts, allocated, wrong_use]
)
tap.end()
