#!/usr/bin/env python3
"""demos/tcpecho as a newcomer uses it: `tcpecho_test.py PROGRAM`."""

import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile

from program import PATIENCE, Program, fails
from tap import Tap

ECHO = sys.argv[1]


def server(*more):
    return Program(ECHO, "server", "--port", "0", "--address", "127.0.0.1", *more)


def client(program, *more):
    """(exit status, stdout, stderr)"""
    command = [ECHO, "client", "--host", "localhost", "--port", str(program.port), *more]
    run = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return run.returncode, run.stdout, run.stderr


def lines_come_back():
    """every line is echoed and logged (DEM-20, DEM-22)"""
    with server() as program:
        with program.connect() as connection:
            for line in (b"hello\n", b"and\r\n", b"\n"):
                connection.sendall(line)
                got = b""
                while not got.endswith(b"\n"):
                    got += connection.recv(100)
                assert got == line, got
        program.wait_for(r"I .*Received bytes: hello\n")
        program.wait_for(r"W .*Lost client at host 127\.0\.0\.1\n")
        assert program.stop() == 0, program.said


def line_in_flight(program):
    """A connection on which one line was echoed, and the next is sent in part."""
    connection = program.connect()
    connection.sendall(b"first\n")
    assert connection.recv(100) == b"first\n"
    connection.sendall(b"hel")
    return connection


def drains():
    """on SIGTERM the line in flight is echoed, and a second signal ends the server at once"""
    with server() as program:
        with line_in_flight(program) as connection:
            program.begins_to_drain()
            connection.sendall(b"lo\n")
            assert connection.recv(100) == b"hello\n"
        assert program.process.wait(PATIENCE) == 0, program.said
    with server() as program:
        program.ends_at_second_signal(line_in_flight(program))


def a_client():
    """the client sends a message and prints the answer (DEM-21)"""
    with server() as program:
        assert client(program) == (0, "Sent to server: ping\nResponse from server: ping\n", "")
        assert client(program, "--message", "x y")[1] == "Sent to server: x y\nResponse from server: x y\n"
        program.wait_for(r"Received bytes: x y\n")


def certificates(folder):
    """A certificate and its key, for localhost."""
    certificate, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True, timeout=PATIENCE,
    )
    return certificate, key


def with_tls():
    """with a certificate both use TLS, and the client trusts only the given certificate"""
    if not shutil.which("openssl"):
        return
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = certificates(folder)
        with server("--tls", certificate, key) as program:
            said = "Sent to server: ping\nResponse from server: ping\n"
            assert client(program, "--ca", certificate) == (0, said, "")
            assert client(program, "--insecure") == (0, said, "")
            status, said, complaint = client(program, "--tls")
            assert (status, said) == (1, ""), (status, said)
            assert "tcpecho: certificate verify failed: self-signed certificate (peer 127.0.0.1:" in complaint, complaint
            context = ssl.create_default_context(cafile=certificate)
            with socket.create_connection(("127.0.0.1", program.port), PATIENCE) as raw:
                with context.wrap_socket(raw, server_hostname="localhost") as connection:
                    connection.sendall(b"from Python\n")
                    assert connection.recv(100) == b"from Python\n"
            program.wait_for(r"Received bytes: from Python\n")
            # The server refuses plain text.
            assert client(program)[0] == 1
            program.wait_for(r"W .*SSL Error on \d+ 127\.0\.0\.1:\d+: wrong version number, or no TLS at all\n")
            assert program.stop() == 0, program.said


def wrong_use():
    """each error gives one clear line"""
    for arguments, part in (
        (["server", "--tls", "/no/such/file"], 'certfile "/no/such/file" does not exist'),
        (["client", "--ca", "/no/such/file", "--host", "127.0.0.1", "--port", "1"], ""),
    ):
        status, said = fails(ECHO, *arguments)
        assert status == 1 and said.startswith("tcpecho: ") and part in said and said.count("\n") == 1, said
    assert fails(ECHO)[0] == 2
    assert fails(ECHO, "client", "--port", "x")[0] == 2


tap = Tap()
tap.run([lines_come_back, drains, a_client, with_tls, wrong_use])
tap.end()
