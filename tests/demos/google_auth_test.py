#!/usr/bin/env python3
"""demos/google_auth with its pretend Google: `google_auth_test.py PROGRAM`."""

import base64
import json
import re
import sys
import tempfile
import urllib.parse

from program import Program, fails
from sign_in_browser import Browser
from tap import Tap

GOOGLE_AUTH = sys.argv[1]
ARGUMENTS = (GOOGLE_AUTH, "--offline", "--port", "0", "--address", "127.0.0.1")


def home(program):
    return f"http://127.0.0.1:{program.port}/"


def signed_in(program):
    """A browser whose user has signed in as Ada, and the page it sees."""
    browser = Browser()
    page = browser.go(browser.go(home(program)).link("Ada Lovelace"))
    assert page.status == 200 and page.url == home(program), (page.status, page.url, page.body)
    return browser, page


def round_trip():
    """/ needs a sign-in, which goes to the provider and back, and shows the name (DEM-90, DEM-91)"""
    with Program(*ARGUMENTS) as program:
        browser = Browser()
        choice = browser.go(home(program))
        assert "not Google" in choice.body and "Choose who you are" in choice.body, choice.body
        assert browser.visited[1].endswith("/auth/google?next=%2F"), browser.visited
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(choice.url).query))
        assert query["scope"] == "openid profile email", query
        assert query["redirect_uri"] == f"{home(program)}auth/google", query
        assert {"state", "nonce", "code_challenge"} <= set(query) and query["code_challenge_method"] == "S256", query
        page = browser.go(choice.link("Ada Lovelace"))
        assert page.status == 200 and "<h1>Hello Ada Lovelace</h1>" in page.body, page.body
        text = browser.cookie("googledemo_user").split("|")[-2].split(":")[1]
        user = json.loads(base64.b64decode(text))
        assert user["id"] == "1815" and user["access_token"], user
        assert browser.cookie("_google_sign_in") is None
        assert user["access_token"] not in program.said, program.said
        assert program.stop() == 0, program.said


def logout():
    """/logout clears the cookie, with the token against forged requests (DEM-90)"""
    with Program(*ARGUMENTS) as program:
        browser, page = signed_in(program)
        assert browser.go(home(program) + "logout", "POST", {}).status == 403
        asked = browser.go(home(program) + "logout")
        assert "You are signed in." in asked.body and asked.field("_xsrf"), asked.body
        assert browser.cookie("googledemo_user")
        out = browser.go(home(program) + "logout", "POST", {"_xsrf": page.field("_xsrf")})
        assert out.status == 200 and "You are signed out." in out.body, out.body
        assert browser.cookie("googledemo_user") is None
        assert "Choose who you are" in browser.go(home(program)).body


def refused():
    """a user who says no, an answer of another browser and a code that is used up do not sign in"""
    with Program(*ARGUMENTS) as program:
        browser = Browser()
        page = browser.go(browser.go(home(program)).link("No, do not"))
        assert page.status == 403 and "You have not signed in." in page.body, page.body
        page = browser.request("GET", browser.go(home(program)).link("Ada Lovelace"))
        answer = page.headers["Location"]
        stranger = Browser().go(answer)
        assert stranger.status == 400 and "The sign-in has failed." in stranger.body, stranger.body
        assert browser.go(answer).status == 200
        again = browser.go(answer)
        assert again.status == 400, again.body
        # A new sign-in of the same browser, with the code of the one before.
        code = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer).query))["code"]
        fresh = browser.request("GET", browser.go(f"{home(program)}auth/google").link("Ada Lovelace")).headers["Location"]
        replayed = browser.go(re.sub(r"code=[^&]*", f"code={code}", fresh))
        assert replayed.status == 502, replayed.body
        program.wait_for(r"sign-in: the token endpoint of 127.0.0.1:\d+ answered 400: invalid_grant")


def expired():
    """an access token that has expired ends the sign-in"""
    with Program(*ARGUMENTS, "--token_lifetime", "0") as program:
        browser = Browser()
        page = browser.go(browser.go(home(program)).link("Grace Hopper"))
        assert "Your sign-in has ended." in page.body, page.body
        assert browser.cookie("googledemo_user") is None
        program.wait_for(r"userinfo: the API of 127.0.0.1:\d+ answered 401: invalid_token")


def wrong_use():
    """without its options the demo says which are missing"""
    status, said = fails(GOOGLE_AUTH, "--port", "0")
    assert status == 1 and "--google_oauth_key and --google_oauth_secret are needed" in said, (status, said)


def config_file():
    """the options may come from a file, and those after it override it (DEM-90)"""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write('google_oauth_key = "key"\ngoogle_oauth_secret = "secret"\nport = 1\n')
        file.flush()
        with Program(GOOGLE_AUTH, f"--config_file={file.name}", "--port", "0", "--address", "127.0.0.1") as program:
            page = Browser().request("GET", f"{home(program)}auth/google")
            assert page.status == 302, page.status
            query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(page.headers["Location"]).query))
            assert query["client_id"] == "key", query
            assert program.stop() == 0, program.said


tap = Tap()
tap.run([round_trip, logout, refused, expired, wrong_use, config_file])
tap.end()
