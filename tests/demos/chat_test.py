#!/usr/bin/env python3
"""demos/chat as its page uses it: `chat_test.py PROGRAM`."""

import json
import pathlib
import re
import sys
import tempfile
import urllib.parse

from program import Program, fails, read_to_end
from tap import Tap
from websocket_client import TEXT, WebSocketClient

CHAT = sys.argv[1]
ARGUMENTS = (CHAT, "--port", "0", "--address", "127.0.0.1")


class Browser:
    """A client that has opened the page, and so has the cookie against forged requests."""

    def __init__(self, program):
        self.program = program
        head, self.page = split(program.talk(request("GET", "/")))
        self.xsrf = re.search(r"\r\nSet-Cookie: _xsrf=([^;]+);", head)[1]

    def message(self, path, fields, xsrf=None):
        form = urllib.parse.urlencode({**fields, "_xsrf": xsrf or self.xsrf})
        more = f"Cookie: _xsrf={self.xsrf}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        return request("POST", path, more, form)

    def post(self, path, **fields):
        """(head, body) of the answer."""
        return split(self.program.talk(self.message(path, fields)))

    def say(self, body, **more):
        head, answer = self.post("/a/message/new", body=body, **more)
        assert head.startswith("HTTP/1.1 200 OK\r\n"), (head, answer)
        return json.loads(answer)

    def updates(self, cursor=""):
        return json.loads(self.post("/a/message/updates", cursor=cursor)[1])["messages"]

    def wait(self, cursor):
        """A connection on which the server has the request for messages behind the cursor."""
        connection = self.program.connect()
        # The server answers the two requests in their order, so when the first has its answer it has the second.
        waiting = self.message("/a/message/updates", {"cursor": cursor})
        connection.sendall(request("GET", "/static/icon.svg").replace(b"Connection: close\r\n", b"") + waiting)
        got = b""
        while b"</svg>" not in got:
            got += connection.recv(65536)
        return connection


def request(method, path, more="", body=""):
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{more}{length}\r\n{body}".encode()


def split(answer):
    head, _, body = answer.decode().partition("\r\n\r\n")
    return head, body


def heard(client):
    """The next message that a WebSocketClient gets."""
    return json.loads(client.frame()[1])


def long_poll():
    """a client that waits gets the message of another, once (DEM-37)"""
    with Program(*ARGUMENTS) as program:
        alice, bob = Browser(program), Browser(program)
        first = alice.say("hello", name="Alice")
        assert (first["name"], first["body"]) == ("Alice", "hello"), first
        with bob.wait(first["id"]) as waiting:
            second = alice.say("are you there?")
            answer = json.loads(split(read_to_end(waiting))[1])
        assert answer == {"messages": [second]}, answer
        assert bob.updates(first["id"]) == [second]
        assert bob.updates("unknown") == [first, second]
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", second["id"]), second
        assert program.stop() == 0, program.said


def page():
    """the page has the form with its token, and the messages with their ids, escaped (DEM-31, DEM-37)"""
    with Program(*ARGUMENTS) as program:
        alice = Browser(program)
        assert re.search(r'<input type="hidden" name="_xsrf" value="[^"]+"', alice.page), alice.page
        said = alice.say("<script>alert('x')</script> {{ 1 / 0 }} {% raw who %} http://a.example/?b&c", name='"><b>')
        shown = Browser(program).page
        assert f'id="m{said["id"]}"' in shown and said["html"] in shown, shown
        assert "<script>alert" not in shown and "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;" in shown, shown
        assert 'data-name="&quot;&gt;&lt;b&gt;"' in shown, shown
        assert '<a href="http://a.example/?b&amp;c" rel="nofollow noopener"' in shown, shown
        for name in re.findall(r'(?:href|src)="(/static/[^"]+)"', shown.split("<body>")[0]):
            head, _ = split(program.talk(request("GET", name)))
            assert head.startswith("HTTP/1.1 200 OK\r\n") and "?v=" in name, (name, head)


def without_script():
    """a browser without scripts sends the form, and comes back by a redirect within the site (DEM-32)"""
    with Program(*ARGUMENTS) as program:
        alice = Browser(program)
        head, _ = alice.post("/a/message/new", body="hi", next="/#end")
        assert head.startswith("HTTP/1.1 302 ") and "\r\nLocation: /#end" in head, head
        for away in ("//evil.example", "http://evil.example", "/\\evil.example", "/\t/evil.example", "/\nx", ""):
            head, _ = alice.post("/a/message/new", body="hi", next=away)
            assert head.startswith("HTTP/1.1 400 "), (away, head)
        assert len(alice.updates()) == 1


def refused():
    """requests without the token, and messages that are empty or too long, are refused"""
    with Program(*ARGUMENTS) as program:
        alice = Browser(program)
        for path in ("/a/message/new", "/a/message/updates"):
            forged = program.talk(alice.message(path, {"body": "hi"}, xsrf="2|aa|bb|1"))
            assert forged.startswith(b"HTTP/1.1 403 "), forged
        for fields in ({}, {"body": "  "}, {"body": "x" * 4001}, {"body": "hi", "name": "x" * 61}):
            head, _ = alice.post("/a/message/new", **fields)
            assert head.startswith("HTTP/1.1 400 "), (fields, head)
        head, _ = alice.post("/a/message/new", body="x" * 70000)
        assert head.startswith("HTTP/1.1 413 "), head
        assert alice.say("still here")["name"] == "Guest"


def cache():
    """the last 200 messages are kept (DEM-34)"""
    with Program(*ARGUMENTS) as program:
        alice = Browser(program)
        with program.connect() as connection:
            for i in range(202):
                connection.sendall(alice.message("/a/message/new", {"body": f"{i}."}).replace(b"Connection: close\r\n", b""))
                got = b""
                while b'"name":"Guest"' not in got:
                    got += connection.recv(65536)
        kept = [message["body"] for message in alice.updates()]
        assert kept == [f"{i}." for i in range(2, 202)], kept


def client_leaves():
    """a client that leaves ends its own request, and no other (DEM-35)"""
    with Program(*ARGUMENTS) as program:
        alice = Browser(program)
        last = alice.say("hello")["id"]
        alice.wait(last).close()
        program.wait_for(r"499 POST /a/message/updates ")
        with alice.wait(last) as waiting:
            second = alice.say("and?")
            assert json.loads(split(read_to_end(waiting))[1]) == {"messages": [second]}


def drains():
    """on SIGTERM the waiting clients are answered, and the program ends"""
    with Program(*ARGUMENTS) as program:
        with Browser(program).wait("") as waiting:
            assert program.stop() == 0, program.said
            head, body = split(read_to_end(waiting))
        assert head.startswith("HTTP/1.1 200 OK\r\n") and json.loads(body) == {"messages": []}, (head, body)


def websocket():
    """a WebSocket gets the messages of the page that polls, and sends its own to it"""
    with Program(*ARGUMENTS) as program:
        alice = Browser(program)
        assert 'data-transport="polling"' in alice.page, alice.page
        assert 'data-transport="websocket"' in split(program.talk(request("GET", "/websocket")))[1]
        first = alice.say("hello", name="Alice")
        bob = WebSocketClient(program, "/chatsocket")
        assert heard(bob) == first
        second = alice.say("are you there?")
        assert heard(bob) == second
        with alice.wait(second["id"]) as waiting:
            bob.send(TEXT, json.dumps({"name": "Bob", "body": "<script>alert(1)</script>"}).encode())
            third = json.loads(split(read_to_end(waiting))[1])["messages"][0]
        assert heard(bob) == third and "&lt;script&gt;alert(1)&lt;/script&gt;" in third["html"], third
        for wrong in (b"no json", b"[]", b"{}", b'{"body": 1}', b'{"body": "hi", "name": ""}', json.dumps({"body": "x" * 4001}).encode()):
            bob.send(TEXT, wrong)
            assert "problem" in heard(bob), wrong
        late = WebSocketClient(program, f"/chatsocket?after={second['id']}")
        assert heard(late) == third


def own_templates():
    """with --templates the pages of a folder are shown, and changes of its files are noticed"""
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder, "index.html")
        page.write_text("first {{ len(messages) }}")
        pathlib.Path(folder, "message.html").write_text("({{ message.body }})")
        with Program(*ARGUMENTS, "--templates", folder) as program:
            assert split(program.talk(request("GET", "/")))[1] == "first 0"
            page.write_text("the second")
            assert split(program.talk(request("GET", "/")))[1] == "the second"


def wrong_use():
    """an unknown flag and a folder without a template each give one clear line"""
    status, said = fails(CHAT, "--nonsense")
    assert status == 2 and re.fullmatch(r"chat: [^\n]+\n", said), (status, said)
    with tempfile.TemporaryDirectory() as folder:
        status, said = fails(*ARGUMENTS, "--templates", folder)
        assert status == 1 and said == f"chat: there is no template 'index.html' in the folder '{folder}'\n", (status, said)


tap = Tap()
tap.run([long_poll, page, without_script, refused, cache, client_leaves, drains, websocket, own_templates, wrong_use])
tap.end()
