#!/usr/bin/env python3
"""demos/socks_proxy, with curl and with clients that misbehave: `socks_proxy_test.py PROGRAM`."""

import contextlib
import hashlib
import http.server
import shutil
import socket
import struct
import subprocess
import sys
import threading

from program import PATIENCE, Program, fails, read_to_end
from tap import Tap

PROXY = sys.argv[1]
CURL = shutil.which("curl")
LARGE = 20_000_000


def large_body():
    block = bytes(range(256)) * 4096
    return (block * (LARGE // len(block) + 1))[:LARGE]


class Site(http.server.BaseHTTPRequestHandler):
    """A web site behind the proxy: a large body, and the digest of an upload."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):  # pylint: disable=invalid-name
        self.answer(large_body() if self.path == "/large" else b"hello\n")

    def do_PUT(self):  # pylint: disable=invalid-name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(hashlib.sha256(body).hexdigest().encode())

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def site():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def proxy(*arguments):
    return Program(PROXY, "--port", "0", *arguments)


def curl(*arguments, given=None):
    """(exit status, stdout)"""
    command = [CURL, "--silent", "--noproxy", "", "--max-time", str(PATIENCE), *arguments]
    run = subprocess.run(command, capture_output=True, input=given, timeout=PATIENCE + 5, check=False)
    return run.returncode, run.stdout


def request_to(port, host=None, command=1):
    """A request by IPv4, or by name."""
    where = b"\x01\x7f\0\0\1" if host is None else b"\x03" + bytes([len(host)]) + host
    return b"\x05" + bytes([command]) + b"\0" + where + struct.pack(">H", port)


def receive(connection, count):
    got = b""
    while len(got) < count:
        piece = connection.recv(count - len(got))
        assert piece, f"the connection ended after {got!r}"
        got += piece
    return got


def tunnel(program, port):
    """A connection through the proxy, after the SOCKS handshake."""
    connection = program.connect()
    connection.sendall(b"\x05\x01\x00" + request_to(port))
    assert receive(connection, 2) == b"\x05\x00"
    reply = receive(connection, 10)
    assert reply[:4] == b"\x05\0\0\x01" and reply[4:8] == b"\x7f\0\0\1" and reply[8:] != b"\0\0", reply
    return connection


def by_curl():
    """curl works through it by address and by name, with large bodies in both directions"""
    with site() as port, proxy() as program:
        by_address = ["--socks5", f"127.0.0.1:{program.port}"]
        by_name = ["--socks5-hostname", f"127.0.0.1:{program.port}"]
        assert curl(*by_address, f"http://127.0.0.1:{port}/") == (0, b"hello\n")
        assert curl(*by_name, f"http://localhost:{port}/") == (0, b"hello\n")
        status, body = curl(*by_name, f"http://127.0.0.1:{port}/large")
        assert status == 0 and body == large_body(), (status, len(body))
        status, digest = curl(*by_address, "--upload-file", "-", "-H", "Transfer-Encoding:", "-H",
                              f"Content-Length: {LARGE}", f"http://127.0.0.1:{port}/", given=large_body())
        assert (status, digest.decode()) == (0, hashlib.sha256(large_body()).hexdigest()), (status, digest)
        assert program.stop() == 0, program.said


def logs_in():
    """with a user it asks for the password"""
    with site() as port, proxy("--user", "me", "--password", "secret") as program:
        url = f"http://127.0.0.1:{port}/"
        assert curl("--socks5", f"me:secret@127.0.0.1:{program.port}", url) == (0, b"hello\n")
        assert curl("--socks5", f"me:guess@127.0.0.1:{program.port}", url)[0] == 97
        program.wait_for("logs in with a wrong user or password")
        assert curl("--socks5", f"127.0.0.1:{program.port}", url)[0] == 97
        program.wait_for("does not offer to log in")
        assert program.talk(b"\x05\x01\x00") == b"\x05\xff"
        assert program.talk(b"\x05\x01\x02\x02") == b"\x05\x02"
        program.wait_for("logs in with another version")


def ipv6():
    """IPv6 addresses are reached"""
    try:
        listening = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        return
    with listening, proxy() as program, program.connect() as connection:
        where = b"\x04" + b"\0" * 15 + b"\1" + struct.pack(">H", listening.getsockname()[1])
        connection.sendall(b"\x05\x01\x00\x05\x01\0" + where)
        assert receive(connection, 2 + 22)[2:6] == b"\x05\0\0\x04"
        server, _ = listening.accept()
        with server:
            connection.sendall(b"hello")
            assert receive(server, 5) == b"hello"


def half_closes():
    """each side may end its stream and still receive; bytes that a client sends early are not lost"""
    with socket.create_server(("127.0.0.1", 0)) as listening, proxy() as program:
        port = listening.getsockname()[1]
        with program.connect() as connection:
            connection.sendall(b"\x05\x01\x00" + request_to(port) + b"ahead")
            server, _ = listening.accept()
            server.settimeout(PATIENCE)
            receive(connection, 12)
            connection.shutdown(socket.SHUT_WR)
            assert read_to_end(server) == b"ahead"
            server.sendall(b"answer")
            server.close()
            assert read_to_end(connection) == b"answer"
        with tunnel(program, port) as connection:
            server, _ = listening.accept()
            server.settimeout(PATIENCE)
            with server:
                server.shutdown(socket.SHUT_WR)
                assert read_to_end(connection) == b""
                connection.sendall(b"late")
                connection.close()
                assert read_to_end(server) == b"late"


def drains():
    """on SIGTERM the open tunnels may end, and a second signal ends the proxy at once"""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        with proxy() as program:
            with tunnel(program, listening.getsockname()[1]) as connection:
                server, _ = listening.accept()
                server.settimeout(PATIENCE)
                with server:
                    program.begins_to_drain()
                    connection.sendall(b"late")
                    assert receive(server, 4) == b"late"
            assert program.process.wait(PATIENCE) == 0, program.said
        with proxy() as program:
            connection = tunnel(program, listening.getsockname()[1])
            server, _ = listening.accept()
            with server:
                program.ends_at_second_signal(connection)


def breaks():
    """a reset on one side ends the other"""
    with socket.create_server(("127.0.0.1", 0)) as listening, proxy() as program:
        for client_resets in (True, False):
            with tunnel(program, listening.getsockname()[1]) as connection:
                server, _ = listening.accept()
                server.settimeout(PATIENCE)
                one, other = (connection, server) if client_resets else (server, connection)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                one.close()
                assert read_to_end(other) == b""
                server.close()


def cannot_connect():
    """a client gets the reason why the proxy cannot connect"""
    with socket.socket() as taken, proxy("--timeout", "5") as program:
        taken.bind(("127.0.0.1", 0))
        for request, reply in {
            request_to(taken.getsockname()[1]): b"\x05\x05",
            request_to(80, b"no host name"): b"\x05\x04",
            request_to(80, b""): b"\x05\x04",
            request_to(80, b"a\0b"): b"\x05\x04",
            request_to(80, command=2): b"\x05\x07",
            request_to(80, command=3): b"\x05\x07",
            b"\x05\x01\x00\x02\x7f\0\0\1\0\x50": b"\x05\x08",
        }.items():
            got = program.talk(b"\x05\x01\x00" + request)
            assert got == b"\x05\x00" + reply + b"\0\x01" + b"\0" * 6, (request, got)


def misbehaves():
    """the connection of a client that breaks the protocol, is silent or goes away is closed, with a line in the log"""
    with site() as port, proxy("--timeout", "0.5") as program:
        assert program.talk(b"GET / HTTP/1.1\r\n\r\n") == b""
        program.wait_for(r"127\.0\.0\.1:\d+: does not speak SOCKS5")
        assert program.talk(b"\x05\x01\x00\x04\x01\0\x01") == b"\x05\x00"
        program.wait_for("sends a request of another version")
        for begun in (b"", b"\x05", b"\x05\x02\x00", b"\x05\x01\x00\x05\x01\0\x03\x09loc"):
            said = program.said.count("says nothing")
            with program.connect() as connection:
                connection.sendall(begun)
                answer = read_to_end(connection)
                assert answer in (b"", b"\x05\x00"), answer
            program.wait_for(f"(?s)(says nothing.*){{{said + 1}}}")
            with program.connect() as connection:
                connection.sendall(begun)
        with tunnel(program, port) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            assert read_to_end(connection).endswith(b"hello\n")
        assert program.stop() == 0, program.said
        assert "Uncaught" not in program.said, program.said


def wrong_use():
    """a busy port and wrong options each give one clear line"""
    with proxy() as program:
        status, said = fails(PROXY, "--port", str(program.port))
        assert status == 1 and said == f"socks_proxy: cannot listen on 127.0.0.1:{program.port}: Address already in use\n", said
    for arguments in (["--nonsense"], ["--password", "x"], ["--timeout", "0"]):
        status, said = fails(PROXY, *arguments)
        assert status == 2 and said.startswith("socks_proxy: ") and said.count("\n") == 1, said


tap = Tap()
if CURL:
    tap.run([by_curl, logs_in])
else:
    print("# curl is not installed: only the tests with their own clients run")
tap.run([ipv6, half_closes, drains, breaks, cannot_connect, misbehaves, wrong_use])
tap.end()
