#!/usr/bin/env python3
"""The proxies of docs/deployment.md, with the configurations of that page: `deployment_test.py PROGRAM PAGE`."""

import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

import markdown
from program import PATIENCE, Program, read_to_end
from tap import Tap

PROGRAM, PAGE = sys.argv[1], pathlib.Path(sys.argv[2])
HOST = "www.example.com"
# Another address than that of the proxy.
CLIENT = "127.0.0.2"
UPLOAD = 8 << 20


def found(name):
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


def obstacle(proxy):
    """Why the proxy cannot be tested on this machine; None if it can."""
    for name in (proxy.name, "openssl"):
        if not found(name):
            return f"{name} is not installed"
    said = subprocess.run([found(proxy.name), "-v"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout
    version = re.search(r"(\d+)\.(\d+)\.(\d+)", said)
    if not version or tuple(map(int, version.groups())) < proxy.oldest:
        return f"{proxy.name} is older than {'.'.join(map(str, proxy.oldest))}: {said.splitlines()[:1]}"
    if os.getuid() == 0:
        with tempfile.NamedTemporaryFile() as file:
            try:
                os.chown(file.name, pwd.getpwnam("nobody").pw_uid, -1)
            except (OSError, KeyError) as error:
                return f"a file cannot be given to nobody: {error}"
    return None


def free_ports(count):
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def replaced(text, *pairs):
    """The text with each first member of the pairs replaced. All must be in the text."""
    for old, new in pairs:
        assert old in text, f"{old!r} is not in {PAGE}:\n{text}"
        text = text.replace(old, new)
    return text


class Proxy:
    """A proxy in the foreground, for which the caller writes a configuration; stopped by its process id."""

    name = ""
    oldest = (0, 0, 0)  # that has the options of this test

    def __init__(self, app_port, timeout=60, by_proxy_protocol=False):
        self.folder = tempfile.TemporaryDirectory()
        self.certificate, self.key = self.path("site.pem"), self.path("site.key")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={HOST}",
             "-addext", f"subjectAltName=DNS:{HOST}", "-keyout", self.key, "-out", self.certificate],
            check=True, capture_output=True,
        )  # fmt: skip
        self.tls = ssl.create_default_context(cafile=self.certificate)
        with open(self.key, encoding="ascii") as key, open(self.certificate, "a", encoding="ascii") as both:
            both.write(key.read())
        blocks = {}
        for block in markdown.blocks(PAGE.read_text(encoding="utf-8")):
            blocks.setdefault(block.language, []).append(block.text)
        self.http_port, self.https_port = free_ports(2)
        text = self.configuration(blocks[self.name], app_port, timeout, by_proxy_protocol)
        with open(self.path("configuration"), "w", encoding="utf-8") as file:
            file.write(text)
        # A proxy that is started by root would change its user.
        unprivileged = {}
        if os.getuid() == 0:
            nobody = pwd.getpwnam("nobody")
            for place in [self.folder.name, *(self.path(name) for name in os.listdir(self.folder.name))]:
                os.chown(place, nobody.pw_uid, nobody.pw_gid)
            unprivileged = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        with open(self.path("log"), "wb") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, cwd=self.folder.name, **unprivileged)
        try:
            self.wait_until_open()
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def log(self):
        with open(self.path("log"), encoding="utf-8", errors="replace") as log:
            return log.read()

    def wait_until_open(self):
        end = time.monotonic() + PATIENCE
        for port in (self.http_port, self.https_port):
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), PATIENCE).close()
                    break
                except ConnectionError:
                    assert self.process.poll() is None and time.monotonic() < end, self.log()
                    time.sleep(0.02)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.folder.cleanup()

    def connect(self):
        """A connection with TLS, from an address of its own."""
        plain = socket.create_connection(("127.0.0.1", self.https_port), PATIENCE, source_address=(CLIENT, 0))
        return self.tls.wrap_socket(plain, server_hostname=HOST)

    def get(self, path, *lines):
        with self.connect() as connection:
            connection.sendall(request("GET", path, "Connection: close", *lines))
            return read_to_end(connection).decode()


class Nginx(Proxy):
    name = "nginx"
    oldest = (1, 19, 5)
    when_down = "502"

    def configuration(self, blocks, app_port, timeout, _by_proxy_protocol):
        site = replaced(
            blocks[0],
            ("127.0.0.1:8888", f"127.0.0.1:{app_port}"),
            ("listen 80;", f"listen 127.0.0.1:{self.http_port};"),
            ("listen 443 ssl;", f"listen 127.0.0.1:{self.https_port} ssl;"),
            ("/etc/nginx/site.pem", self.certificate),
            ("/etc/nginx/site.key", self.key),
            ("proxy_read_timeout 60s;", f"proxy_read_timeout {timeout}s;"),
        )
        # Its own folders and log belong to root.
        places = "".join(f"{kind}_temp_path {self.path(kind)};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        start = f"daemon off;\nworker_processes 1;\npid {self.path('pid')};\nerror_log stderr;\nevents {{ worker_connections 100; }}\n"
        return f"{start}http {{\naccess_log off;\n{places}{site}}}\n"

    def command(self):
        return [found("nginx"), "-e", "stderr", "-p", self.folder.name, "-c", self.path("configuration")]


class Haproxy(Proxy):
    name = "haproxy"
    oldest = (2, 4, 0)
    when_down = "503"

    def configuration(self, blocks, app_port, timeout, by_proxy_protocol):
        text = blocks[0]
        if by_proxy_protocol:
            text = text[: text.index("\nbackend squall") + 1] + blocks[1]
        return replaced(
            text,
            ("127.0.0.1:8888", f"127.0.0.1:{app_port}"),
            ("bind :80\n", f"bind 127.0.0.1:{self.http_port}\n"),
            ("bind :443 ", f"bind 127.0.0.1:{self.https_port} "),
            ("/etc/haproxy/site.pem", self.certificate),
            ("timeout server 60s", f"timeout server {timeout}s"),
        )

    def command(self):
        return [found("haproxy"), "-n", "100", "-db", "-f", self.path("configuration")]


def request(method, path, *lines):
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {HOST}", *lines, "", ""]).encode()


def read_until(connection, end):
    received = b""
    while end not in received:
        piece = connection.recv(1 << 16)
        assert piece, f"the connection ended after {received}"
        received += piece
    return received


def upstream_connections(app_port):
    """The ports of the proxy's open connections to the program."""
    ports = set()
    with open("/proc/net/tcp", encoding="ascii") as table:
        for line in list(table)[1:]:
            local, remote, state = line.split()[1:4]
            if state == "01" and int(local.split(":")[1], 16) == app_port:
                ports.add(int(remote.split(":")[1], 16))
    return ports


class Tests:
    def __init__(self, proxy, kind="fields"):
        self.proxy, self.kind = proxy, kind

    def both(self, timeout=60):
        """The program, and the proxy in front of it."""
        program = Program(PROGRAM, self.kind)
        try:
            for attempts_left in (2, 1, 0):
                try:
                    return program, self.proxy(program.port, timeout, self.kind == "proxy_protocol")
                except AssertionError:
                    # Another program may have taken a port that was free.
                    if attempts_left == 0:
                        raise
        except BaseException:
            program.__exit__()
            raise

    def facts(self):
        """the program gets the client's address, protocol, host and request id, and a client cannot forge them"""
        program, proxy = self.both()
        # Of the request id that the proxy makes. The server with the PROXY protocol takes no ids.
        id_size = {"nginx": 32, "haproxy": 36}[proxy.name] if self.kind == "fields" else 0
        with program, proxy:
            forged = ("X-Real-IP: 6.6.6.6", "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: ftp", "X-Request-Id: mine")
            for lines in ((), forged):
                answer = proxy.get("/info", *lines)
                assert answer.endswith(f"\r\n\r\n{CLIENT} https {HOST} {id_size}\n"), answer
            with socket.create_connection(("127.0.0.1", proxy.http_port), PATIENCE) as plain:
                plain.sendall(request("GET", "/a?b", "Connection: close"))
                answer = read_to_end(plain).decode().lower()
            assert answer.startswith("http/1.1 301 ") and f"\r\nlocation: https://{HOST}/a?b\r\n" in answer, answer
            assert program.stop() == 0, program.said
            proxy.stop()

    def keeps(self):
        """requests use one connection to the program"""
        program, proxy = self.both()
        with program, proxy, proxy.connect() as connection:
            used = []
            for _ in range(3):
                connection.sendall(request("GET", "/info"))
                read_until(connection, HOST.encode())
                used.append(upstream_connections(program.port))
            assert len(used[0]) == 1 and used[1] == used[0] and used[2] == used[0], used

    def streams(self):
        """an event arrives before the next is made"""
        program, proxy = self.both()
        with program, proxy, proxy.connect() as connection:
            connection.sendall(request("GET", "/events", "Connection: close"))
            first = read_until(connection, b"data: first\n\n")
            assert b"\r\n\r\n" in first and b"second" not in first, first
            with proxy.connect() as other:
                other.sendall(request("POST", "/go_on", "Content-Length: 0", "Connection: close"))
                assert b" 200 " in read_to_end(other)
            assert b"data: second\n\n" in read_to_end(connection)

    def uploads(self):
        """the program gets the beginning of an upload before the client has sent the rest"""
        program, proxy = self.both()
        with program, proxy, proxy.connect() as connection:
            connection.sendall(request("POST", "/upload", f"Content-Length: {UPLOAD}", "Connection: close") + (UPLOAD // 2) * b"x")
            answer = proxy.get("/received")
            received = int(answer.rsplit("\r\n\r\n", 1)[1].split()[0])
            assert 0 < received <= UPLOAD // 2, answer
            connection.sendall((UPLOAD // 2) * b"x")
            assert read_to_end(connection).endswith(str(UPLOAD).encode()), "the upload was not complete"

    def drains(self):
        """on SIGTERM the program ends when the upload in flight is answered"""
        program, proxy = self.both()
        with program, proxy, proxy.connect() as connection:
            connection.sendall(request("POST", "/upload", "Content-Length: 6", "Connection: close") + b"abc")
            proxy.get("/received")
            program.begins_to_drain()
            assert program.process.poll() is None, program.said
            connection.sendall(b"def")
            answer = read_to_end(connection)
            assert answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"6"), answer
            assert program.process.wait(PATIENCE) == 0, program.said

    def fails(self):
        """the proxy answers for a program that is slow or not running, and ends by its process id"""
        program, proxy = self.both(timeout=1)
        with program, proxy:
            assert proxy.get("/never").startswith("HTTP/1.1 504 "), "a slow program is not a 504"
            # The proxy has closed the connection, so the handler that never ends is cancelled.
            assert program.stop() == 0, program.said
            answer = proxy.get("/info")
            assert answer.startswith(f"HTTP/1.1 {proxy.when_down} "), answer
            proxy.stop()
            try:
                proxy.connect().close()
            except ConnectionError:
                return
            raise AssertionError("the proxy still accepts connections")


def main():
    tap = Tap()
    for proxy, kind in ((Nginx, "fields"), (Haproxy, "fields"), (Haproxy, "proxy_protocol")):
        tests = Tests(proxy, kind)
        chosen = [tests.facts, tests.keeps, tests.streams, tests.uploads, tests.drains, tests.fails]
        if kind == "proxy_protocol":
            chosen = [tests.facts, tests.keeps, tests.drains]
        title = proxy.name if kind == "fields" else f"{proxy.name} with the PROXY protocol"
        reason = obstacle(proxy)
        for test in chosen:
            name = f"{title}: {test.__doc__}"
            if reason:
                tap.skip(name, reason)
            else:
                tap.run([named(test, name)])
    tap.end()


def named(test, name):
    def run():
        test()

    run.__doc__ = name
    return run


main()
