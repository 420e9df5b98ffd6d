#!/usr/bin/env python3
"""bench_server answers the requests of the benchmarks, and bench/run measures it: `server_test.py PROGRAM RUN`."""

import argparse
import contextlib
import http.client
import importlib.machinery
import importlib.util
import io
import json
import pathlib
import re
import socket
import subprocess
import sys
import tempfile

from program import PATIENCE, Program, fails
from tap import Tap

SERVER, RUN = sys.argv[1:]


def fetch(program, path, agent):
    connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers={"User-Agent": agent})
        response = connection.getresponse()
        return response.status, response.getheader("Content-Type"), response.read()
    finally:
        connection.close()


def hello():
    """GET / is 13 bytes of text"""
    with Program(SERVER, "--port", "0") as program:
        assert fetch(program, "/", "x")[::2] == (200, b"Hello, world!")


def user():
    """GET /users/{id} is a kilobyte of JSON with the id and 60 characters of the agent"""
    with Program(SERVER, "--port", "0") as program:
        for agent in ("short", "a" * 100, 'a "quoted" \\ agent'):
            status, kind, body = fetch(program, "/users/12345", agent)
            assert (status, kind) == (200, "application/json"), (status, kind)
            data = json.loads(body)
            assert (data["id"], data["agent"]) == (12345, agent[:60]), data
        assert 900 <= len(fetch(program, "/users/12345", "b" * 60)[2]) <= 1000
        assert fetch(program, "/users/x", "x")[0] == 404


def wrong_use():
    """a busy port, an unknown flag and a number out of range each give one line that says so"""
    with Program(SERVER, "--port", "0") as program:
        said = f"bench_server: cannot listen on 127.0.0.1:{program.port}: Address already in use\n"
        assert fails(SERVER, "--port", str(program.port)) == (1, said)
    for arguments in (["--nonsense"], ["--port", "70000"]):
        status, said = fails(SERVER, *arguments)
        assert status == 2 and re.fullmatch(r"bench_server: [^\n]+\n", said), (arguments, status, said)


def run():
    """bench/run lists its scenarios and refuses an unknown one"""
    outcome = subprocess.run([RUN, "--help"], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert outcome.returncode == 0 and "pipeline" in outcome.stdout, outcome
    outcome = subprocess.run([RUN, "nonsense"], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert outcome.returncode == 2 and "there is no scenario 'nonsense'" in outcome.stderr, outcome


def load_run():
    loader = importlib.machinery.SourceFileLoader("bench_run", RUN)
    bench = importlib.util.module_from_spec(importlib.util.spec_from_loader("bench_run", loader))
    loader.exec_module(bench)
    return bench


def large_bodies():
    """POST /upload counts the bytes of a body, and --file serves a file and nothing else"""
    with Program(SERVER, "--port", "0") as program:
        body = b"x" * 300_000
        said = program.talk(b"POST /upload HTTP/1.0\r\nHost: h\r\nContent-Length: 300000\r\n\r\n" + body)
        assert said.endswith(b"\r\n\r\n300000"), said
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"content" * 1000)
        file.flush()
        with Program(SERVER, "--port", "0", "--file", file.name) as program:
            assert fetch(program, "/file", "x")[::2] == (200, b"content" * 1000)
    status, said = fails(SERVER, "--port", "0", "--file", "/nonexistent/file")
    assert status == 1 and "/nonexistent/file" in said, said


def skips():
    """bench/run names the peers that it skips, and why"""
    bench = load_run()
    bench.nginx_program = bench.tornado_python = lambda: None
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert list(bench.peers("tls")) == ["squall"]
    assert "nginx is skipped: it is not installed" in said.getvalue(), said.getvalue()
    assert "tornado is skipped" in said.getvalue(), said.getvalue()


def saves():
    """bench/run prints ratios to squall of the same rounds, and writes them to a file with the facts of the run"""
    bench = load_run()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        lines = bench.report(("requests/s", "us"), {"squall": [(100.0, 2.0, 0), (1.0, 1.0, 0)], "other": [(50.0, 6.0, 1), (1.0, 3.0, 0)]})
        assert re.search(r"other +25\.50 +4\.50 +3\.00 +1$", lines[2]), lines
        bench.save(folder, "hello", argparse.Namespace(rounds=2, seconds=1), lines)
        text = pathlib.Path(folder, "hello.md").read_text(encoding="utf-8")
    for part in ("# hello\n", "- command: ./dev bench --rounds 2 --seconds 1 hello\n", "- commit: ", "- machine: ", *lines):
        assert part in text, text


def stops_what_it_starts():
    """bench/run stops all servers if one of them does not listen"""
    bench = load_run()
    started = []

    def start(port, _):
        started.append(port)
        return [SERVER, "--port", str(port)]

    bench.peers = lambda scenario: {"squall": start, "broken": lambda port, folder: ["false"]}
    for measure in (lambda: bench.measure("hello", 1, 1), bench.measure_idle):
        bench.wrk = lambda *_: (1, 1.0, 0)
        bench.IDLE = 10
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                measure()
            raise AssertionError("it continued without a server")
        except RuntimeError as error:
            assert str(error) == "broken does not listen", error
    assert len(started) == 2
    for port in started:
        with contextlib.closing(socket.socket()) as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0, "a server still runs"


tap = Tap()
tap.run([hello, user, large_bodies, wrong_use, run, skips, saves, stops_what_it_starts])
tap.end()
