#!/usr/bin/env python3
"""demos/api as its clients use it: `api_test.py PROGRAM`."""

import json
import re
import subprocess
import sys

from program import PATIENCE, Program, fails
from tap import Tap

API = sys.argv[1]
ARGUMENTS = (API, "--port", "0", "--address", "127.0.0.1")
SITE = "https://app.example"


class Answer:
    def __init__(self, received):
        head, _, self.text = received.decode().partition("\r\n\r\n")
        status, *lines = head.split("\r\n")
        self.status = int(status.split()[1])
        self.headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        self.json = json.loads(self.text) if "json" in self.headers.get("content-type", "") else None

    def __repr__(self):
        return f"{self.status} {self.headers} {self.text}"


def call(program, method, path, body=None, **headers):
    headers = {"Host": "h", "Connection": "close", **{name.replace("_", "-"): value for name, value in headers.items()}}
    content = b""
    if body is not None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
        headers["Content-Length"] = len(content)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return Answer(program.talk(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + content))


def described_routes():
    """every route and its methods are in openapi.json, and no others"""
    listed = subprocess.run([API, "--routes"], capture_output=True, text=True, timeout=PATIENCE, check=True).stdout
    served = set()
    for line in listed.splitlines():
        pattern, methods = line.split(" ", 1)
        path = re.sub(r"\(\?<(\w+)>[^)]*\)", r"{\1}", pattern)
        path = re.sub(r"[()\\]", "", path)
        # HEAD is answered by get.
        served |= {(path, method) for method in methods.lower().split(", ") if method not in ("head", "options")}
    assert ("/notes/{id}", "patch") in served, listed
    with Program(*ARGUMENTS) as program:
        answer = call(program, "GET", "/openapi.json")
    assert answer.status == 200 and answer.headers["content-type"].startswith("application/json"), answer
    described = set()
    for path, item in answer.json["paths"].items():
        described |= {(path, method) for method in item if method != "parameters"}
    assert served == described, (served - described, described - served)


def references():
    """each $ref of openapi.json has its target, and each parameter of a path its description"""
    with Program(*ARGUMENTS) as program:
        document = call(program, "GET", "/openapi.json").json
        text = json.dumps(document)
        for target in re.findall(r'"\$ref": "#/([^"]+)"', text):
            place = document
            for name in target.split("/"):
                assert name in place, target
                place = place[name]
        for path, item in document["paths"].items():
            named = {parameter["name"] for parameter in item.get("parameters", [])}
            assert named == set(re.findall(r"\{(\w+)\}", path)), path
        # The documented fields are those of a note.
        fields = set(document["components"]["schemas"]["NoteFields"]["properties"])
        note = call(program, "GET", "/notes/1").json
        assert set(note) == fields | {"id", "created"}, note


def life_of_a_note():
    """a note is added, read, replaced, changed and deleted"""
    with Program(*ARGUMENTS) as program:
        added = call(program, "POST", "/notes", {"title": "Grüße", "tags": ["a", "b"]})
        assert added.status == 201, added
        path = added.headers["location"]
        assert re.fullmatch(r"/notes/\d+", path), added
        note = dict(added.json)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", note.pop("created")), added
        assert note == {"id": int(path[7:]), "title": "Grüße", "text": "", "tags": ["a", "b"], "pinned": False}, note
        assert call(program, "GET", path).json == added.json
        changed = call(program, "PATCH", path, {"pinned": True, "text": "</script>"})
        assert changed.status == 200 and changed.json["pinned"] and changed.json["title"] == "Grüße", changed
        assert changed.json["text"] == "</script>" and "</script>" not in changed.text, changed
        replaced = call(program, "PUT", path, {"title": "New"})
        assert (replaced.json["title"], replaced.json["tags"], replaced.json["pinned"]) == ("New", [], False), replaced
        assert replaced.json["id"] == note["id"] and replaced.json["created"] == changed.json["created"], replaced
        deleted = call(program, "DELETE", path)
        assert deleted.status == 204 and deleted.text == "", deleted
        for method, body in (("GET", None), ("DELETE", None), ("PUT", {"title": "x"}), ("PATCH", {})):
            answer = call(program, method, path, body)
            assert answer.status == 404 and answer.json == {"status": 404, "title": "Not Found"}, answer


def pages_of_notes():
    """notes are listed page by page, and by tag"""
    with Program(*ARGUMENTS) as program:
        for i in range(5):
            assert call(program, "POST", "/notes", {"title": str(i), "tags": ["odd"] if i % 2 else ["even"]}).status == 201
        seen, after = [], 0
        while after is not None:
            page = call(program, "GET", f"/notes?limit=2&tag=even&after={after}").json
            assert len(page["notes"]) <= 2, page
            seen += [note["title"] for note in page["notes"]]
            after = page["next"]
        assert seen == ["0", "2", "4"], seen


def refused():
    """errors are JSON, and name each field or argument that is wrong"""
    with Program(*ARGUMENTS) as program:
        before = call(program, "GET", "/notes").text
        for body, fields in (
            ({}, ["title"]),
            ({"title": ""}, ["title"]),
            ({"title": "ü" * 101}, ["title"]),
            ({"title": 5, "text": None, "pinned": "yes"}, ["title", "text", "pinned"]),
            ({"title": "x", "tags": "a"}, ["tags"]),
            ({"title": "x", "tags": ["a"] * 6}, ["tags"]),
            ({"title": "x", "tags": ["a", "", 3]}, ["tags[1]", "tags[2]"]),
            ({"title": "x", "id": 7}, ["id"]),
        ):
            for method, path in (("POST", "/notes"), ("PUT", "/notes/1")):
                answer = call(program, method, path, body)
                assert answer.status == 422 and answer.headers["content-type"] == "application/problem+json", (body, answer)
                assert [error["field"] for error in answer.json["errors"]] == fields, (body, answer)
                assert all(error["message"] for error in answer.json["errors"]), answer
        assert call(program, "PATCH", "/notes/1", {"titel": "x"}).json["errors"][0]["field"] == "titel"
        assert call(program, "POST", "/notes", {"title": "ü" * 100}).status == 201
        for query, status, field in (("limit=x", 400, "limit"), ("limit=0", 422, "limit"), ("after=1e3", 400, "after")):
            answer = call(program, "GET", "/notes?" + query)
            assert (answer.status, answer.json["errors"][0]["field"]) == (status, field), answer
        for body, status in ((b"{", 400), (b"[]", 400), (b"\xff", 400), (b'"' + b"x" * 1100000 + b'"', 413)):
            answer = call(program, "POST", "/notes", body)
            assert (answer.status, answer.json["status"]) == (status, status), (body[:10], answer)
        assert call(program, "POST", "/notes", {"title": "x"}, Content_Type="text/plain").status == 415
        answer = call(program, "PUT", "/notes", {"title": "x"})
        assert answer.status == 405 and answer.json["status"] == 405 and "POST" in answer.headers["allow"], answer
        answer = call(program, "GET", "/nothing", Accept="text/html")
        assert answer.status == 404 and answer.json["status"] == 404, answer
        call(program, "DELETE", "/notes/3")
        assert call(program, "GET", "/notes").text == before, "a refused request has changed the notes"


def middleware():
    """requests have an id, other sites need a permission, and a client has a limited number of requests"""
    with Program(*ARGUMENTS, "--origin", SITE, "--rate", "5") as program:
        preflight = {"Origin": SITE, "Access_Control_Request_Method": "PUT", "Access_Control_Request_Headers": "content-type"}
        answer = call(program, "OPTIONS", "/notes/1", **preflight)
        assert answer.status == 204 and "PUT" in answer.headers["access-control-allow-methods"], answer
        assert answer.headers["access-control-allow-origin"] == SITE, answer
        answer = call(program, "GET", "/notes/1", Origin=SITE)
        assert answer.headers["access-control-allow-origin"] == SITE, answer
        assert "X-Request-Id" in answer.headers["access-control-expose-headers"], answer
        program.wait_for(re.escape(answer.headers["x-request-id"]))
        assert "access-control-allow-origin" not in call(program, "GET", "/notes/1", Origin="https://evil.example").headers
        while (answer := call(program, "GET", "/notes", Origin=SITE)).status == 200:
            assert "ratelimit" in answer.headers, answer
        # A script of the permitted site can read that too.
        assert answer.status == 429 and answer.headers["access-control-allow-origin"] == SITE, answer
        assert int(answer.headers["retry-after"]) > 0 and "x-request-id" in answer.headers, answer
        # The page itself has no limit.
        assert call(program, "GET", "/").status == 200


def page():
    """the page has its files, and may run only its own script"""
    with Program(*ARGUMENTS) as program:
        answer = call(program, "GET", "/")
        assert answer.headers["content-type"].startswith("text/html"), answer
        assert "script-src 'self'" in answer.headers["content-security-policy"], answer
        files = re.findall(r'(?:href|src)="(/[^"]+)"', answer.text)
        assert len(set(files)) == 4, files
        for name in files:
            assert call(program, "GET", name).status == 200, name
        assert program.stop() == 0, program.said


def wrong_use():
    """an unknown flag, and an origin that browsers do not send, each give one clear line"""
    status, said = fails(API, "--nonsense")
    assert status == 2 and re.fullmatch(r"api: [^\n]+\n", said), (status, said)
    status, said = fails(*ARGUMENTS, "--origin", "app.example")
    assert status == 1 and re.fullmatch(r"api: [^\n]*app\.example[^\n]*\n", said), (status, said)


tap = Tap()
tap.run([described_routes, references, life_of_a_note, pages_of_notes, refused, middleware, page, wrong_use])
tap.end()
