#!/usr/bin/env python3
"""demos/facebook with its pretend Facebook: `facebook_test.py PROGRAM`."""

import base64
import json
import sys
import urllib.parse

from program import Program, fails
from sign_in_browser import Browser
from tap import Tap

FACEBOOK = sys.argv[1]
ARGUMENTS = (FACEBOOK, "--offline", "--port", "0", "--address", "127.0.0.1")


def home(program):
    return f"http://127.0.0.1:{program.port}/"


def stream():
    """/ needs a sign-in, and shows the user's posts (DEM-80, DEM-91)"""
    with Program(*ARGUMENTS) as program:
        browser = Browser()
        choice = browser.go(home(program))
        assert "not Facebook" in choice.body, choice.body
        assert browser.visited[1].endswith("/auth/login?next=%2F"), browser.visited
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(choice.url).query))
        assert query["scope"] == "user_posts", query
        page = browser.go(choice.link("Grace Hopper"))
        assert page.status == 200 and page.url == home(program), (page.status, page.url)
        assert "<h1>Posts of Grace Hopper</h1>" in page.body and page.body.count("<article") == 2, page.body
        user = json.loads(base64.b64decode(browser.cookie("fbdemo_user").split("|")[-2].split(":")[1]))
        assert user["id"] == "1906" and user["name"] == "Grace Hopper" and user["access_token"], user
        assert user["access_token"] not in program.said, program.said
        assert program.stop() == 0, program.said


def escaped():
    """markup in a post is shown as text (DEM-81)"""
    with Program(*ARGUMENTS) as program:
        browser = Browser()
        page = browser.go(browser.go(home(program)).link("Ada Lovelace"))
        assert "&lt;script&gt;alert(1)&lt;/script&gt; into a page without escaping it &amp; test it." in page.body, page.body
        assert "<script" not in page.body


def logout():
    """/auth/logout clears the cookie, with the token against forged requests (DEM-80)"""
    with Program(*ARGUMENTS) as program:
        browser = Browser()
        page = browser.go(browser.go(home(program)).link("Ada Lovelace"))
        assert browser.go(home(program) + "auth/logout", "POST", {}).status == 403
        asked = browser.go(home(program) + "auth/logout")
        assert "You are signed in." in asked.body and asked.field("_xsrf"), asked.body
        assert browser.cookie("fbdemo_user")
        out = browser.go(home(program) + "auth/logout", "POST", {"_xsrf": page.field("_xsrf")})
        assert out.status == 200 and "You are signed out." in out.body, out.body
        assert browser.cookie("fbdemo_user") is None


def refused():
    """a user who says no, and an answer of another browser, do not sign in"""
    with Program(*ARGUMENTS) as program:
        browser = Browser()
        page = browser.go(browser.go(home(program)).link("No, do not"))
        assert page.status == 403 and "You have not signed in." in page.body, page.body
        answer = browser.request("GET", browser.go(home(program)).link("Ada Lovelace")).headers["Location"]
        assert Browser().go(answer).status == 400


def expired():
    """a session that has expired leads back to the sign-in (DEM-80)"""
    with Program(*ARGUMENTS, "--token_lifetime", "1") as program:
        browser = Browser()
        browser.go(browser.go(home(program)).link("Ada Lovelace"))
        cookie = browser.cookie("fbdemo_user")
        while True:
            page = browser.request("GET", home(program))
            if page.status == 302:
                break
            program.read_more(0.1)  # a full pipe would stop the program
        assert cookie and page.headers["Location"] == "/auth/login", page.headers
        assert browser.cookie("fbdemo_user") is None
        program.wait_for(r"/me/feed: the API of 127.0.0.1:\d+ answered 401: invalid_token")


def failed():
    """a failure of the graph is a page with the status 502, and the user stays signed in (DEM-80)"""
    with Program(*ARGUMENTS, "--feed_status", "503") as program:
        browser = Browser()
        page = browser.go(browser.go(home(program)).link("Ada Lovelace"))
        assert page.status == 502 and "Facebook does not answer." in page.body, (page.status, page.body)
        assert page.headers["Cache-Control"] == "no-store", page.headers
        assert browser.cookie("fbdemo_user")
        assert browser.go(page.link("Try again")).status == 502
        program.wait_for(r"/me/feed: the API of 127.0.0.1:\d+ answered 503: server_error: The pretend posts are away")


def wrong_use():
    """without its options the demo says which are missing (DEM-80)"""
    status, said = fails(FACEBOOK, "--port", "0")
    assert status == 1 and "--facebook_api_key and --facebook_secret are needed" in said, (status, said)


tap = Tap()
tap.run([stream, escaped, logout, refused, expired, failed, wrong_use])
tap.end()
