#!/usr/bin/env python3
"""Signed values and XSRF tokens, exchanged with Tornado in both directions: `tornado_test.py PROGRAM`."""

import logging
import random
import sys
import unittest.mock

from byte_functions import ByteFunctions
from tap import Tap
from with_tornado import has_tornado

HAS_TORNADO = has_tornado()
if HAS_TORNADO:
    import tornado.httputil
    import tornado.web

    logging.getLogger("tornado.general").disabled = True

NOW = 1_700_000_000
DAY = 86400
ROUNDS = 400
ONE = b"s3cr3t-demo-key"
SEVERAL = {0: b"zero-key", 3: b"three-key", 12: b"twelve-key"}
SECRETS = [ONE, SEVERAL]


def spelled(secrets):
    """Secrets as the program takes them."""
    return secrets if isinstance(secrets, bytes) else b";".join(b"%d=%s" % pair for pair in secrets.items())


def number(value):
    return b"" if value is None else str(value).encode()


class Tests:
    def __init__(self, functions):
        self.functions = functions
        self.source = random.Random(1)

    def some_case(self):
        """Secrets, a version, a key version, a name and a value."""
        secrets = self.source.choice(SECRETS)
        version = 2 if secrets is SEVERAL else self.source.choice([1, 2])
        key_version = self.source.choice(list(SEVERAL)) if secrets is SEVERAL else self.source.choice([None, 0, 5])
        name = self.source.choice(["user", "_xsrf", "n", "a|b", "__Host-id"])
        value = self.source.randbytes(self.source.choice([0, 1, 2, 3, 17, 300]))
        return secrets, version, key_version, name, value

    def verify(self, secrets, name, text, now=NOW, days=31, min_version=1):
        return self.functions.verify(spelled(secrets), name.encode(), text, number(now), number(days), number(min_version))

    def creates(self):
        """each signed value is the same text as Tornado's (WEB-92, WEB-94, WEB-96)"""
        for _ in range(ROUNDS):
            secrets, version, key_version, name, value = case = self.some_case()
            now = self.source.choice([0, 1, NOW, 1 << 33])
            theirs = tornado.web.create_signed_value(secrets, name, value, version, lambda now=now: now + 0.5, key_version)
            ours = self.functions.sign(spelled(secrets), name.encode(), value, number(now), number(version), number(key_version))
            assert ours == theirs, (case, ours, theirs)

    def reads(self):
        """Squall reads the values that Tornado signs, and Tornado reads those that Squall signs (WEB-95, WEB-96)"""
        for _ in range(ROUNDS):
            secrets, version, key_version, name, value = case = self.some_case()
            theirs = tornado.web.create_signed_value(secrets, name, value, version, lambda: NOW, key_version)
            assert self.verify(secrets, name, theirs) == value, case
            ours = self.functions.sign(spelled(secrets), name.encode(), value, number(NOW), number(version), number(key_version))
            assert tornado.web.decode_signed_value(secrets, name, ours, clock=lambda: NOW) == value, case

    def agrees(self):
        """Squall and Tornado refuse the same values, for their age, format, name, secret and bytes (WEB-95 to WEB-97)"""
        seen = set()
        for _ in range(4 * ROUNDS):
            secrets, version, key_version, name, value = case = self.some_case()
            text = bytearray(tornado.web.create_signed_value(secrets, name, value, version, lambda: NOW, key_version))
            if self.source.random() < 0.3:
                text[self.source.randrange(len(text))] ^= 1 << self.source.randrange(7)
            now = NOW + self.source.choice([-400, -31, -30, 0, 30, 31, 32]) * DAY + self.source.choice([-1, 0, 1])
            days, min_version = self.source.choice([0, 1, 31, 90]), self.source.choice([1, 2])
            other = self.source.choice([name, name, name, "user", "x"])
            readers = secrets if self.source.random() < 0.8 else {3: b"three-key"} if secrets is SEVERAL else b"another"
            text = bytes(text)
            try:
                theirs = tornado.web.decode_signed_value(readers, other, text, days, lambda now=now: now, min_version)
            except (AssertionError, ValueError):  # a text from a client raises these in Tornado
                theirs = None
            ours = self.verify(readers, other, text, now, days, min_version)
            assert ours == theirs, (case, other, now, days, min_version, text, ours, theirs)
            seen.add(ours is None)
        assert seen == {True, False}

    def key_versions(self):
        """the key version of a text is that which Tornado finds (WEB-98)"""
        for text in (b"2|1:0|1:1|1:n|0:|", b"2|2:17|1:1|1:n|0:|x", b"2|1:x|1:1|1:n|0:|", b"a|1|b", b"", b"2|", b"2|3:1", b"1000|1:0|"):
            theirs = tornado.web.get_signature_key_version(text)
            assert self.functions.key_version(text) == (None if theirs is None else number(theirs)), text

    def handler(self, cookie, version=2, **headers):
        """A handler of Tornado in a POST request with a cookie."""
        if cookie is not None:
            headers["Cookie"] = f"_xsrf={cookie}"
        request = tornado.httputil.HTTPServerRequest(
            "POST", "/", headers=tornado.httputil.HTTPHeaders(headers), connection=unittest.mock.Mock())
        return tornado.web.RequestHandler(tornado.web.Application(xsrf_cookie_version=version), request)

    def tokens(self):
        """Squall reads Tornado's XSRF tokens of both versions (WEB-110, WEB-111)"""
        for version in (1, 2):
            handler = self.handler(None, version)
            text = handler.xsrf_token
            assert self.functions.xsrf_bytes(text) == handler._get_raw_xsrf_token()[1], text  # pylint: disable=protected-access

    def accepts(self):
        """Tornado accepts Squall's XSRF tokens as cookies and in requests, and refuses others (WEB-104)"""
        for _ in range(20):
            token = self.source.randbytes(16)
            texts = [self.functions.xsrf_encode(token, number(NOW), version).decode() for version in (b"1", b"2", b"2")]
            for cookie in texts:
                for sent in texts:
                    self.handler(cookie, **{"X-Xsrftoken": sent}).check_xsrf_cookie()
            other = self.functions.xsrf_encode(self.source.randbytes(16), number(NOW), b"2").decode()
            try:
                self.handler(texts[1], **{"X-Xsrftoken": other}).check_xsrf_cookie()
            except tornado.web.HTTPError as error:
                assert error.status_code == 403
                continue
            raise AssertionError(f"{other} was accepted for {texts[1]}")

    def malformed(self):
        """Squall and Tornado read the same bytes from any text, or none (WEB-112, SEC-47)"""
        good = self.functions.xsrf_encode(bytes(range(16)), number(NOW), b"2").decode()
        pieces = ["2|", "1|", "01020304", "|", "justplain", "0001", "zz", "1700000000", "3|aa", "2", "02|", good]
        handler = self.handler(None)
        for _ in range(4 * ROUNDS):
            text = "".join(self.source.choice(pieces) for _ in range(self.source.randrange(1, 7)))
            theirs = handler._decode_xsrf_token(text)[1]  # pylint: disable=protected-access
            # Tornado also takes masks of other sizes, some of which fail later, tokens without bytes, and times without end.
            parts = text.split("|")
            if theirs == b"" or (parts[0] == "2" and len(parts) == 4 and (len(parts[1]) != 8 or len(parts[3]) > 10)):
                theirs = None
            assert self.functions.xsrf_bytes(text.encode()) == theirs, text


def main():
    tap = Tap()
    with ByteFunctions(sys.argv[1]) as functions:
        tests = Tests(functions)
        all_tests = [tests.creates, tests.reads, tests.agrees, tests.key_versions, tests.tokens, tests.accepts, tests.malformed]
        for test in all_tests:
            if HAS_TORNADO:
                tap.run([test])
            else:
                tap.skip(test.__doc__, "python3-tornado is not installed")
    tap.end()


main()
