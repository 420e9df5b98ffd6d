#!/usr/bin/env python3
"""conformance_client as test suites of other projects use it: `client_test.py PROGRAM`."""

import hashlib
import json
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

from program import PATIENCE, fails
from tap import Tap

CLIENT = sys.argv[1]


class Server:
    """Answers every request on each connection with the same bytes, and closes it."""

    def __init__(self, answer, context=None):
        self.answer = answer
        self.context = context
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.listener.getsockname()[1]}/"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        if self.context:
            try:
                connection = self.context.wrap_socket(connection, server_side=True)
            except (ssl.SSLError, ConnectionError):  # a client that does not trust the certificate
                connection.close()
                return
        with connection:
            connection.recv(1 << 16)
            if self.answer is None:
                connection.recv(1)  # until the client closes
            else:
                connection.sendall(self.answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # close() alone leaves a socket listening for as long as a thread waits in accept().
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def fetch(url, *arguments):
    run = subprocess.run([CLIENT, url, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (run.returncode, run.stderr) == (0, ""), (run.returncode, run.stderr)
    assert run.stdout.count("\n") == 1, run.stdout
    return json.loads(run.stdout)


def outcome_of(answer, *arguments):
    with Server(answer) as server:
        return fetch(server.url, *arguments)


def good():
    """a good response is ok, with length, digest and times"""
    said = outcome_of(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
    assert (said["outcome"], said["status"], said["length"], said["redirects"]) == ("ok", 200, 5, 0), said
    assert said["sha256"] == hashlib.sha256(b"hello").hexdigest(), said
    assert 0 <= said["times"]["first_byte"] <= said["times"]["total"], said


def bad():
    """each kind of failure has its own name"""
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
    for expected, answer, arguments in (
        ("http_error", b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", ()),
        ("redirect_loop", b"HTTP/1.1 302 No\r\nLocation: /\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", ()),
        ("redirect_error", b"HTTP/1.1 302 No\r\nLocation: ftp://x/\r\nContent-Length: 0\r\n\r\n", ()),
        ("protocol_error", b"nonsense\r\n\r\n", ()),
        ("protocol_error", head + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", ()),
        ("protocol_error", head + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ()),
        ("closed", head + b"Content-Length: 30\r\n\r\nabc", ()),
        ("closed", b"", ()),
        ("timeout", None, ("--timeout", "0.2")),
        ("too_large", head + b"\r\n" + b"x" * 200, ("--max-body", "100")),
    ):
        said = outcome_of(answer, *arguments)
        assert said["outcome"] == expected, (expected, said)
    with Server(b"") as server:
        url = server.url
    assert fetch(url)["outcome"] == "connect_error"
    assert fetch("http://name.invalid/")["outcome"] == "resolve_error"
    assert fetch("ftp://127.0.0.1/")["outcome"] == "bad_request"


def over_tls():
    """over TLS a certificate is verified by --ca-certs, and with --insecure not at all"""
    openssl = shutil.which("openssl")
    assert openssl, "there is no openssl"
    with tempfile.TemporaryDirectory() as folder:
        certificate = pathlib.Path(folder, "certificate.pem")
        key = pathlib.Path(folder, "key.pem")
        subprocess.run(
            [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
            check=True, capture_output=True, timeout=PATIENCE)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
        with Server(answer, context) as server:
            for arguments in (["--ca-certs", str(certificate)], ["--insecure"]):
                said = fetch(server.url, *arguments)
                assert (said["outcome"], said["length"]) == ("ok", 5), said
                assert said["times"]["connect"] + said["times"]["tls"] > 0, said
            said = fetch(server.url)
            assert (said["outcome"], said["phase"]) == ("tls_error", "tls"), said


def wrong_use():
    """an unknown flag and a malformed number each give one clear line"""
    for arguments in (["--nonsense", "http://127.0.0.1/"], ["http://127.0.0.1/", "--timeout", "x"], []):
        status, said = fails(CLIENT, *arguments)
        assert status == 2 and said.startswith("conformance_client: ") and said.count("\n") == 1, (status, said)


tap = Tap()
tap.run([good, bad, over_tls, wrong_use])
tap.end()
