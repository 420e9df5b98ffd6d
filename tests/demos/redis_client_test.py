#!/usr/bin/env python3
"""demos/redis_client against Debian's redis-server, and against servers that misbehave: `redis_client_test.py PROGRAM`."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

from program import PATIENCE
from tap import Tap

PROGRAM = sys.argv[1]
SERVER = shutil.which("redis-server")


class Redis:
    """A redis-server for the test, on a Unix socket and a free port."""

    def __init__(self, *options):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "redis.sock")
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        command = [SERVER, "--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", self.path, "--save", ""]
        command += ["--dir", self.folder.name, "--enable-debug-command", "local", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE
        while not self.is_up():
            assert self.process.poll() is None and time.monotonic() < end, "redis-server did not start"
            time.sleep(0.01)

    def is_up(self):
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(self.path) == 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.folder.cleanup()


class Impostor:
    """A server that expects bytes of the script, sends bytes of the script, and then closes."""

    def __init__(self, *script, pause=None):
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.heard = []
        self.script = script
        self.pause = pause
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        connection, _ = self.listening.accept()
        connection.settimeout(PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, contextlib.suppress(OSError):
            for reply in self.script:
                self.heard.append(connection.recv(1 << 16))
                for piece in [bytes([b]) for b in reply] if self.pause else [reply]:
                    connection.sendall(piece)
                    time.sleep(self.pause or 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.thread.join(PATIENCE)
        self.listening.close()


def client(*arguments):
    """(exit status, stdout, stderr) of the program."""
    run = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False)
    return run.returncode, run.stdout, run.stderr


def url(server, login=""):
    return f"redis://{login}127.0.0.1:{server.port}"


def answers(server, *commands):
    """The output of the commands, without the lines that repeat them."""
    status, out, said = client("--url", url(server), *commands)
    assert (status, said) == (0, ""), (status, out, said)
    lines = out.splitlines()
    return "\n".join(line for line in lines if line not in commands)


HELLO3 = b"%1\r\n$5\r\nproto\r\n:3\r\n"
NO_HELLO = b"-ERR unknown command 'HELLO'\r\n"


def every_type():
    """every type of RESP3 is read from a real server"""
    with Redis() as redis:
        for name, shown in {
            "string": '"Hello World"',
            "integer": "(integer) 12345",
            "double": "(double) 3.141",
            "null": "(nil)",
            "array": "1) (integer) 0\n2) (integer) 1\n3) (integer) 2",
            "set": "1) (integer) 0\n2) (integer) 1\n3) (integer) 2",
            "map": "(integer) 0 => (false)\n(integer) 1 => (true)\n(integer) 2 => (false)",
            "attrib": '"Some real reply following the attribute"',
            "verbatim": '"This is a verbatim\nstring"',
            "true": "(true)",
            "false": "(false)",
            "bignum": "(big number) 1234567999999999999999999999999999999",
        }.items():
            got = answers(redis, f"DEBUG PROTOCOL {name}")
            assert got == shown, (name, got)


def pipelined():
    """a thousand commands are sent at once, and answered in order; an error is an answer like others"""
    with Redis() as redis:
        commands = [f"INCRBY counter {n}" for n in range(1, 1001)] + ["HGETALL counter"]
        expected = [f"(integer) {n * (n + 1) // 2}" for n in range(1, 1001)]
        lines = answers(redis, *commands).splitlines()
        assert lines[:-1] == expected and lines[-1].startswith("(error) WRONGTYPE "), lines[-3:]


def tour():
    """without a command it runs a few, over a Unix socket too"""
    with Redis() as redis:
        for where in (["--url", url(redis)], ["--url", "unix://" + redis.path]):
            status, out, said = client(*where)
            assert status == 0 and not said, said
            assert 'PING\n"PONG"\n' in out and "(integer) 42" in out and '"first" => "loop"' in out, out


def messages():
    """messages of a channel are pushed"""
    with Redis() as redis:
        command = [PROGRAM, "--url", url(redis), "--subscribe", "news", "--messages", "2", "ECHO first"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as listener:
            lines = [listener.stdout.readline() for _ in range(3)]
            assert lines == ["ECHO first\n", '"first"\n', "listening to news\n"], lines
            assert answers(redis, "PUBLISH news hello", "PUBLISH news again") == "(integer) 1\n(integer) 1"
            rest = listener.stdout.read()
            assert rest == "news: hello\nnews: again\n", rest
            assert listener.wait(PATIENCE) == 0


def logs_in():
    """it logs in with a password, and reports a wrong password"""
    with Redis("--requirepass", "secret") as redis:
        status, out, said = client("--url", url(redis, ":secret@"), "PING")
        assert (status, out, said) == (0, 'PING\n"PONG"\n', ""), (status, out, said)
        status, out, said = client("--url", url(redis, ":guess@"), "PING")
        assert status == 1 and said.startswith("redis_client: WRONGPASS ") and said.count("\n") == 1, said


def falls_back():
    """with a server that does not know HELLO it uses RESP2, and logs in by AUTH"""
    with Impostor(NO_HELLO, b"+OK\r\n", b"$-1\r\n*-1\r\n*2\r\n:1\r\n$3\r\nabc\r\n") as server:
        got = answers(server, "GET a", "BLPOP b 1", "C")
        assert got == '(nil)\n(nil)\n1) (integer) 1\n2) "abc"', got
    assert server.heard[0] == b"*4\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$7\r\nSETNAME\r\n$12\r\nredis_client\r\n", server.heard
    assert server.heard[2].startswith(b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n*3\r\n"), server.heard
    with Impostor(NO_HELLO, b"+OK\r\n+OK\r\n", b"+PONG\r\n") as server:
        assert client("--url", url(server, "u:p@"), "PING")[0] == 0
    assert server.heard[1].startswith(b"*3\r\n$4\r\nAUTH\r\n$1\r\nu\r\n$1\r\np\r\n"), server.heard
    confirmation = b"*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$1\r\n1\r\n"
    with Impostor(NO_HELLO, b"+OK\r\n", b"+PONG\r\n", confirmation) as server:
        status, out, said = client("--url", url(server), "--subscribe", "news", "--messages", "1", "PING")
        assert (status, said) == (0, ""), (status, out, said)
        assert sorted(out.splitlines()) == ['"PONG"', "PING", "listening to news", "news: 1"], out


def enough():
    """of messages that arrive together it takes only the requested number"""
    confirmation = b">3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n"
    one = b">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$1\r\n%d\r\n"
    messages = b"".join(one % i for i in (1, 2, 3))
    with Impostor(HELLO3, b"+OK\r\n", confirmation + messages) as server:
        status, out, said = client("--url", url(server), "--subscribe", "news", "--messages", "1", "A")
        assert (status, said) == (0, ""), (status, out, said)
        assert out.startswith('A\n"OK"\n') and "news: 1\n" in out and "news: 2" not in out, out


def in_pieces():
    """replies may arrive byte by byte"""
    reply = b"*3\r\n$5\r\nhello\r\n~1\r\n#t\r\n|1\r\n+a\r\n+b\r\n,1e3\r\n>1\r\n+unasked\r\n!3\r\nERR\r\n"
    with Impostor(HELLO3, reply, pause=0.001) as server:
        got = answers(server, "A", "B")
        assert got == '1) "hello"\n2) 1) (true)\n3) (double) 1000\n(error) ERR', got


def misbehaves():
    """bytes that break the protocol end the program with one clear line"""
    for reply, why in {
        b"hello\r\n": "unknown type 0x68",
        b":12x\r\n": '"12x" is not a value',
        b":\r\n": '"" is not a value',
        b",one\r\n": '"one" is not a value',
        b"#y\r\n": '"y" is not a value',
        b"$-2\r\n": '"-2" is not a length',
        b"$999999999999\r\n": "a string of 999999999999 bytes exceeds the limit",
        b"*99999999\r\n": "exceeds the limit of 4194304 items",
        b"$3\r\nabcdef": "a string without CR LF",
        b"*1\r\n" * 100: "exceed the limit of 32 levels",
        b"\r\n": "an empty line",
        b"+" + b"x" * 100_000: "a line exceeds the limit of 65536 bytes",
        b"$5\r\nab": "Stream is closed",
        b"": "Stream is closed",
        b"+OK\r\n+OK\r\n+OK\r\n": None,
    }.items():
        with Impostor(HELLO3, reply) as server:
            status, _, said = client("--url", url(server), "A", "B")
            if why is not None:
                lines = [line for line in said.splitlines() if line.startswith("redis_client: ")]
                assert status == 1 and len(lines) == 1 and why in lines[0], (reply[:30], status, said)


def wrong_use():
    """a missing server, an empty command and an unknown flag each give one clear line"""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        status, _, said = client("--url", f"redis://127.0.0.1:{port}", "PING")
        assert status == 1 and said == f"redis_client: Cannot connect to 127.0.0.1:{port}: Connection refused\n", said
    with Impostor(HELLO3) as server:
        status, _, said = client("--url", url(server), " ")
        assert status == 1 and said == "redis_client: a command needs a name\n", said
    status, _, said = client("--nonsense")
    assert status == 2 and said.startswith("redis_client: ") and said.count("\n") == 1, said


tap = Tap()
if SERVER:
    tap.run([every_type, pipelined, tour, messages, logs_in])
else:
    print("# redis-server is not installed: only the tests with misbehaving servers run")
tap.run([falls_back, in_pieces, enough, misbehaves, wrong_use])
tap.end()
