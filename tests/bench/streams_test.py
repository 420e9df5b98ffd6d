#!/usr/bin/env python3
"""The servers of bench/streams answer correctly, and bench/streams/run measures them: `streams_test.py RUN PROGRAM...`."""

import contextlib
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

from program import PATIENCE, Program, fails, read_to_end
from tap import Tap

RUN, *PROGRAMS = sys.argv[1:]
BUILT = os.path.dirname(PROGRAMS[0])
LOAD = os.path.join(BUILT, "streams_load")
SERVERS = [program for program in PROGRAMS if program != LOAD]


def receive(connection, count):
    received = b""
    while len(received) < count:
        piece = connection.recv(count - len(received))
        assert piece, f"the end, after {len(received)} of {count} bytes"
        received += piece
    return received


def echo(connection):
    data = os.urandom(300_000)
    connection.sendall(b"x")
    assert receive(connection, 1) == b"x"
    connection.sendall(data)  # fits into the socket buffers
    assert receive(connection, len(data)) == data


def echoes():
    """each server echoes messages, also those that need many reads"""
    for server in SERVERS:
        with Program(server, "--mode", "echo", "--port", "0") as program:
            with program.connect() as one, program.connect() as other:
                for connection in (one, other, one):
                    echo(connection)


def echoes_to_slow_readers():
    """each server keeps bytes that its client does not read, and sends them once the client reads"""
    data = os.urandom(1 << 20)
    for server in SERVERS:
        with Program(server, "--mode", "echo", "--port", "0") as program, program.connect() as slow:
            sent = 0
            slow.setblocking(False)
            try:
                while True:  # until all buffers are full
                    sent += slow.send(data[sent % len(data) :])
            except BlockingIOError:
                pass
            slow.settimeout(PATIENCE)
            slow.shutdown(socket.SHUT_WR)
            with program.connect() as other:
                echo(other)
            whole = data * (sent // len(data) + 1)
            assert receive(slow, sent) == whole[:sent]


def sinks():
    """each server reads until end of stream, and then closes"""
    for server in SERVERS:
        with Program(server, "--mode", "sink", "--port", "0") as program, program.connect() as connection:
            connection.sendall(b"x" * 1_000_000)
            connection.shutdown(socket.SHUT_WR)
            assert read_to_end(connection) == b""


def reads_lines():
    """each server answers one byte for each thousand lines, however the lines are split into packets"""
    lines = b"".join(b"%019d\n" % i for i in range(3500))
    for server in SERVERS:
        with Program(server, "--mode", "lines", "--port", "0") as program, program.connect() as connection:
            for start in range(0, len(lines), 777):
                connection.sendall(lines[start : start + 777])
            assert receive(connection, 3) == b"..."
            connection.sendall(lines[: 20 * 500])
            assert receive(connection, 1) == b"."


def accepts():
    """in accept mode each server closes every connection at once"""
    for server in SERVERS:
        with Program(server, "--mode", "accept", "--port", "0") as program:
            for _ in range(3):
                with program.connect() as connection:
                    assert read_to_end(connection) == b""


def unix_sockets():
    """each server can listen on a Unix socket"""
    for server in SERVERS:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "socket")
            with subprocess.Popen([server, "--unix", path], stderr=subprocess.PIPE, text=True) as process:
                try:
                    assert process.stderr.readline() == f"Serving on {path}\n"
                    with socket.socket(socket.AF_UNIX) as connection:
                        connection.settimeout(PATIENCE)
                        connection.connect(path)
                        echo(connection)
                finally:
                    process.kill()


def tls():
    """each server with a --tls option speaks TLS"""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    with tempfile.TemporaryDirectory() as folder:
        files = [os.path.join(folder, name) for name in ("cert.pem", "key.pem")]
        command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost"
        subprocess.run([*command.split(), "-out", files[0], "-keyout", files[1]], check=True, capture_output=True)
        context.load_verify_locations(files[0])
        for server in SERVERS:
            known = subprocess.run([server, "--help"], capture_output=True, text=True, check=False).stdout
            if "--tls" not in known:
                continue
            with Program(server, "--port", "0", "--tls", *files) as program:
                with context.wrap_socket(program.connect()) as connection:
                    echo(connection)


def wrong_use():
    """a busy port and an unknown flag each give one clear line"""
    for program in SERVERS:
        name = os.path.basename(program)
        with Program(program, "--port", "0") as running:
            said = f"{name}: cannot listen on 127.0.0.1:{running.port}: Address already in use\n"
            assert fails(program, "--port", str(running.port)) == (1, said)
        for flags in (["--nonsense"], ["--mode", "nonsense"]):
            status, said = fails(program, *flags)
            assert status == 2 and re.fullmatch(rf"{name}: [^\n]+\n", said), (flags, status, said)
    status, said = fails(LOAD, "--port", "1")
    assert (status, said) == (1, "streams_load: connect: Connection refused\n"), (status, said)


def wait_for_connections(program, count):
    end = time.monotonic() + PATIENCE
    while True:
        targets = []
        for fd in os.scandir(f"/proc/{program.process.pid}/fd"):
            with contextlib.suppress(OSError):
                targets.append(os.readlink(fd.path))
        if sum(target.startswith("socket:") for target in targets) > count:  # the server also has a listening socket
            return
        assert time.monotonic() < end, targets
        time.sleep(0.01)


def load_notices():
    """the load generator fails if its server ends"""
    with Program(SERVERS[0], "--port", "0") as program:
        command = [LOAD, "--port", str(program.port), "--connections", "4", "--seconds", "1000"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as load:
            try:
                wait_for_connections(program, 4)
                program.stop(signal.SIGKILL)
                said = load.stderr.read()
                assert (load.wait(PATIENCE), said) == (1, "streams_load: the server closed a connection\n"), said
            finally:
                load.kill()


def runs():
    """bench/streams/run measures every scenario and refuses an unknown one"""
    outcome = subprocess.run([RUN, "nonsense"], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert outcome.returncode == 2 and "there is no scenario 'nonsense'" in outcome.stderr, outcome
    scenarios = "echo64-64 echo64k-64 stream accept lines tlsecho handshakes idle churn".split()
    flags = "--rounds 1 --seconds 0.1 --gigabytes 0.02 --idle 40 --times 3 --built".split()
    command = [RUN, *flags, BUILT, *scenarios]
    outcome = subprocess.run(command, capture_output=True, text=True, timeout=8 * PATIENCE, check=False)
    assert outcome.returncode == 0, outcome.stderr
    for scenario in scenarios:
        assert f"\n{scenario}: " in outcome.stdout, outcome.stdout
    assert len(re.findall(r"(?m)^  epoll +[\d.]+ +[\d.]+ +[\d.]+ +1\.00$", outcome.stdout)) == 5, outcome.stdout
    assert len(re.findall(r"(?m)^  squall +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+$", outcome.stdout)) >= 5, outcome.stdout
    assert re.search(r"(?m)^  squall +Unix +-?\d+$", outcome.stdout), outcome.stdout
    left = re.findall(r"(?m)^  TCP +[013] +(\d+) +\d+$", outcome.stdout)
    assert len(left) == 3 and len(set(left)) == 1, outcome.stdout


tap = Tap()
tap.run([echoes, echoes_to_slow_readers, sinks, reads_lines, accepts, unix_sockets, tls, wrong_use, load_notices, runs])
tap.end()
