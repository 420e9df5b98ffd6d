#!/usr/bin/env python3
"""The same requests to the same application with Tornado and with Squall:
`beside_test.py SQUALL_APPLICATION TORNADO_APPLICATION DIFFERENCES`.

DIFFERENCES is the page of the guide. Its section "The same application beside Tornado" has a table of all differences
between the responses. A difference that the table does not have fails the test, and so does a row that is not true
any more.
"""

import gzip
import os
import re
import sys
import tempfile

from program import Program
from tap import Tap
from with_tornado import has_tornado

SQUALL, TORNADO, DIFFERENCES = sys.argv[1:4]
SECTION = "## The same application beside Tornado"
# Tornado's later versions differ from Squall in other ways.
VERSION = "6.2"
# The name of the row for the one header that differs in every error page.
ERROR_PAGE = "an error page"
# A date of files that does not change: 2024-01-01.
TIME = 1_704_067_200
TEN = b"0123456789"
ETAG = '"bb96c2fc40d2d54617d6f276febe571f623a8dadf0b734855299b0e107fda32cf6b69f2da32b36445d73690b93cbd0f7bfc20e0f7f28553d2a4428f23b716e90"'
HEADERS = """accept-ranges allow cache-control connection content-encoding content-language content-length content-range content-type etag
    expires last-modified location set-cookie transfer-encoding vary www-authenticate x-half x-value x-verb b""".split()


def get(target, *lines, method="GET", body=None, version="HTTP/1.1"):
    """The bytes of a request to example.com."""
    head = [f"{method} {target} {version}", "Host: example.com:8080", *lines]
    if body is not None:
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def form(target, body, *lines):
    return get(target, "Content-Type: application/x-www-form-urlencoded", *lines, method="POST", body=body)


def multipart(body, boundary="b"):
    return get("/upload", f"Content-Type: multipart/form-data; boundary={boundary}", method="POST", body=body.replace(b"\n", b"\r\n"))


GOOD_PARTS = b"""--b
Content-Disposition: form-data; name="title"

A title
--b
Content-Disposition: form-data; name="file"; filename="a b.txt"
Content-Type: text/plain

the file
--b--
"""


def requests(cookies):
    """The requests by name. `cookies` has the signed cookie and the XSRF token of each application."""
    raw = {
        # Methods.
        "GET": get("/hello"),
        "HEAD, without a verb `head`": get("/hello", method="HEAD"),
        "HEAD, with a verb `head`": get("/head", method="HEAD"),
        "POST": get("/verbs", method="POST", body=b"abc"),
        "PUT": get("/verbs", method="PUT", body=b"abc"),
        "PATCH": get("/verbs", method="PATCH", body=b"abc"),
        "DELETE": get("/verbs", method="DELETE"),
        "OPTIONS": get("/verbs", method="OPTIONS"),
        "a method without a verb": get("/hello", method="POST", body=b""),
        "a method that is not registered": get("/hello", method="BREW"),
        "POST of a body in chunks": get("/verbs", "Transfer-Encoding: chunked", method="POST") + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        "a chunk extension": get("/verbs", "Transfer-Encoding: chunked", method="POST") + b"3;x=y\r\nabc\r\n0\r\n\r\n",
        "HTTP/1.0": get("/hello", version="HTTP/1.0"),
        "HTTP/1.0 with keep-alive": get("/hello", "Connection: keep-alive", version="HTTP/1.0"),
        "`Connection: close`": get("/hello", "Connection: close"),
        # Arguments.
        "arguments of a query": get("/arguments?a=1&a=%20two+2%20&b=%C3%A4&c=x;y&d"),
        "a missing argument": get("/arguments?a=1"),
        "an argument that is not UTF-8": get("/arguments?c=%FF"),
        "an argument with a control character": get("/arguments?c=a%00b%0Ac"),
        "an empty argument": get("/arguments?b=&c=1"),
        "a form beside a query": form("/arguments?a=q", b"a=f1&a=f2"),
        "a form that is compressed": form("/arguments?a=q", gzip.compress(b"a=f", mtime=0), "Content-Encoding: gzip"),
        # Paths.
        "a typed group": get("/users/42"),
        "a typed group that is not a number": get("/users/x"),
        "a number beyond 64 bits": get("/users/9999999999999999999999"),
        "a group with escapes": get("/text/a%20b%2Fc+d%C3%A4"),
        "a group that is not UTF-8": get("/text/%FF"),
        "an escape of a letter": get("/%68ello"),
        "an escaped slash": get("/text%2Fa"),
        "a `%` that begins no escape": get("/text/100%"),
        "named groups": get("/dates/2024/02"),
        "an optional group without text": get("/dates/2024"),
        "a path without a route": get("/nothing"),
        "an absolute target": get("http://example.com:8080/info?a=b"),
        "a repeated header": get("/info", "X-Twice: 1", "X-Twice: 2"),
        # Cookies.
        "cookies": get("/cookie", 'Cookie: theme="a\\073 b"; other=1; theme'),
        "a signed cookie is set": get("/sign"),
        "the signed cookie of Tornado": get("/signed", f"Cookie: user={cookies['Tornado', 'user']}"),
        "the signed cookie of Squall": get("/signed", f"Cookie: user={cookies['Squall', 'user']}"),
        "a changed signed cookie": get("/signed", f"Cookie: user={cookies['Squall', 'user'][:-1]}x"),
        # Cross-site request forgery.
        "a form with its token": get("/form"),
        "the token of Tornado in a form": form(
            "/form", f"text=a&_xsrf={cookies['Tornado', 'token']}".encode(), f"Cookie: _xsrf={cookies['Tornado', '_xsrf']}"
        ),
        "the token of Squall in a header": form(
            "/form", b"text=a", f"Cookie: _xsrf={cookies['Squall', '_xsrf']}", f"X-XSRFToken: {cookies['Squall', 'token']}"
        ),
        "a form without a token": form("/form", b"text=a", f"Cookie: _xsrf={cookies['Squall', '_xsrf']}"),
        "a token of another cookie": form(
            "/form", f"_xsrf={cookies['Squall', 'token']}".encode(), f"Cookie: _xsrf={cookies['Tornado', '_xsrf']}"
        ),
        # Users.
        "a user": get("/member", f"Cookie: user={cookies['Tornado', 'user']}"),
        "GET without a user": get("/member?a=b"),
        "POST without a user": form("/member", b""),
        # Bodies.
        "JSON": get("/json"),
        "a JSON body": get("/json", "Content-Type: application/json", method="POST", body=b"17"),
        "a malformed JSON body": get("/json", "Content-Type: application/json", method="POST", body=b"{"),
        "a JSON body of another type": get("/json", "Content-Type: text/plain", method="POST", body=b"17"),
        "a multipart form": multipart(GOOD_PARTS),
        "a multipart form without its end": multipart(GOOD_PARTS[:-6]),
        "a part without a name": multipart(GOOD_PARTS.replace(b' name="title"', b"")),
        "a multipart form without a boundary": multipart(GOOD_PARTS, ""),
        # Redirections and errors.
        "a redirection": get("/redirect"),
        "a redirection behind POST": form("/redirect", b""),
        "a redirecting route": get("/moved/a%20b?x=1"),
        "HEAD of a redirecting route": get("/moved/a", method="HEAD"),
        "`HTTPError(403)`": get("/status/403"),
        "`HTTPError(499)`, which has no name": get("/status/499"),
        "a status with a reason": get("/set_status/226"),
        "a status without a body": get("/set_status/204"),
        "an exception": get("/failing"),
        "an error for a client that prefers JSON": get("/status/404", "Accept: application/json"),
        "a line break in a header": get("/injection"),
        # Entity tags and compression.
        "a known entity tag": get("/hello", 'If-None-Match: "x", "%s"' % "187408563e25c4a3a1a5d6a9fd3f9fc5b7fc5ea5"),
        "any entity tag": get("/hello", "If-None-Match: *"),
        "a long page, compressed": get("/long", "Accept-Encoding: gzip"),
        "a long page": get("/long"),
        "a short page, compressed": get("/hello", "Accept-Encoding: gzip"),
        "a page in pieces": get("/pieces"),
        "a page in pieces, compressed": get("/pieces", "Accept-Encoding: gzip"),
        "a page in pieces with HTTP/1.0": get("/pieces", version="HTTP/1.0"),
        # Files.
        "a file": get("/static/ten.txt"),
        "HEAD of a file": get("/static/ten.txt", method="HEAD"),
        "a file with a version": get("/static/ten.txt?v=1"),
        "a file of an unknown type": get("/static/data.unknown"),
        "a range": get("/static/ten.txt", "Range: bytes=2-4"),
        "the last bytes": get("/static/ten.txt", "Range: bytes=-3"),
        "a range to the end": get("/static/ten.txt", "Range: bytes=7-"),
        "a range of all": get("/static/ten.txt", "Range: bytes=0-"),
        "a range behind the end": get("/static/ten.txt", "Range: bytes=10-"),
        "several ranges": get("/static/ten.txt", "Range: bytes=0-1,4-5"),
        "a malformed range": get("/static/ten.txt", "Range: bytes=a-b"),
        "a range with a sign": get("/static/ten.txt", "Range: bytes=+1-2"),
        "HEAD with a range": get("/static/ten.txt", "Range: bytes=2-4", method="HEAD"),
        "a range of an old file": get("/static/ten.txt", "Range: bytes=2-4", 'If-Range: "old"'),
        "the file that the client has, by tag": get("/static/ten.txt", f"If-None-Match: {ETAG}"),
        "the file that the client has, by date": get("/static/ten.txt", "If-Modified-Since: Mon, 01 Jan 2024 00:00:00 GMT"),
        "an older file": get("/static/ten.txt", "If-Modified-Since: Sun, 31 Dec 2023 00:00:00 GMT"),
        "a malformed date": get("/static/ten.txt", "If-Modified-Since: yesterday"),
        "a folder": get("/static/folder/"),
        "a folder without its slash": get("/static/folder"),
        "a file with a slash": get("/static/ten.txt/"),
        "a missing file": get("/static/nothing"),
        "a path out of the folder": get("/static/../secret"),
        "an escaped path out of the folder": get("/static/%2e%2e/secret"),
        "a path with a dot": get("/static/./ten.txt"),
        "a link out of the folder": get("/static/link"),
        # Requests that are malformed.
        "no Host": b"GET /info HTTP/1.1\r\n\r\n",
        "no version": b"GET /hello\r\n\r\n",
        "a version of the future": get("/hello", version="HTTP/2.0"),
        "two Content-Lengths": get("/verbs", "Content-Length: 3", "Content-Length: 4", method="POST") + b"abcd",
        "Content-Length beside Transfer-Encoding": get("/verbs", "Content-Length: 3", "Transfer-Encoding: chunked", method="POST") + b"0\r\n\r\n",
        "a malformed chunk": get("/verbs", "Transfer-Encoding: chunked", method="POST") + b"x\r\n",
        "a folded header": get("/info", "X-Twice: 1", " 2"),
        "a long header": get("/info", "X-Long: " + 70_000 * "x"),
    }
    return raw


class Connection:
    """One connection, and the response to its first request."""

    def __init__(self, program, request, method):
        self.fields = {}
        with program.connect() as self.socket:
            self.buffer = b""
            try:
                self.socket.sendall(request)
            except ConnectionError:
                pass  # an answer may have come before
            self.read_response(method)
            self.fields["connection"] = "kept" if self.is_open() else "closed"

    def more(self):
        try:
            piece = self.socket.recv(1 << 16)
        except ConnectionError:
            piece = b""
        self.buffer += piece
        return bool(piece)

    def take_line(self):
        while b"\r\n" not in self.buffer:
            if not self.more():
                return None
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line.decode("latin-1")

    def take(self, size):
        while len(self.buffer) < size and self.more():
            pass
        assert len(self.buffer) >= size, f"only {self.buffer} of {size} bytes"
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def read_response(self, method):
        start = self.take_line()
        if start is None:
            self.fields["status"] = "no answer"
            return
        self.fields["status"] = start.removeprefix("HTTP/1.1 ").rstrip()
        headers = {}
        while line := self.take_line():
            name, _, value = line.partition(":")
            headers.setdefault(name.lower(), []).append(value.strip())
        for name in HEADERS:
            values = headers.get(name, [])
            if name != "connection" and values:
                self.fields[name] = without_secrets(" and ".join(sorted(values)))
        body = self.read_body(headers, self.fields["status"], method)
        if headers.get("content-encoding") == ["gzip"]:
            body = gzip.decompress(body)
            self.fields.pop("content-length", None)
        text = body.decode("utf-8", "backslashreplace")
        if boundary := re.search("boundary=(\\S+)", self.fields.get("content-type", "")):
            self.fields["content-type"] = self.fields["content-type"].replace(boundary[1], "(boundary)")
        self.fields["body"] = without_secrets(text) if len(text) <= 200 else f"{len(text)} characters"

    def read_body(self, headers, status, method):
        if method == "HEAD" or status[:3] in ("204", "304"):
            return b""
        if headers.get("transfer-encoding") == ["chunked"]:
            body = b""
            while size := int(self.take_line(), 16):
                body += self.take(size)
                assert self.take_line() == ""
            assert self.take_line() == ""
            return body
        if "content-length" in headers:
            return self.take(int(headers["content-length"][0]))
        while self.more():
            pass
        return self.buffer

    def is_open(self):
        """Whether the server answers another request."""
        try:
            self.socket.sendall(get("/hello"))
        except ConnectionError:
            return False
        answer = self.take_line()
        assert answer in (None, "HTTP/1.1 200 OK"), answer
        return answer is not None


def without_secrets(text):
    """Without signatures, random bytes and times of today."""
    text = re.sub(r"2\|1:0\|[^;\s\"]+", "(signed)", text)
    text = re.sub(r"2\|[0-9a-f]{8}\|[0-9a-f|]+", "(token)", text)
    return re.sub(r"\b(\w{3}, \d\d \w{3} 20(?!24)\d\d [\d:]{8} GMT)", "(date)", text)


def cookies_of(name, program):
    """A signed cookie, an XSRF cookie and a token that belongs to it."""
    sign = program.talk(get("/sign", "Connection: close")).decode()
    page = program.talk(get("/form", "Connection: close")).decode()
    return {
        (name, "user"): re.search(r'user="?([^;"]+)', sign)[1],
        (name, "_xsrf"): re.search(r'_xsrf="?([^;"]+)', page)[1],
        (name, "token"): re.search(r'value="([^"]+)"', page)[1],
    }


def make_files(folder):
    root = os.path.join(folder, "root")
    os.makedirs(os.path.join(root, "folder"))
    for name, content in (
        ("root/ten.txt", TEN),
        ("root/data.unknown", TEN),
        ("root/folder/index.html", b"<p>index"),
        ("secret", b"secret"),
    ):
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            file.write(content)
        os.utime(path, (TIME, TIME))
    os.symlink("../secret", os.path.join(root, "link"))
    return root


def differing(theirs, ours):
    """The fields that differ, without those that differ because of another."""
    fields = [field for field in sorted(theirs.keys() | ours.keys()) if theirs.get(field) != ours.get(field)]
    if "status" in fields:
        return ["status"]
    if "body" in fields:
        return [field for field in fields if field not in ("content-length", "content-type", "etag")]
    # The entity tag of a page with a new token.
    return [field for field in fields if field != "etag" or "(token)" not in theirs["body"]]


def shown(value):
    return "none" if value is None else f"`{value}`".replace("\n", "\\n").replace("|", "\\|")


def observed():
    """{(request, field): (Tornado's value, Squall's value)} of all differences, and the number of requests."""
    differences = {}
    with tempfile.TemporaryDirectory() as folder:
        root = make_files(folder)
        with Program(sys.executable, TORNADO, root) as tornado, Program(SQUALL, root) as squall:
            cookies = cookies_of("Tornado", tornado) | cookies_of("Squall", squall)
            all_requests = requests(cookies)
            for name, request in all_requests.items():
                method = request.split(b" ", 1)[0].decode()
                theirs, ours = (Connection(program, request, method).fields for program in (tornado, squall))
                for field in differing(theirs, ours):
                    values = shown(theirs.get(field)), shown(ours.get(field))
                    is_page = theirs["status"] >= "4" and field == "vary"
                    if not is_page or differences.setdefault((ERROR_PAGE, field), values) != values:
                        differences[name, field] = values
    return differences, len(all_requests)


def table():
    """{(request, field): (Tornado's value, Squall's value)} of the guide, and the rows without a reason."""
    with open(DIFFERENCES, encoding="utf-8") as page:
        section = page.read().partition(SECTION)[2].partition("\n## ")[0]
    rows, unexplained = {}, []
    for line in section.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) != 5 or cells[0] in ("request", "---"):
            continue
        rows[cells[0], cells[1]] = cells[2], cells[3]
        if not cells[4]:
            unexplained.append(line)
    return rows, unexplained


def row(key, values):
    return f"| {key[0]} | {key[1]} | {values[0]} | {values[1]} |"


class Tests:
    def __init__(self):
        self.differences, self.count = observed()
        self.rows, self.unexplained = table()

    def listed(self):
        """each difference between the responses of Tornado and of Squall is in the table of docs/differences.md"""
        assert self.count >= 60, self.count
        missing = [row(key, values) for key, values in self.differences.items() if self.rows.get(key) != values]
        assert not missing, "\n" + "\n".join(missing)

    def true(self):
        """each row of the table is a difference, and has a reason"""
        gone = [row(key, values) for key, values in self.rows.items() if self.differences.get(key) != values]
        assert self.rows and not gone + self.unexplained, "\n" + "\n".join(gone + self.unexplained)


def main():
    tap = Tap()
    reason = None
    if not has_tornado():
        reason = "python3-tornado is not installed"
    else:
        import tornado  # pylint: disable=import-outside-toplevel

        if not tornado.version.startswith(VERSION):
            reason = f"the table is for Tornado {VERSION}, and this is {tornado.version}"
    if reason:
        for test in (Tests.listed, Tests.true):
            tap.skip(test.__doc__, reason)
    else:
        tests = Tests()
        tap.run([tests.listed, tests.true])
    tap.end()


main()
