#!/usr/bin/env python3
"""The application of squall_application.cc with Tornado, route by route: `tornado_application.py FOLDER`, on a free port of 127.0.0.1."""

import asyncio
import logging
import sys

import tornado.escape
import tornado.httpserver
import tornado.netutil
import tornado.web

# pylint: disable=abstract-method,arguments-differ


class OpenHandler(tornado.web.RequestHandler):
    """A handler for clients that are not browsers."""

    def check_xsrf_cookie(self):
        pass


class HelloHandler(OpenHandler):
    def get(self):
        self.write("Hello, world")


class HeadHandler(OpenHandler):
    def get(self):
        self.write("Hello, world")

    def head(self):
        self.set_header("X-Verb", "head")


class ArgumentsHandler(OpenHandler):
    def get(self):
        for value in self.get_arguments("a"):
            self.write(f"a={value}\n")
        self.write(f"b={self.get_argument('b', 'nothing')}\n")
        self.write(f"c={self.get_argument('c')}\n")

    def post(self):
        self.write(f"query={self.get_query_argument('a', 'nothing')}\n")
        self.write(f"body={self.get_body_argument('a', 'nothing')}\n")
        self.write(f"last={self.get_argument('a')}\n")


class VerbsHandler(OpenHandler):
    def post(self):
        self.write(b"POST " + self.request.body)

    def put(self):
        self.write(b"PUT " + self.request.body)

    def patch(self):
        self.write(b"PATCH " + self.request.body)

    def delete(self):
        self.write("DELETE")

    def options(self):
        self.set_status(204)


class UserHandler(OpenHandler):
    def get(self, user):
        self.write(f"user {int(user)}")


class TextHandler(OpenHandler):
    def get(self, text):
        self.write(f"<{text}>")


class DateHandler(OpenHandler):
    def get(self, year, month):
        self.write(f"year {int(year)} month {int(month) if month else 'none'}")


class CookieHandler(OpenHandler):
    def get(self):
        self.write(self.get_cookie("theme", "nothing"))
        self.set_cookie("theme", 'dark; "or" light')
        self.clear_cookie("old")


class SignHandler(OpenHandler):
    def get(self):
        self.set_secure_cookie("user", "alice")


class SignedHandler(OpenHandler):
    def get(self):
        self.write(self.get_secure_cookie("user") or b"nobody")


class FormHandler(tornado.web.RequestHandler):
    def get(self):
        self.write(self.xsrf_form_html())

    def post(self):
        self.write("posted " + self.get_argument("text", "nothing"))


class MemberHandler(OpenHandler):
    def get_current_user(self):
        return self.get_secure_cookie("user")

    @tornado.web.authenticated
    def get(self):
        self.write("member")

    @tornado.web.authenticated
    def post(self):
        self.write("member")


class JsonHandler(OpenHandler):
    def get(self):
        self.write({"count": 1, "html": "</p>"})

    def post(self):
        self.write({"count": tornado.escape.json_decode(self.request.body), "html": "</p>"})


class UploadHandler(OpenHandler):
    def post(self):
        self.write(f"title={self.get_body_argument('title', 'nothing')}\n")
        for file in self.request.files.get("file", []):
            self.write(f"{file.filename} {file.content_type} {file.body.decode()}\n")


class RedirectHandler(OpenHandler):
    def get(self):
        self.redirect("/hello?a=1#top")

    def post(self):
        self.redirect("/hello", status=303)


class StatusHandler(OpenHandler):
    def get(self, status):
        raise tornado.web.HTTPError(int(status))


class SetStatusHandler(OpenHandler):
    def get(self, status):
        self.set_status(int(status), "As <b>I</b> like")
        if status != "204":
            self.write("body")


class FailingHandler(OpenHandler):
    def get(self):
        self.write("half a page")
        self.set_header("X-Half", "1")
        raise RuntimeError("secret")


class InjectionHandler(OpenHandler):
    def get(self):
        self.set_header("X-Value", self.get_argument("value", "a\r\nb: c"))


class LongHandler(OpenHandler):
    def get(self):
        for i in range(300):
            self.write(f"line {i}\n")


class PiecesHandler(OpenHandler):
    async def get(self):
        for i in range(3):
            self.write(f"piece {i}\n")
            await self.flush()


class RequestInfoHandler(OpenHandler):
    def get(self):
        request = self.request
        self.write(f"{request.protocol} {request.host} {request.path} {request.full_url()} {request.headers.get('X-Twice', '')}")


def routes(folder):
    return [
        ("/hello", HelloHandler),
        ("/head", HeadHandler),
        ("/arguments", ArgumentsHandler),
        ("/verbs", VerbsHandler),
        (r"/users/(\d+)", UserHandler),
        ("/text/(.*)", TextHandler),
        (r"/dates/(?P<year>\d+)(?:/(?P<month>\d+))?", DateHandler),
        ("/cookie", CookieHandler),
        ("/sign", SignHandler),
        ("/signed", SignedHandler),
        ("/form", FormHandler),
        ("/member", MemberHandler),
        ("/json", JsonHandler),
        ("/upload", UploadHandler),
        ("/redirect", RedirectHandler),
        ("/moved/(.*)", tornado.web.RedirectHandler, {"url": "/text/{0}"}),
        (r"/status/(\d+)", StatusHandler),
        (r"/set_status/(\d+)", SetStatusHandler),
        ("/failing", FailingHandler),
        ("/injection", InjectionHandler),
        ("/long", LongHandler),
        ("/pieces", PiecesHandler),
        ("/info", RequestInfoHandler),
        ("/static/(.*)", tornado.web.StaticFileHandler, {"path": folder, "default_filename": "index.html"}),
    ]


async def main():
    logging.basicConfig(level=logging.INFO)
    application = tornado.web.Application(
        routes(sys.argv[1]),
        cookie_secret="the secret of both applications",
        xsrf_cookies=True,
        login_url="/login",
        compress_response=True,
    )
    sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
    server = tornado.httpserver.HTTPServer(application)
    server.add_sockets(sockets)
    print(f"Serving on port {sockets[0].getsockname()[1]}", file=sys.stderr, flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
