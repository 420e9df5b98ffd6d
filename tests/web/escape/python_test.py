#!/usr/bin/env python3
"""Squall's functions for escaping beside those of Python and of Tornado: `python_test.py PROGRAM`."""

import html
import html.entities
import random
import re
import sys
import urllib.parse

from byte_functions import ByteFunctions
from tap import Tap
from with_tornado import has_tornado

HAS_TORNADO = has_tornado()
if HAS_TORNADO:
    import tornado.escape

ROUNDS = 6000
FLAGS = [b"", b"shorten"], [b"", b' rel="nofollow" '], [b"", b"require_protocol"]
PIECES = ["http", "https", "ftp", "javascript", "www", "://", ":/", ":///", ":", "/", "//", ".", ",", "(", ")", "a", "b_c", "x-y", "-",
          "&", '"', "'", "<", ">", " ", "\n", "\x1c", "?", "!", "=", "%20", "é", "例え", "“", "。", "\u3000", "\u00a0", "\U0001f600",
          "example", "com", "0123456789", "www.", "http://", "http://a.com/", "\0", "\\", "~", "#", "@", ";", "&amp;", "abcdefgh"]


def some_text(source):
    return "".join(source.choice(PIECES) for _ in range(source.randrange(1, 24)))


def splits_a_reference(text):
    """Whether the text of a shortened link ends within a reference, as Tornado's may."""
    return any("&" in (piece := link.rsplit(">", 1)[1])[-6:] and ";" not in piece[piece.rindex("&"):] for link in text.split("...</a>")[:-1])


class Tests:
    def __init__(self, functions):
        self.functions = functions
        self.source = random.Random(1)

    def names(self):
        """each named reference of HTML becomes the same characters as in Python (ESC-02)"""
        for name, characters in html.entities.html5.items():
            assert self.functions.xhtml_unescape(f"&{name}".encode()).decode() == characters, name

    def numbers(self):
        """numeric references become the same characters as in Python (ESC-02)"""
        for number in [*range(0x300), 0xD7FF, 0xD800, 0xDFFF, 0xE000, 0xFFFD, 0x10000, 0x10FFFD, 0x110000, 1 << 40]:
            for reference in (f"&#{number};", f"&#x{number:x};", f"&#X{number:X} "):
                expected = html.unescape(reference)
                # Python drops some control characters, which the standard keeps.
                if expected.strip() or not 0 < number < 0xA0:
                    assert self.functions.xhtml_unescape(reference.encode()).decode() == expected, reference

    def unescape(self):
        """texts with references in any place are read as by Python (ESC-02)"""
        pieces = ["&", "#", "x", ";", "lt", "amp", "not", "in", "it", "frac12", "9", "60", "3c", " ", "é", "Afr", "quot", "&&", "="]
        for _ in range(ROUNDS):
            text = "".join(self.source.choice(pieces) for _ in range(self.source.randrange(1, 12)))
            found = self.functions.xhtml_unescape(text.encode()).decode()
            # Python drops some control characters, which the standard keeps.
            assert re.sub("[\x01-\x08\x0b\x0e-\x1f]", "", found) == html.unescape(text), text

    def escape(self):
        """escaped texts are those of Python (ESC-01)"""
        for _ in range(ROUNDS):
            text = some_text(self.source)
            assert self.functions.xhtml_escape(text.encode()).decode() == html.escape(text, quote=True), text

    def urls(self):
        """values of URLs are escaped and read as by Python (ESC-05, ESC-06)"""
        for _ in range(ROUNDS // 4):
            text = some_text(self.source)
            assert self.functions.url_escape(text.encode(), b"plus").decode() == urllib.parse.quote_plus(text), text
            assert self.functions.url_escape(text.encode(), b"").decode() == urllib.parse.quote(text), text
            assert self.functions.url_unescape(text.encode(), b"plus") == urllib.parse.unquote_to_bytes(text.replace("+", " ")), text
            assert self.functions.url_unescape(text.encode(), b"") == urllib.parse.unquote_to_bytes(text), text

    def links(self):
        """linkify finds the same URLs as Tornado, with all options (ESC-09, ESC-10)"""
        split = 0
        for _ in range(ROUNDS):
            text = some_text(self.source)
            shorten, params, protocol = (self.source.choice(flags) for flags in FLAGS)
            permitted = self.source.choice([["http", "https"], ["http", "ftp", "x-y"], []])
            expected = tornado.escape.linkify(text, bool(shorten), params.decode(), bool(protocol), permitted).replace("&#39;", "&#x27;")
            found = self.functions.linkify(text.encode(), shorten, params, protocol, *(name.encode() for name in permitted)).decode()
            if found != expected and shorten and splits_a_reference(expected):
                split += 1
                assert not splits_a_reference(found), (text, found)
                continue
            assert found == expected, (text, found, expected)
        assert split < ROUNDS / 20, split

    def spaces(self):
        """squeeze() does the same as Tornado's (ESC-07)"""
        for _ in range(ROUNDS // 4):
            # Tornado also removes other spaces at the ends.
            text = re.sub("[\u3000\u00a0]", "x", some_text(self.source))
            assert self.functions.squeeze(text.encode()).decode() == tornado.escape.squeeze(text), text


def main():
    tap = Tap()
    with ByteFunctions(sys.argv[1]) as functions:
        tests = Tests(functions)
        tap.run([tests.names, tests.numbers, tests.unescape, tests.escape, tests.urls])
        for test in (tests.links, tests.spaces):
            if HAS_TORNADO:
                tap.run([test])
            else:
                tap.skip(test.__doc__, "python3-tornado is not installed")
    tap.end()


main()
