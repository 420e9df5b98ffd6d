#!/usr/bin/env python3
"""demos/blog as its readers and its author use it: `blog_test.py PROGRAM with-postgres|without-postgres`."""

import concurrent.futures
import contextlib
import html
import http.client
import os
import pathlib
import re
import signal
import sqlite3
import sys
import tempfile
import urllib.parse
import xml.etree.ElementTree

from postgres import PASSWORD as POSTGRES_PASSWORD
from postgres import Postgres, folder_of_programs
from program import PATIENCE, Program, fails
from tap import Tap

BLOG, HAS_POSTGRES = sys.argv[1], sys.argv[2] == "with-postgres"
ARGUMENTS = (BLOG, "--port", "0", "--address", "127.0.0.1")
EMAIL, PASSWORD = "ida@example.com", "correct horse"
ATOM = "{http://www.w3.org/2005/Atom}"


class Browser:
    """A client with cookies. An answer has its status, its headers, and its text."""

    def __init__(self, program):
        self.port = program.port
        self.cookies = {}

    def request(self, method, path, fields=None):
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        body = None
        if fields is not None:
            body = urllib.parse.urlencode(fields)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.text = answer.read().decode()
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, value = line.split(";")[0].split("=", 1)
            if value.strip('"'):
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        return answer

    def get(self, path):
        return self.request("GET", path)

    def post(self, path, **fields):
        """With the token of the site's pages."""
        # Without an author the first of these pages is only the way to the second.
        for page in ("/auth/login", "/auth/create"):
            if "_xsrf" not in self.cookies:
                self.get(page)
        return self.request("POST", path, {"_xsrf": self.cookies["_xsrf"], **fields})

    def create(self, **more):
        return self.post("/auth/create", **{"name": "Ida", "email": EMAIL, "password": PASSWORD, **more})

    def login(self, **more):
        return self.post("/auth/login", **{"email": EMAIL, "password": PASSWORD, **more})

    def write(self, title, markdown="Text.", **more):
        """The path of the entry."""
        answer = self.post("/compose", title=title, markdown=markdown, **more)
        assert answer.status == 303, (answer.status, answer.text)
        return answer.headers["Location"]


class Blog:
    """A running blog with a file in a folder of its own, and the first browser."""

    def __init__(self, *more):
        self.folder = tempfile.TemporaryDirectory()
        self.file = os.path.join(self.folder.name, "blog.db")
        self.arguments = (*ARGUMENTS, "--sqlite", self.file, *more)
        self.program = Program(*self.arguments)
        self.ida = Browser(self.program)

    def restart(self):
        self.program.stop(signal.SIGKILL)
        self.program.__exit__()
        self.program = Program(*self.arguments)
        self.ida.port = self.program.port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.__exit__()
        self.folder.cleanup()


def goes_to(answer, status=302):
    assert answer.status == status, (answer.status, answer.text)
    return answer.headers["Location"]


def shows(answer, text):
    return answer.status == 200 and text in html.unescape(answer.text)


def first_author():
    """the first visitor becomes the only author, and every second one is refused (DEM-52 to DEM-54)"""
    with Blog() as blog:
        ida = blog.ida
        assert goes_to(ida.get("/")) == "/compose"
        assert goes_to(ida.get("/compose")) == "/auth/login?next=%2Fcompose"
        assert goes_to(ida.get("/auth/login?next=%2Fcompose")) == "/auth/create?next=%2Fcompose"
        assert 'name="next" value="/compose"' in ida.get("/auth/create?next=%2Fcompose").text
        for wrong in ({"name": ""}, {"name": "x" * 101}, {"email": "ida"}, {"email": "@" * 101}, {"password": "1234567"},
                      {"password": "x" * 201}):
            answer = ida.create(**wrong)
            assert answer.status == 200 and 'role="alert"' in answer.text, (wrong, answer.text)
            assert "blogdemo_user" not in ida.cookies
        assert goes_to(ida.create(next="/compose"), 303) == "/compose"
        assert re.match(r'"?2\|', ida.cookies["blogdemo_user"]), ida.cookies
        assert ida.get("/compose").status == 200
        other = Browser(blog.program)
        assert other.create(email="eve@example.com").status == 400 and other.get("/auth/create").status == 400
        assert "blogdemo_user" not in other.cookies


def two_first_authors():
    """of two visitors who become the author in the same moment, one is refused (DEM-54)"""
    with Blog() as blog:
        visitors = [Browser(blog.program) for _ in range(4)]
        for visitor in visitors:
            visitor.get("/auth/create")
        with concurrent.futures.ThreadPoolExecutor(len(visitors)) as pool:
            statuses = sorted(pool.map(lambda visitor: visitor.create().status, visitors))
        assert statuses == [303, 400, 400, 400], statuses


def sign_in():
    """a wrong mail address and a wrong password are named; signing out ends the session (DEM-53, DEM-54)"""
    with Blog() as blog:
        ida = blog.ida
        ida.create()
        assert goes_to(ida.post("/auth/logout"), 303) == "/" and "blogdemo_user" not in ida.cookies
        assert ida.get("/auth/logout").status == 405
        answer = ida.login(email='"><b>@example.com')
        assert shows(answer, "email not found") and "<b>@" not in answer.text, answer.text
        for wrong in ("correct hors", "correct horse ", "", "x" * 1000):
            answer = ida.login(password=wrong)
            assert shows(answer, "incorrect password") and f'value="{EMAIL}"' in answer.text, (wrong, answer.text)
        assert goes_to(ida.login(next="/archive?x=1"), 303) == "/archive?x=1"
        assert ida.get("/compose").status == 200
        for forged in ("1", "2|1:0|10:1700000000|13:blogdemo_user|4:MQ==|" + "0" * 64, ida.cookies["blogdemo_user"].replace("MQ", "Mg")):
            ida.cookies["blogdemo_user"] = forged
            assert goes_to(ida.get("/compose")) == "/auth/login?next=%2Fcompose", forged


def next_pages():
    """`next` leads only to pages of this site (DEM-57)"""
    with Blog() as blog:
        blog.ida.create()
        for away in ("//evil.example", "http://evil.example", "/\\evil.example", "/\t/evil.example", "evil", "javascript:alert(1)"):
            query = "?" + urllib.parse.urlencode({"next": away})
            assert blog.ida.get("/auth/login" + query).status == 400, away
            assert blog.ida.login(next=away).status == 400, away
            assert blog.ida.post("/auth/logout", next=away).status == 400, away
        assert "blogdemo_user" in blog.ida.cookies


def guesses():
    """a client that tries too many passwords must wait"""
    with Blog() as blog:
        statuses = [blog.ida.get("/auth/login").status for _ in range(31)]
        assert statuses == [302] * 30 + [429], statuses
        assert blog.ida.get("/archive").status == 200


def writing():
    """entries are written and changed by the author only; a changed entry keeps its address (DEM-52, DEM-56)"""
    with Blog() as blog:
        ida, reader = blog.ida, Browser(blog.program)
        ida.create()
        path = ida.write("First light", "    indented\n\nIt *works*.\n")
        shown = reader.get(path)
        assert path == "/entry/first-light" and "<pre><code>indented" in shown.text and "<em>works</em>" in shown.text and "by Ida" in shown.text, shown.text
        assert "/compose" not in shown.text and "/auth/login" in shown.text
        number = re.search(r'href="(/compose\?id=\d+)"', ida.get(path).text)[1]
        assert shows(ida.get(number), "\n    indented\n\nIt *works*.\n")
        assert ida.write("Second light", "It **shines**.", id=number.split("=")[1]) == path
        shown = reader.get(path).text
        assert "<h1>Second light</h1>" in shown and "<strong>shines</strong>" in shown and "works" not in shown, shown
        assert reader.post("/compose", title="x", markdown="y").status == 403
        assert goes_to(reader.get("/compose?id=1")) == "/auth/login?next=%2Fcompose%3Fid%3D1"
        for title in ("", "x" * 513):
            answer = ida.post("/compose", title=title, markdown="keep <this>")
            assert shows(answer, "the title needs 1 to 512 characters") and "keep &lt;this&gt;" in answer.text, answer.text
        ida.write("ü" * 512)
        assert ida.post("/compose", title="x", markdown="y", id="99").status == 404
        for missing in ("/compose?id=99", "/entry/none", "/entry/First-light"):
            assert ida.get(missing).status == 404, missing
        assert ida.get("/compose?id=x").status == 400
        ida.cookies["_xsrf"] = "2|aaaaaaaa|bb|1"
        assert ida.request("POST", "/compose", {"title": "x", "markdown": "y"}).status == 403


def hostile_text():
    """scripts in titles and texts are shown as text, and unsafe links lead nowhere (DEM-56, DEM-58)"""
    with Blog() as blog:
        blog.ida.create(name="<i>Ida</i>")
        script = "<script>alert('x')</script>"
        path = blog.ida.write(script + '"onload="x', f"{script}\n\ntext <b onclick=x>{script}</b>\n\n[link](javascript:alert(1)) [fine](/archive)\n")
        for page in ("/", path, "/archive", "/compose?id=1"):
            answer = blog.ida.get(page)
            assert "<script" not in answer.text and "onload=" not in answer.text.replace("&quot;onload=", ""), (page, answer.text)
            assert shows(answer, script), page
            assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        shown = blog.ida.get(path).text
        for text in ("<pre><code>&lt;script&gt;", "text &lt;b onclick=x&gt;&lt;script&gt;", '<a href="">link</a>', '<a href="/archive">fine</a>',
                     "&lt;i&gt;Ida&lt;/i&gt;"):
            assert text in shown, (text, shown)


def slugs():
    """the address of an entry is made of its title, and is unique (DEM-56)"""
    with Blog() as blog:
        blog.ida.create()
        for title, slug in (
            ("Hello, World!", "hello-world"),
            ("  Crème   brûlée – 2nd try ", "creme-brulee-2nd-try"),
            ("Straße ﬁn Ångström №5", "strasse-fin-angstrom-no5"),
            ("snake_case/and\\more?#%", "snake_case-and-more"),
            ("日本 go", "go"),
            ("日本", "entry"),
            ("!!!", "entry-2"),
            ("entry", "entry-2-2"),
            ("Entry 2", "entry-2-2-2"),
            ("a" * 300, "a" * 100),
            ("A" * 101, "a" * 98 + "-2"),
            ("a" * 102, "a" * 96 + "-2-2"),
            ("b" * 99 + " c", "b" * 99),
            ("new", "new"),
        ):
            assert blog.ida.write(title) == "/entry/" + slug, title
            assert blog.ida.get("/entry/" + slug).status == 200


def lists():
    """the home page has five entries, the feed ten, the archive all, newest first (DEM-52)"""
    with Blog("--title", "Notes & more") as blog:
        ida = blog.ida
        assert xml.etree.ElementTree.fromstring(ida.get("/feed").text).findall(ATOM + "entry") == []
        ida.create()
        for i in range(12):
            ida.write(f"Entry no {i}", "*a* & b" if i == 11 else "Text.")
        newest = [f"Entry no {i}" for i in range(11, -1, -1)]
        assert re.findall(r"Entry no \d+", ida.get("/").text) == newest[:5]
        assert re.findall(r"Entry no \d+", ida.get("/archive").text) == newest
        answer = ida.get("/feed")
        assert answer.headers["Content-Type"].startswith("application/atom+xml"), answer.headers
        feed = xml.etree.ElementTree.fromstring(answer.text)
        assert feed.findtext(ATOM + "title") == "Notes & more"
        assert [entry.findtext(ATOM + "title") for entry in feed.findall(ATOM + "entry")] == newest[:10]
        site = f"http://127.0.0.1:{blog.program.port}"
        first = feed.find(ATOM + "entry")
        assert first.find(ATOM + "link").get("href") == site + "/entry/entry-no-11" == first.findtext(ATOM + "id")
        assert first.findtext(ATOM + "content") == "<p><em>a</em> &amp; b</p>\n", answer.text
        assert first.findtext(f"{ATOM}author/{ATOM}name") == "Ida"
        for name in ("id", "updated"):
            assert feed.findtext(ATOM + name), answer.text
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", first.findtext(ATOM + "published")), answer.text
        for path in re.findall(r'(?:href|src)="(/files/[^"]+)"', ida.get("/").text):
            assert ida.get(path).status == 200, path


def tables():
    """the tables are made, and the password is kept as a slow hash (DEM-51, DEM-55)"""
    with Blog() as blog:
        blog.ida.create()
        blog.ida.write("One")
        with contextlib.closing(sqlite3.connect(blog.file)) as file:
            columns = {table: [row[1] for row in file.execute(f"PRAGMA table_info({table})")] for table in ("authors", "entries")}
            assert columns == {
                "authors": ["id", "email", "name", "hashed_password"],
                "entries": ["id", "author_id", "slug", "title", "markdown", "html", "published", "updated"],
            }, columns
            assert ["published"] in [[column[2] for column in file.execute(f"PRAGMA index_info({row[1]})")] for row in
                                     file.execute("PRAGMA index_list(entries)")]
            (hashed,) = file.execute("SELECT hashed_password FROM authors").fetchone()
        assert hashed.startswith("$y$") and len(hashed) <= 100, hashed
        assert not any(PASSWORD.encode() in path.read_bytes() for path in pathlib.Path(blog.folder.name).iterdir())


def quotes():
    """quotes in arguments stay in their values (DEM-59)"""
    with Blog() as blog:
        blog.ida.create(name="O'Hara; --")
        assert shows(blog.ida.login(email="' OR '1'='1@"), "email not found")
        assert blog.ida.get("/entry/" + urllib.parse.quote("' OR '1'='1")).status == 404
        title = "'); DROP TABLE entries; -- $1 ?"
        assert shows(blog.ida.get(blog.ida.write(title, title)), title)
        assert shows(blog.ida.get("/"), "O'Hara; --")


def killed():
    """after kill -9 the entries are there, and the author is still signed in"""
    with Blog() as blog:
        blog.ida.create()
        paths = [blog.ida.write(f"Entry {i}") for i in range(3)]
        blog.restart()
        for path in paths:
            assert blog.ida.get(path).status == 200, path
        assert blog.ida.write("Another") == "/entry/another"
        assert blog.program.stop() == 0, blog.program.said


def busy_file():
    """while a statement waits for another program, the loop serves other requests (DEM-50)"""
    with Blog() as blog, contextlib.closing(sqlite3.connect(blog.file, isolation_level=None)) as other:
        ida = blog.ida
        ida.create()
        other.execute("BEGIN IMMEDIATE")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(ida.write, "Late")
            reader = Browser(blog.program)
            # The first of these may come before the statement that waits; the last two leave while theirs waits.
            while len(re.findall("499 GET /feed ", blog.program.said)) < 2 and not waiting.done():
                with blog.program.connect() as leaves:
                    leaves.sendall(b"GET /feed HTTP/1.1\r\nHost: h\r\n\r\n")
                    assert reader.get("/files/icon.svg").status == 200
                blog.program.read_more(0.01)
            assert not waiting.done()
            other.execute("ROLLBACK")
            assert waiting.result(PATIENCE) == "/entry/late"


def errors():
    """an error of the database is a 500, which --debug explains to the reader, and the log to everybody (DEM-58)"""
    for more, is_told in ((), False), (("--debug",), True):
        with Blog(*more) as blog:
            with contextlib.closing(sqlite3.connect(blog.file)) as file:
                file.execute("DROP TABLE entries")
            answer = blog.ida.get("/")
            assert answer.status == 500 and ("no such table" in answer.text) == is_told, answer.text
            blog.program.wait_for("no such table: entries")
            assert blog.ida.get("/files/icon.svg").status == 200


def wrong_use():
    """an unknown flag, a file that cannot be opened, and a server that is not there each give one clear line"""
    status, said = fails(BLOG, "--nonsense")
    assert status == 2 and re.fullmatch(r"blog: [^\n]+\n", said), (status, said)
    with tempfile.TemporaryDirectory() as folder:
        wrong = [("--sqlite", folder, re.escape(folder))]
        wrong.append(("--postgres", f"host={folder}" if HAS_POSTGRES else "x", "PostgreSQL: " if HAS_POSTGRES else "built without libpq"))
        if HAS_POSTGRES:
            wrong.append(("--postgres", "nonsense", "PostgreSQL: "))
        for option, value, text in wrong:
            status, said = fails(*ARGUMENTS, option, value)
            assert status == 1 and re.fullmatch(f"blog: [^\n]*{text}[^\n]*\n", said), (status, said)


def in_postgres():
    """the same blog in PostgreSQL, whose locks and restarts it survives (DEM-50, DEM-51)"""
    with Postgres() as server:
        os.environ["PGPASSWORD"] = POSTGRES_PASSWORD
        with Blog("--postgres", f"host={server.folder} user=blog dbname=postgres") as blog:
            ida, reader = blog.ida, Browser(blog.program)
            assert not os.path.exists(blog.file)
            assert goes_to(ida.create(), 303) == "/" and reader.create().status == 400
            ida.post("/auth/logout")
            assert shows(ida.login(email="nobody@example.com"), "email not found") and shows(ida.login(password="wrong"), "incorrect password")
            assert ida.login().status == 303
            for title, slug in (("Grüße", "grusse"), ("Grüße", "grusse-2"), ("'); DROP TABLE entries; --", "drop-table-entries")):
                assert ida.write(title, "ä 'quoted' $1 <script>") == "/entry/" + slug
                assert shows(reader.get("/entry/" + slug), title) and shows(reader.get("/entry/" + slug), "ä 'quoted' $1 <script>")
            assert ida.write("Changed", "x" * 300000, id="1") == "/entry/grusse"
            assert reader.get("/entry/grusse").text.count("x") > 300000
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                written = sorted(pool.map(lambda _: ida.write("Same"), range(8)))
            assert written == sorted("/entry/same" + "-2" * i for i in range(8)), written
            assert len(xml.etree.ElementTree.fromstring(reader.get("/feed").text).findall(ATOM + "entry")) == 10

            # Readers wait for a lock: the loop does not, and those who leave leave no broken connection behind.
            with server.session() as psql:
                psql.stdin.write("BEGIN; LOCK TABLE entries IN ACCESS EXCLUSIVE MODE; SELECT 'locked';\n")
                psql.stdin.flush()
                assert psql.stdout.readline() == "locked\n"
                for _ in range(5):
                    with blog.program.connect() as leaves:
                        leaves.sendall(b"GET /feed HTTP/1.1\r\nHost: h\r\n\r\n")
                        assert reader.get("/files/icon.svg").status == 200
                blog.program.wait_for(r"(?s)(499 GET /feed .*){5}")
                with concurrent.futures.ThreadPoolExecutor(8) as pool:
                    waiting = [pool.submit(reader.get, "/archive") for _ in range(6)]
                    assert reader.get("/files/icon.svg").status == 200
                    assert not any(answer.done() for answer in waiting)
                    psql.stdin.write("COMMIT;\n\\q\n")
                    psql.stdin.flush()
                    assert all(shows(answer.result(PATIENCE), "Changed") for answer in waiting)

            server.stop()
            assert reader.get("/").status == 500
            server.start()
            assert shows(reader.get("/"), "Same") and ida.get("/compose").status == 200
            blog.restart()
            assert shows(ida.get("/entry/grusse"), "Changed") and ida.get("/compose").status == 200
            assert blog.program.stop() == 0, blog.program.said


tap = Tap()
tap.run([first_author, two_first_authors, sign_in, next_pages, guesses, writing, hostile_text, slugs, lists, tables, quotes, killed,
         busy_file, errors, wrong_use])
if not HAS_POSTGRES:
    tap.skip(in_postgres.__doc__, "the program was built without libpq")
elif not folder_of_programs():
    tap.skip(in_postgres.__doc__, "PostgreSQL is not installed")
else:
    tap.run([in_postgres])
tap.end()
