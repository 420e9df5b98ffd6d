#!/usr/bin/env python3
"""Clients, servers and proxies of other projects: `interop_test.py SERVER CLIENT`. Programs that are not installed are skipped."""

import contextlib
import hashlib
import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

from program import PATIENCE, Program
from tap import Tap

SERVER, CLIENT = sys.argv[1:]
BODY = bytes(i * 7 % 251 for i in range(3_000_000))


class Missing(Exception):
    """The program that a test needs."""


def tool(name):
    found = shutil.which(name) or shutil.which(f"/usr/sbin/{name}")
    if not found:
        raise Missing(name)
    return found


def run(*command, **more):
    done = subprocess.run(list(command), capture_output=True, timeout=PATIENCE, check=False, **more)
    assert done.returncode == 0, (command, done.returncode, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


class Busy(Program):
    """Its output, a line for each of very many requests, is not checked. A failure shows the last lines."""

    def __enter__(self):
        self.said = b""
        self.reader = threading.Thread(target=self.read_all)
        self.reader.start()
        return self

    def read_all(self):
        while piece := self.process.stderr.read1(1 << 16):
            self.said = (self.said + piece)[-2000:]

    def __exit__(self, kind, error, trace):
        self.process.kill()
        self.reader.join()
        if error:
            error.add_note(f"our server: {self.said!r}")
        super().__exit__(kind, error, trace)


def serve(*more):
    return Busy(SERVER, "--port", "0", *more)


@contextlib.contextmanager
def serve_tls():
    """A server with TLS, and the file with its certificate."""
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
        run(tool("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate)
        with serve("--tls", certificate, key) as program:
            program.certificate = certificate
            yield program


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def background(port, *command, **more):
    """A server of another project, once it answers on its port. A failure shows its output."""
    with subprocess.Popen(list(command), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **more) as process:
        try:
            end = time.monotonic() + PATIENCE
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), PATIENCE):
                    break
                assert process.poll() is None, process.stderr.read()
                assert time.monotonic() < end, command
                time.sleep(0.02)
            assert process.poll() is None, (process.returncode, process.stderr.read())
            yield
        except BaseException as error:
            ended = process.poll()
            process.terminate()
            process.wait(PATIENCE)
            error.add_note(f"{command[0]}, status {ended}: {process.stderr.read()!r}")
            raise
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            finally:
                process.kill()


# ---- Clients of other projects.


def curl():
    """curl gets, posts with a length and in chunks, waits for 100, and keeps its connection, without TLS and with it"""
    curl_program = tool("curl")
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "body")
        file.write_bytes(BODY)
        for server, scheme in [(serve(), "http"), (serve_tls(), "https")]:
            with server as program:
                url = f"{scheme}://127.0.0.1:{program.port}"

                def fetch(*arguments, url=url):
                    return run(curl_program, "-sS", "--http1.1", "--insecure", "--noproxy", "*", *[a.replace("URL", url) for a in arguments])

                assert fetch("URL/") == b"Hello, world"
                assert fetch("-I", "URL/").startswith(b"HTTP/1.1 200 OK\r\n")
                assert fetch("--data-binary", f"@{file}", "URL/echo") == BODY
                assert fetch("-T", str(file), "-X", "POST", "-H", "Transfer-Encoding: chunked", "URL/echo") == BODY
                assert fetch("-H", "Expect: 100-continue", "--data-binary", f"@{file}", "URL/count") == b"3000000"
                assert fetch("-0", "URL/") == b"Hello, world"
                said = fetch("-o", os.devnull, "-w", "%{num_connects} ", "URL/", "-o", os.devnull, "URL/", "-o", os.devnull, "URL/chunked")
                assert said == b"1 0 0 ", said


def load(command, pattern, program):
    said = run(*command).decode()
    assert re.search(pattern, said), said
    assert not re.search(r"Socket errors|Non-2xx|[1-9]\d* (failed|errored|timeout)", said), said
    with program.connect() as client:  # the server still serves others
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 200 ")


def wrk():
    """wrk finds no error, without TLS and with it"""
    wrk_program = tool("wrk")
    with serve() as program:
        load([wrk_program, "-t1", "-c20", "-d1s", f"http://127.0.0.1:{program.port}/"], r"[1-9]\d* requests in", program)
    with serve_tls() as program:
        said = run(wrk_program, "-t1", "-c20", "-d1s", f"https://127.0.0.1:{program.port}/").decode()
        assert re.search(r"[1-9]\d* requests in", said) and "errors" not in said, said


def h2load():
    """h2load finds no error with HTTP/1.1"""
    program_name = tool("h2load")
    with serve() as program:
        load([program_name, "--h1", "-n", "2000", "-c", "20", f"http://127.0.0.1:{program.port}/"], "2000 2xx", program)


def ab():
    """ab finds no error with HTTP/1.0, with keep-alive and without"""
    ab_program = tool("ab")
    with serve() as program:
        for more in ([], ["-k"]):
            load([ab_program, "-q", "-n", "1000", "-c", "10", *more, f"http://127.0.0.1:{program.port}/"], r"Failed requests:\s+0\n", program)


def python():
    """Python's http.client keeps its connection over responses of every framing, over TLS too"""
    with serve() as plain, serve_tls() as secure:
        context = ssl.create_default_context(cafile=secure.certificate)
        for client in [
            http.client.HTTPConnection("127.0.0.1", plain.port, timeout=PATIENCE),
            http.client.HTTPSConnection("127.0.0.1", secure.port, timeout=PATIENCE, context=context),
        ]:
            client.connect()
            local = client.sock.getsockname()
            for method, path, body, expected in [
                ("GET", "/", None, b"Hello, world"),
                ("POST", "/echo", BODY, BODY),
                ("GET", "/chunked?n=2", None, b"piece 0\npiece 1\n"),
                ("GET", "/trailers", None, b"the body\n"),
                ("POST", "/count", (BODY[i : i + 70_000] for i in range(0, len(BODY), 70_000)), b"3000000"),
                ("GET", "/nocontent", None, b""),
                ("GET", "/nowhere", None, None),
                ("HEAD", "/", None, b""),
            ]:
                client.request(method, path, body)
                answer = client.getresponse().read()
                assert expected is None or answer == expected, (method, path, answer[:200])
                assert client.sock and client.sock.getsockname() == local, f"{method} {path} has lost its connection"
            client.close()


NODE = """
const http = require('http'), agent = new http.Agent({keepAlive: true, maxSockets: 4});
const ask = (method, path, body) => new Promise((done, failed) => {
  const request = http.request({port: +process.argv[1], host: '127.0.0.1', method, path, agent}, response => {
    let size = 0;
    response.on('data', piece => size += piece.length).on('end', () => done(response.statusCode + ' ' + size + ' ' + JSON.stringify(response.trailers)));
  });
  request.on('error', failed);
  for (const piece of body || []) request.write(piece);
  request.end();
});
(async () => {
  const all = [];
  for (let i = 0; i < 200; ++i) all.push(ask('GET', '/'));
  console.log([...new Set(await Promise.all(all))].join());
  console.log(await ask('POST', '/echo', Array(50).fill(Buffer.alloc(20000, 'x'))));
  console.log(await ask('GET', '/trailers'));
  agent.destroy();
})();
"""


def node():
    """Node sends requests over a few connections, posts in chunks, and gets trailers"""
    with serve() as program:
        said = run(tool("node"), "-e", NODE, str(program.port)).decode()
        assert said == '200 12 {}\n200 1000000 {}\n200 9 {"x-length":"9"}\n', said


# ---- Proxies of other projects in front.


def behind(port):
    """The responses that a client must get through a proxy."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    for method, path, body, expected in [
        ("GET", "/", None, b"Hello, world"),
        ("POST", "/echo", BODY, BODY),
        ("POST", "/echo", (BODY[i : i + 70_000] for i in range(0, len(BODY), 70_000)), BODY),
        ("GET", "/chunked?n=2", None, b"piece 0\npiece 1\n"),
        ("GET", "/large?n=5000000", None, b"x" * 5_000_000),
        ("GET", "/nocontent", None, b""),
        ("GET", "/", None, b"Hello, world"),
    ]:
        client.request(method, path, body)
        response = client.getresponse()
        answer = response.read()
        assert answer == expected, (method, path, response.status, answer[:200])
    client.close()
    if not shutil.which("wrk"):
        return
    said = run("wrk", "-t1", "-c10", "-d1s", f"http://127.0.0.1:{port}/").decode()
    assert "Non-2xx" not in said and "errors" not in said, said


NGINX = """
daemon off; pid {folder}/pid; error_log stderr; worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off; client_max_body_size 100m; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;
  fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  upstream squall {{ server 127.0.0.1:{upstream}; keepalive 8; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://squall; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; proxy_request_buffering off;
      proxy_max_temp_file_size 0;  # its worker, another user, may not write to the folder
    }}
  }}
}}
"""


def nginx():
    """behind nginx, connections are kept and bodies of every framing pass in both directions"""
    nginx_program = tool("nginx")
    with serve() as program, tempfile.TemporaryDirectory() as folder:
        port = free_port()
        conf = pathlib.Path(folder, "conf")
        conf.write_text(NGINX.format(folder=folder, port=port, upstream=program.port), encoding="ascii")
        with background(port, nginx_program, "-p", folder, "-c", str(conf), "-e", "stderr"):
            behind(port)


HAPROXY = """
global
  maxconn 200
defaults
  mode http
  option forwardfor
  http-reuse always
  timeout connect 10s
  timeout client 30s
  timeout server 30s
frontend all
  bind 127.0.0.1:{port}
  default_backend squall
backend squall
  server one 127.0.0.1:{upstream}
"""


@contextlib.contextmanager
def haproxy_in_front():
    """The port of haproxy, with Squall's server behind it."""
    haproxy_program = tool("haproxy")
    with serve() as program, tempfile.TemporaryDirectory() as folder:
        port = free_port()
        conf = pathlib.Path(folder, "conf")
        conf.write_text(HAPROXY.format(port=port, upstream=program.port), encoding="ascii")
        with background(port, haproxy_program, "-db", "-f", str(conf)):
            yield port


def haproxy():
    """behind haproxy, connections are kept and bodies of every framing pass in both directions"""
    with haproxy_in_front() as port:
        behind(port)


# ---- Servers of other projects.


def fetch(url, *more):
    return json.loads(run(CLIENT, url, *more))


def expect(url, body, *more):
    result = fetch(url, *more)
    assert (result["outcome"], result["status"]) == ("ok", 200), result
    assert result["sha256"] == hashlib.sha256(body).hexdigest(), result


class Handler(http.server.BaseHTTPRequestHandler):
    """Python's server, with bodies framed by their length, by chunks and by the connection's end."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):  # pylint: disable=invalid-name
        self.send_response(200)
        if self.path == "/length":
            self.send_header("Content-Length", str(len(BODY)))
            self.end_headers()
            self.wfile.write(BODY)
        elif self.path == "/chunks":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for at in range(0, len(BODY), 77_777):
                piece = BODY[at : at + 77_777]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(BODY)

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


def python_server():
    """Squall's client reads the responses of Python's server, in each framing"""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        for path in ("length", "chunks", "end"):
            expect(f"http://127.0.0.1:{server.server_port}/{path}", BODY)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


NODE_SERVER = """
const http = require('http'), body = Buffer.from(Array.from({length: 3000000}, (_, i) => i * 7 % 251));
http.createServer((request, response) => {
  if (request.url == '/length') { response.setHeader('Content-Length', body.length); response.end(body); }
  else for (let i = 0; i <= 30; ++i) i < 30 ? response.write(body.subarray(i * 100000, (i + 1) * 100000)) : response.end();
}).listen(+process.argv[1], '127.0.0.1');
"""


def node_server():
    """Squall's client reads the responses of Node"""
    port = free_port()
    with background(port, tool("node"), "-e", NODE_SERVER, str(port)):
        for path in ("length", "chunks"):
            expect(f"http://127.0.0.1:{port}/{path}", BODY)


NGINX_FILES = """
daemon off; pid {folder}/pid; error_log stderr; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off; gzip on; gzip_min_length 1; gzip_types text/plain; default_type text/plain;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d;
  scgi_temp_path {folder}/e;
  server {{
    listen 127.0.0.1:{port}; root {folder}/files;
    location /old {{ return 302 /file; }}
    location /round {{ return 302 /round; }}
  }}
}}
"""


def nginx_server():
    """Squall's client reads the responses of nginx, compressed and after a redirect"""
    nginx_program = tool("nginx")
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        pathlib.Path(folder, "files").mkdir()
        pathlib.Path(folder, "files", "file").write_bytes(BODY)
        os.chmod(folder, 0o755)
        conf = pathlib.Path(folder, "conf")
        conf.write_text(NGINX_FILES.format(folder=folder, port=port), encoding="ascii")
        with background(port, nginx_program, "-p", folder, "-c", str(conf), "-e", "stderr"):
            expect(f"http://127.0.0.1:{port}/file", BODY)
            expect(f"http://127.0.0.1:{port}/old", BODY)
            assert fetch(f"http://127.0.0.1:{port}/round")["outcome"] == "redirect_loop"
            assert fetch(f"http://127.0.0.1:{port}/nowhere")["outcome"] == "http_error"


def through_haproxy():
    """Squall's client reads Squall's server through haproxy"""
    with haproxy_in_front() as port:
        expect(f"http://127.0.0.1:{port}/large?n=1000000", b"x" * 1_000_000)


def skippable(test):
    def wrapped():
        try:
            test()
        except Missing as missing:
            wrapped.__doc__ = f"{test.__doc__} # SKIP {missing} is not installed"

    wrapped.__doc__ = test.__doc__
    return wrapped


tap = Tap()
tap.run(
    map(
        skippable,
        [curl, wrk, h2load, ab, python, node, nginx, haproxy, python_server, node_server, nginx_server, through_haproxy],
    )
)
tap.end()
