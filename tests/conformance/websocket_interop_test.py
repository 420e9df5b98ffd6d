#!/usr/bin/env python3
"""WebSocket clients of other projects: `websocket_interop_test.py SERVER`. Those that are not installed are skipped.

Python's websockets, Tornado, ws for Node.js and Chromium send messages of all sizes up to 16 MiB, fragments, pings and
close codes, with and without compression.
"""

import asyncio
import contextlib
import http.server
import json
import os
import pathlib
import queue
import shutil
import subprocess
import sys
import tempfile
import threading

from program import PATIENCE, Program
from system_python import has_module
from tap import Tap

SERVER = sys.argv[1]
HERE = pathlib.Path(__file__).parent
SIZES = (0, 1, 125, 126, 65535, 65536, 1_000_000)
LARGEST = b"sixteen." * (2 * 1024 * 1024)
LIMIT = 20 * 1024 * 1024
NODE_MODULES = "/usr/share/nodejs"  # Debian's


# ---- Python's websockets.


async def websockets_sizes(url, compression):
    import websockets

    async with websockets.connect(url, compression=compression, max_size=None) as socket:
        assert [extension.name for extension in socket.extensions] == (["permessage-deflate"] if compression else [])
        for size in SIZES:
            for message in ("x" * size, b"\xff" * size):
                await socket.send(message)
                assert await socket.recv() == message
        for message in ("Grüße 😀", LARGEST):
            await socket.send(message)
            assert await socket.recv() == message


async def websockets_fragments(url, compression):
    import websockets

    async with websockets.connect(url, compression=compression) as socket:
        await socket.send(["frag", "", "ments"])
        assert await socket.recv() == "fragments"
        await socket.send([b"x" * 100_000] * 5)
        assert await socket.recv() == b"x" * 500_000
        await (await socket.ping(b"now"))


async def websockets_parameters(url):
    import websockets
    from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

    for parameters in (
        {"server_no_context_takeover": True},
        {"client_no_context_takeover": True},
        {"server_max_window_bits": 9},
        {"client_max_window_bits": 9},
        {"server_no_context_takeover": True, "client_no_context_takeover": True, "server_max_window_bits": 10, "client_max_window_bits": 11},
    ):
        async with websockets.connect(url, compression=None, extensions=[ClientPerMessageDeflateFactory(**parameters)]) as socket:
            assert socket.extensions, parameters
            for i in range(20):
                message = f"message {i} of {parameters} " * 100
                await socket.send(message)
                assert await socket.recv() == message


async def websockets_codes(url):
    import websockets

    for code in (1000, 1001, 3000, 4999):
        socket = await websockets.connect(url)
        await socket.close(code, "a reason")
        assert (socket.close_code, socket.close_reason) == (code, ""), (socket.close_code, socket.close_reason)


async def websockets_limit(url):
    import websockets

    socket = await websockets.connect(url, compression=None)
    with contextlib.suppress(websockets.ConnectionClosed):
        await socket.send(b"x" * (LIMIT + 1))
        await socket.recv()
    assert (socket.close_code, socket.close_reason) == (1009, "message too big"), (socket.close_code, socket.close_reason)


def websockets_checks(url):
    return [
        ("messages of all sizes", websockets_sizes(url, None)),
        ("messages of all sizes, compressed", websockets_sizes(url, "deflate")),
        ("fragments and a ping", websockets_fragments(url, None)),
        ("fragments, compressed", websockets_fragments(url, "deflate")),
        ("each parameter of permessage-deflate", websockets_parameters(url)),
        ("the server answers with the client's close code", websockets_codes(url)),
        ("the server closes with 1009", websockets_limit(url)),
    ]


# ---- Tornado.


async def tornado_sizes(url, compression):
    from tornado.websocket import websocket_connect

    socket = await websocket_connect(url, compression_options=compression, max_message_size=LIMIT)
    for size in SIZES:
        for message in ("x" * size, b"\xff" * size):
            await socket.write_message(message, binary=isinstance(message, bytes))
            assert await socket.read_message() == message
    await socket.write_message(LARGEST, binary=True)
    assert await socket.read_message() == LARGEST
    socket.close(1000)
    assert await socket.read_message() is None
    assert socket.close_code == 1000, socket.close_code


async def tornado_codes(url):
    from tornado.websocket import websocket_connect

    for code in (1000, 1001, 3000, 4999):
        socket = await websocket_connect(url)
        socket.close(code, "a reason")
        assert await socket.read_message() is None
        assert (socket.close_code, socket.close_reason) == (code, None), (socket.close_code, socket.close_reason)


async def tornado_limit(url):
    from tornado.websocket import WebSocketClosedError, websocket_connect

    socket = await websocket_connect(url)
    with contextlib.suppress(WebSocketClosedError):
        await socket.write_message(b"x" * (LIMIT + 1), binary=True)
    assert await socket.read_message() is None
    assert (socket.close_code, socket.close_reason) == (1009, "message too big"), (socket.close_code, socket.close_reason)


def tornado_checks(url):
    return [
        ("messages of all sizes", tornado_sizes(url, None)),
        ("messages of all sizes, compressed", tornado_sizes(url, {})),
        ("the server answers with the client's close code", tornado_codes(url)),
        ("the server closes with 1009", tornado_limit(url)),
    ]


async def run_checks(tap, client, checks):
    for name, check in checks:
        problems = []
        try:
            await asyncio.wait_for(check, PATIENCE)
        except Exception as error:  # pylint: disable=broad-except
            problems.append(repr(error))
        tap.check(f"{client}: {name}", problems)


def python_client(tap, client, module, checks):
    if not has_module(module):
        return tap.skip(client, f"{client} is not installed")
    with Program(SERVER, "--port", "0") as program:
        asyncio.run(run_checks(tap, client, checks(f"ws://127.0.0.1:{program.port}/ws")))


# ---- Node.js.


def node_client(tap):
    node = shutil.which("node")
    if not node or not pathlib.Path(NODE_MODULES, "ws").is_dir():
        return tap.skip("ws", "node-ws is not installed")
    with Program(SERVER, "--port", "0") as program:
        command = [node, str(HERE / "websocket_client.cjs"), f"ws://127.0.0.1:{program.port}/ws"]
        done = subprocess.run(
            command, env={**os.environ, "NODE_PATH": NODE_MODULES}, capture_output=True, text=True, timeout=2 * PATIENCE, check=False
        )
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    for outcome in outcomes:
        tap.check(f"ws: {outcome['name']}", outcome["problems"])
    tap.check("ws: all checks were run", [] if done.returncode == 0 and outcomes else [done.stderr])


# ---- Chromium.


class Page(http.server.BaseHTTPRequestHandler):
    """Serves the page with the checks, and takes its outcome."""

    def do_GET(self):  # pylint: disable=invalid-name
        self.answer(self.server.url.encode() if self.path == "/url" else (HERE / "websocket_client.html").read_bytes())

    def do_POST(self):  # pylint: disable=invalid-name
        self.server.outcomes.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.answer(b"")

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def chromium_client(tap):
    chromium = shutil.which("chromium")
    if not chromium:
        return tap.skip("Chromium", "chromium is not installed")
    with contextlib.ExitStack() as stack:
        program = stack.enter_context(Program(SERVER, "--port", "0"))
        pages = stack.enter_context(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page))
        pages.daemon_threads = True
        pages.url = f"ws://127.0.0.1:{program.port}/ws"
        pages.outcomes = queue.Queue()
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        folder = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        # No name is resolved, so the browser reaches no other machine.
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
        browser = subprocess.Popen(
            [chromium, *options, f"--user-data-dir={folder}", f"http://127.0.0.1:{pages.server_port}/"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            outcomes = pages.outcomes.get(timeout=3 * PATIENCE)
        except queue.Empty:
            if browser.poll() is not None:
                return tap.skip("Chromium", f"the browser does not start: exit status {browser.returncode}")
            raise
        finally:
            browser.terminate()
            browser.wait()
            pages.shutdown()
    for outcome in outcomes:
        tap.check(f"Chromium: {outcome['name']}", outcome["problems"])


def main():
    tap = Tap()
    python_client(tap, "websockets", "websockets", websockets_checks)
    python_client(tap, "Tornado", "tornado", tornado_checks)
    node_client(tap)
    chromium_client(tap)
    tap.end()


main()
