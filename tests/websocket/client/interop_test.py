#!/usr/bin/env python3
"""WebSocket servers of other projects, with the client of Squall that echoes: `interop_test.py CLIENT`. Servers that are not installed are
skipped."""

import asyncio
import os
import random
import shutil
import subprocess
import sys
import tempfile

from program import PATIENCE
from tap import Tap
from with_tornado import has_tornado

CLIENT = sys.argv[1]
NODE_MODULES = "/usr/share/nodejs"

# What each server sends; the client must send the same back. Random bytes with a fixed seed, so that failures repeat.
RANDOM = random.Random(1)
MESSAGES = ["", "x", "Grüße 😀", "ab" * 50_000, b"", b"\x00\xff", RANDOM.randbytes(70_000), bytes(1_000_000), "last"]


async def run_client(url):
    """Runs the client; its stderr if it fails."""
    process = await asyncio.create_subprocess_exec(CLIENT, url, stderr=asyncio.subprocess.PIPE)
    try:
        _, said = await asyncio.wait_for(process.communicate(), PATIENCE)
    except BaseException:
        process.kill()
        raise
    assert process.returncode == 0, said.decode()


class Talk:
    """The server's part, for libraries with send() and recv()."""

    def __init__(self):
        self.problems = []
        self.done = asyncio.get_running_loop().create_future()

    async def run(self, send, receive):
        try:
            for message in MESSAGES:
                await send(message)
                answer = await receive()
                assert type(answer) is type(message) and answer == message, f"{message[:20]!r} came back as {answer[:20]!r}"
        except Exception as error:  # pylint: disable=broad-except
            self.problems.append(repr(error))
        self.done.set_result(None)


def check_websockets(compression):
    import websockets  # pylint: disable=import-outside-toplevel

    async def work():
        talk = Talk()
        extensions = []

        async def handle(connection, *_):
            agreed = connection if hasattr(connection, "extensions") else connection.protocol
            extensions.extend(extension.name for extension in agreed.extensions)
            await talk.run(connection.send, connection.recv)
            await connection.close(1000, "done")

        async with websockets.serve(handle, "127.0.0.1", 0, compression=compression, max_size=None) as server:
            port = list(server.sockets)[0].getsockname()[1]
            await run_client(f"ws://127.0.0.1:{port}/")
            await asyncio.wait_for(talk.done, PATIENCE)
        assert not talk.problems, talk.problems
        assert extensions == (["permessage-deflate"] if compression else []), extensions

    asyncio.run(work())


def check_tornado(compression):
    import tornado.httpserver  # pylint: disable=import-outside-toplevel
    import tornado.netutil  # pylint: disable=import-outside-toplevel
    import tornado.web  # pylint: disable=import-outside-toplevel
    import tornado.websocket  # pylint: disable=import-outside-toplevel

    async def work():
        talk = Talk()
        answers = asyncio.Queue()

        class Handler(tornado.websocket.WebSocketHandler):
            def get_compression_options(self):
                return {} if compression else None

            def open(self):
                async def run():
                    await talk.run(lambda message: self.write_message(message, isinstance(message, bytes)), answers.get)
                    self.close(1000, "done")

                self.running = asyncio.ensure_future(run())

            def on_message(self, message):
                answers.put_nowait(message)

        server = tornado.httpserver.HTTPServer(tornado.web.Application([("/", Handler)]))
        sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        await run_client(f"ws://127.0.0.1:{sockets[0].getsockname()[1]}/")
        await asyncio.wait_for(talk.done, PATIENCE)
        server.stop()
        assert not talk.problems, talk.problems

    asyncio.run(work())


NODE_SERVER = """
const fs = require('fs');
const { WebSocketServer } = require('ws');
const [file, compression] = process.argv.slice(2);
const messages = JSON.parse(fs.readFileSync(file)).map(m => m.text === undefined ? Buffer.from(m.binary, 'base64') : m.text);
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: compression === 'deflate', maxPayload: 1 << 26 });
server.on('listening', () => console.log(server.address().port));
server.on('connection', (socket) => {
  let next = 0;
  const problems = [];
  if ((socket.extensions === 'permessage-deflate') !== (compression === 'deflate')) problems.push('extensions: ' + socket.extensions);
  const send = () => next < messages.length ? socket.send(messages[next]) : socket.close(1000, 'done');
  socket.on('message', (data, binary) => {
    const wanted = messages[next++];
    const same = binary === Buffer.isBuffer(wanted) && Buffer.compare(Buffer.from(data), Buffer.from(wanted)) === 0;
    if (!same) problems.push('message ' + (next - 1) + ' came back changed');
    send();
  });
  socket.on('close', (code) => {
    if (code !== 1000) problems.push('closed with ' + code);
    if (next !== messages.length) problems.push('closed behind ' + next + ' messages');
    console.log(problems.length ? problems.join('; ') : 'all is well');
    server.close();
  });
  send();
});
"""


def check_node(compression):
    import base64  # pylint: disable=import-outside-toplevel
    import json  # pylint: disable=import-outside-toplevel

    texts = [{"text": m} if isinstance(m, str) else {"binary": base64.b64encode(m).decode()} for m in MESSAGES]
    with tempfile.TemporaryDirectory() as folder:
        script, data = os.path.join(folder, "server.js"), os.path.join(folder, "messages.json")
        with open(script, "w", encoding="utf-8") as file:
            file.write(NODE_SERVER)
        with open(data, "w", encoding="utf-8") as file:
            json.dump(texts, file)
        environment = {**os.environ, "NODE_PATH": NODE_MODULES}
        server = subprocess.Popen(["node", script, data, "deflate" if compression else "none"], stdout=subprocess.PIPE, text=True,
                                  env=environment)
        try:
            port = int(server.stdout.readline())
            asyncio.run(run_client(f"ws://127.0.0.1:{port}/"))
            said, _ = server.communicate(timeout=PATIENCE)
            assert said == "all is well\n", said
        finally:
            server.kill()
            server.wait()
            server.stdout.close()


def has_module(name):
    import importlib.util  # pylint: disable=import-outside-toplevel

    return importlib.util.find_spec(name) is not None


def has_node_ws():
    return shutil.which("node") and os.path.isdir(os.path.join(NODE_MODULES, "ws"))


def titled(title, check, compression):
    def test():
        check(compression)

    test.__doc__ = title
    return test


def main():
    # Debian's packages are for Debian's interpreter: this may start the test again with it.
    is_tornado_there = has_tornado()
    tap = Tap()
    for name, present, check in (
        ("websockets for Python", has_module("websockets"), check_websockets),
        ("Tornado", is_tornado_there, check_tornado),
        ("ws for Node.js", has_node_ws(), check_node),
    ):
        for compression in (None, "deflate"):
            title = f"a server of {name} {'with' if compression else 'without'} compression gets every message back"
            if not present:
                tap.skip(title, f"{name} is not installed")
                continue
            tap.run([titled(title, check, compression)])
    tap.end()


main()
