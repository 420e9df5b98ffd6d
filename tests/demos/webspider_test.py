#!/usr/bin/env python3
"""demos/webspider, on small sites of local servers: `webspider_test.py PROGRAM`."""

import collections
import contextlib
import http.server
import re
import subprocess
import sys
import threading

from program import PATIENCE, fails
from tap import Tap

SPIDER = sys.argv[1]


class Site:
    """A web site, of functions that make the response to a path: a body, a status, or (status, headers, body)."""

    def __init__(self, pages):
        self.pages = pages
        self.requests = collections.Counter()
        self.lock = threading.Lock()
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):  # pylint: disable=invalid-name
                with site.lock:
                    site.requests[self.path] += 1
                page = site.pages(self.path)
                if page is None:
                    self.close_connection = True
                    return
                status, headers, body = page
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.root = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def html(text, status=200):
    return status, {"Content-Type": "text/html; charset=utf-8"}, text.encode()


def links(*targets):
    return html("".join(f'<p><a href="{target}">a link</a>' for target in targets))


def table(pages):
    """A site whose other paths are 404."""
    return lambda path: pages.get(path, html("nothing", 404))


def crawl(url, *arguments):
    """(exit status, stdout)"""
    run = subprocess.run([SPIDER, url, *arguments], capture_output=True, text=True, timeout=4 * PATIENCE, check=False)
    return run.returncode, run.stdout


def is_done(out, count):
    assert re.match(rf"Done in \d+\.\d seconds, fetched {count} URLs\.\n", out), out


def each_once():
    """each page is fetched once, also in a cycle, and whatever the form of its links"""
    pages = {
        "/site/": links("a.html", "/site/b.html", "a.html#part", "#top", "", "./sub/../a.html"),
        "/site/b.html": links("/site/", "a.html", "b.html", "?page=2"),
        "/site/b.html?page=2": links("b.html?page=2#end"),
        "/site/c/": links("..", "../a.html", "d"),
        "/site/c/d": links("/site/c/./e"),
        "/site/c/e": html("no links"),
    }
    with Site(table(pages)) as site:
        pages["/site/a.html"] = links(f"{site.root}/site/", f"{site.root.upper()}/site/c/", "a.html")
        status, out = crawl(site.root + "/site/#start")
        assert status == 0, out
        is_done(out, len(pages))
        assert site.requests == dict.fromkeys(pages, 1), site.requests


def stays_below():
    """other hosts, and pages that are not below the first page's folder, are not fetched"""
    pages = {"/site/first.html": None, "/site/away": None, "/site/back": None, "/site/inner.html": html("found")}
    with Site(table({})) as other, Site(table(pages)) as site:
        port = site.server.server_port
        pages["/site/first.html"] = links(
            other.root + "/site/", f"//localhost:{port}/site/", f"http://user@127.0.0.1:{port}/site/u",
            f"https://127.0.0.1:{port}/site/", "/", "/sitemap", "/site", "../site2/", "/site/../outside",
            f"{site.root}/site/../outside", "mailto:a@b", "javascript:alert(1)", "ftp://127.0.0.1/site/",
            "http://", "http://[", "away", "back")
        pages["/site/away"] = (302, {"Location": other.root + "/site/"}, b"")
        pages["/site/back"] = (301, {"Location": "inner.html#there"}, b"")
        status, out = crawl(site.root + "/site/first.html")
        assert status == 0, out
        is_done(out, len(pages))
        assert site.requests == dict.fromkeys(pages, 1), site.requests
        assert not other.requests, other.requests


def finds_links():
    """links are found as browsers find them, and nothing that is none"""
    found = {
        '<a href="quoted">': "quoted",
        "<a href='single'>": "single",
        "<A CLASS=x HREF=bare>": "bare",
        '<a\nhref\n=\n"lines">': "lines",
        '<a title="> <a href=no>" href="behind">': "behind",
        "<a disabled/href=slash>": "slash",
        '<a href="twice" href="no-twice">': "twice",
        '<a href="  blanks\n">': "blanks",
        '<a href="two\nlines">': "twolines",
        '<a href="and?a=1&amp;b=2">': "and?a=1&b=2",
        '<a href="copy?a=1&copy=2&amp">': "copy?a=1&copy=2&amp",
        '<a href="&#x6e;umber&#46;html">': "number.html",
        '<a href="a space">': "a%20space",
        '<a href="snow-☃">': "snow-%E2%98%83",
        '<map><area href="area"></map>': "area",
        "<!-- a --!> --><a href=comment>": "comment",
        "<!--><a href=short-comment>": "short-comment",
        "<p <a href=no-p>text</p><a href=after>": "after",
        "1 < 2 <3 <a href=less>": "less",
        "</a href=no-end><a href=end>": "end",
        "<script>'</scr' <a href=no-script></SCRIPT ><a href=script>": "script",
    }
    hidden = """<!-- <a href="no-comment"> --> <style><a href="no-style"></style> <abbr href="no-abbr">
        <link href="no-link"> <a data-href="no-data"> <a name="no-name"> <!doctype <a href=no-doctype> >
        <title><a href="no-title"></title> <textarea><a href="no-area"></textarea>
        <a href="no-end" """
    pages = dict.fromkeys(("/" + target for target in found.values()), html("found"))
    pages["/"] = html("\n".join(found) + '<a href="text.txt"><a href="based.html">' + hidden)
    pages["/text.txt"] = (200, {"Content-Type": "text/plain"}, b"<a href=no-text>")
    pages["/based.html"] = html("<base target=x><base href='/deep/er/'><base href='/no'><a href='../page'>")
    pages["/deep/page"] = html('<p>not the end: <script><a href="no">')
    with Site(table(pages)) as site:
        status, out = crawl(site.root)
        assert site.requests == dict.fromkeys(pages, 1), (set(site.requests) ^ set(pages), out)
        assert status == 0, out
        is_done(out, len(pages))


def dead_links():
    """a page that cannot be fetched is reported with the reason and the page that links to it"""
    pages = {
        "/": links("missing", "broken", "dropped", "fine", "missing"),
        "/broken": html('<a href="/never">', 500),
        "/dropped": None,
        "/fine": links("missing"),
    }
    with Site(table(pages)) as site:
        status, out = crawl(site.root + "/")
        assert status == 1, out
        is_done(out, 2)
        reports = re.findall(r"  (\S+): (.*)\n    linked from (\S+)\n", out)
        assert "\nUnable to fetch 3 URLs.\n" in out and len(reports) == 3, out
        assert reports[0] == (site.root + "/broken", "500 Internal Server Error", site.root + "/"), out
        assert reports[1][0] == site.root + "/dropped" and reports[1][1].startswith("HTTP 599: "), out
        assert reports[2] == (site.root + "/missing", "404 Not Found", site.root + "/"), out
        # An idempotent request is sent again when its connection was closed.
        assert site.requests.pop("/dropped") in (1, 2)
        assert site.requests == {"/": 1, "/broken": 1, "/missing": 1, "/fine": 1}, site.requests


def bounded():
    """as many pages as --concurrency says are fetched at the same time, and no more"""
    barrier = threading.Barrier(3)
    lock = threading.Lock()
    active = []
    most = []

    def page(path):
        if path == "/":
            return links(*(f"/{number}" for number in range(12)))
        with lock:
            active.append(path)
            most.append(len(active))
        barrier.wait(PATIENCE)
        with lock:
            active.remove(path)
        return html("a page")

    with Site(page) as site:
        status, out = crawl(site.root + "/", "--concurrency", "3")
        assert status == 0, out
        is_done(out, 13)
        assert max(most) == 3, most


def deadline():
    """the timeout and the limit of URLs end the crawl of an endless site, the timeout that of a page that does not come"""
    release = threading.Event()

    def silent(_):
        release.wait(2 * PATIENCE)
        return html("late")

    def endless(path):
        return links(*(f"/{int(path[1:] or 0) + step}" for step in (1, 2)))

    with Site(silent) as site:
        status, out = crawl(site.root, "--timeout", "0.5")
        release.set()
        line = r"Stopped in \d+\.\d seconds, fetched 0 URLs\.\nDid not reach 1 URLs\.\n"
        assert status == 1 and re.fullmatch(line, out), out
    with Site(endless) as site:
        status, out = crawl(site.root, "--max_urls", "50")
        line = r"Stopped in \d+\.\d seconds, fetched 50 URLs\.\nThere are more URLs than --max_urls\.\n"
        assert status == 1 and re.fullmatch(line, out), out
    with Site(endless) as site:
        status, out = crawl(site.root, "--timeout", "1")
        line = r"Stopped in \d+\.\d seconds, fetched \d+ URLs\.\nDid not reach [1-9]\d* URLs\.\n"
        assert status == 1 and re.fullmatch(line, out), out
        assert set(site.requests.values()) == {1}, site.requests


def wrong_use():
    """a mistake in the arguments gives one clear line, and a server that is not there a report"""
    for arguments in ([], ["--nonsense"], ["http://h/", "--concurrency", "0"], ["http://h/", "--timeout", "0"]):
        status, said = fails(SPIDER, *arguments)
        assert status == 2 and re.fullmatch(r"webspider: [^\n]+\n", said), (arguments, status, said)
    status, said = fails(SPIDER, "ftp://h/")
    assert status == 1 and re.fullmatch(r"webspider: Invalid URL 'ftp://h/': [^\n]+\n", said), said
    with Site(table({})) as site:
        pass
    status, out = crawl(site.root)
    assert status == 1, out
    is_done(out, 0)
    assert f"\nUnable to fetch 1 URLs.\n  {site.root}/: HTTP 599: Connection refused" in out, out


tap = Tap()
tap.run([each_once, stays_below, finds_links, dead_links, bounded, deadline, wrong_use])
tap.end()
