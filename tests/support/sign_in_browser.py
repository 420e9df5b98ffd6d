"""A browser for the demos of sign-in: it keeps cookies, follows links, and talks to servers of 127.0.0.1 alone."""

import html
import http.client
import http.cookies
import re
import urllib.parse


class Page:
    """A response: status, headers, body, and the URL it came from."""

    def __init__(self, url, response):
        self.url = url
        self.status = response.status
        self.headers = response.headers
        self.body = response.read().decode()

    def link(self, text):
        """The URL of the link that has the text."""
        for href, inner in re.findall(r'<a [^>]*href="([^"]*)"[^>]*>(.*?)</a>', self.body, re.DOTALL):
            if text in re.sub(r"<[^>]*>", "", html.unescape(inner)):
                return urllib.parse.urljoin(self.url, html.unescape(href))
        raise AssertionError(f"no link {text!r} in {self.url}:\n{self.body}")

    def field(self, name):
        return html.unescape(re.search(rf'name="{name}" value="([^"]*)"', self.body)[1])


class Browser:
    def __init__(self):
        self.cookies = {}  # by (host and port, name)
        self.visited = []  # every URL, in order

    def request(self, method, url, form=None):
        """One request; redirects are not followed."""
        parts = urllib.parse.urlsplit(url)
        assert parts.hostname == "127.0.0.1", url
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
        cookies = "; ".join(f"{name}={value}" for (site, name), value in self.cookies.items() if site == parts.netloc)
        headers = {"Cookie": cookies} if cookies else {}
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, body, headers)
        page = Page(url, connection.getresponse())
        connection.close()
        self.visited.append(url)
        for line in page.headers.get_all("Set-Cookie") or []:
            for name, morsel in http.cookies.SimpleCookie(line).items():
                if morsel.value and morsel["max-age"] != "0":
                    self.cookies[parts.netloc, name] = morsel.coded_value
                else:
                    self.cookies.pop((parts.netloc, name), None)
        return page

    def go(self, url, method="GET", form=None):
        """The page at the end of all redirects."""
        page = self.request(method, url, form)
        for _ in range(10):
            if page.status not in (302, 303):
                return page
            page = self.request("GET", urllib.parse.urljoin(page.url, page.headers["Location"]))
        raise AssertionError(f"too many redirects: {self.visited}")

    def cookie(self, name):
        return next((value for (_, key), value in self.cookies.items() if key == name), None)
