#!/usr/bin/env python3
"""demos/i18n as a browser uses it: `i18n_test.py PROGRAM FOLDER`. FOLDER is the demo's, with templates and translations."""

import pathlib
import re
import sys

from program import Program
from tap import Tap

PROGRAM = sys.argv[1]
FOLDER = pathlib.Path(sys.argv[2])
LANGUAGES = {"en": "English", "de": "Deutsch", "es": "Español", "ru": "Русский", "ar": "العربية"}
TITLES = {"en": "Harbour ferries", "de": "Hafenfähren", "es": "Transbordadores del puerto", "ru": "Портовые паромы", "ar": "عبّارات الميناء"}


def fetch(program, method="GET", path="/", body=b"", **headers):
    """The head and the body of the answer."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {len(body)}\r\n{lines}\r\n"
    answer, _, content = program.talk(head.encode() + body).partition(b"\r\n\r\n")
    return answer.decode(), content.decode()


def language_of(page):
    return re.search(r'<html lang="([\w-]+)" dir="(\w+)">', page).groups()


def gulls(page):
    """The texts of the counts."""
    return re.findall(r'class="count">\d+</span> ([^<]+)</li>', page)


class Tests:
    def __init__(self, program):
        self.program = program

    def browser(self):
        """the browser's languages choose the language of the page, and its direction"""
        for code, title in TITLES.items():
            head, page = fetch(self.program, Accept_Language=f"xx, {code}-ZZ;q=0.8, en;q=0.1")
            assert "Vary: Accept-Language" in head, head
            assert language_of(page) == (code, "rtl" if code == "ar" else "ltr"), page
            assert f"<title>{title}</title>" in page, page
        assert language_of(fetch(self.program)[1]) == ("en", "ltr")
        assert language_of(fetch(self.program, Accept_Language="zh-CN")[1]) == ("en", "ltr")

    def menu(self):
        """the menu names each language in itself, and marks the present one"""
        page = fetch(self.program, Accept_Language="de")[1]
        buttons = dict(re.findall(r'value="(\w+)" lang="\w+"[^>]*>([^<]+)</button>', page))
        assert buttons == LANGUAGES, buttons
        assert re.findall(r'value="(\w*)"[^>]* aria-current', page) == ["de", ""], page

    def choice(self):
        """a choice of the menu is kept in a cookie, before the browser's languages, until it is withdrawn"""
        page = fetch(self.program)
        token = re.search(r'name="_xsrf" value="([^"]+)"', page[1])[1]
        xsrf = re.search(r"Set-Cookie: (_xsrf=[^;\r]+)", page[0])[1]

        def choose(code, status, cookie=xsrf):
            body = f"_xsrf={token.replace('|', '%7C')}&code={code}".encode()
            form = {"Cookie": cookie, "Content_Type": "application/x-www-form-urlencoded"}
            head = fetch(self.program, "POST", "/language", body, **form)[0]
            assert head.startswith(f"HTTP/1.1 {status} "), head
            return head

        head = choose("ar", 303)
        cookie = re.search(r"Set-Cookie: (language=ar);", head)[1]
        head, page = fetch(self.program, Accept_Language="de", Cookie=cookie)
        assert language_of(page) == ("ar", "rtl"), page
        assert re.findall(r'value="(\w*)"[^>]* aria-current', page) == ["ar"], page
        assert 'Set-Cookie: language="";' in choose("", 303) or "expires=" in choose("", 303)
        choose("xx", 400)
        choose("de", 403, "_xsrf=another")

    def plurals(self):
        """counts have the plural forms of each language"""
        expected = {
            "en": ["0 gulls", "one gull", "2 gulls", "3 gulls", "5 gulls", "11 gulls", "21 gulls", "100 gulls"],
            "ru": ["0 чаек", "1 чайка", "2 чайки", "3 чайки", "5 чаек", "11 чаек", "21 чайка", "100 чаек"],
            "ar": ["لا نوارس", "نورس واحد", "نورسان", "3 نوارس", "5 نوارس", "11 نورسًا", "21 نورسًا", "100 نورس"],
        }
        for code, texts in expected.items():
            assert gulls(fetch(self.program, Accept_Language=code)[1]) == texts, code

    def dates(self):
        """dates, numbers and lists are those of the language"""
        page = fetch(self.program, Accept_Language="de")[1]
        for text in ("vor 21 Minuten", "gestern um ", "184207 Fahrgäste", "Robbeninsel, Alter Leuchtturm und Nordbucht", "noch ein Platz"):
            assert text in page, text
        page = fetch(self.program)[1]
        for text in ("21 minutes ago", "yesterday at ", "184,207 passengers", "Seal Island, the Old Lighthouse and North Bay"):
            assert text in page, text

    def contexts(self):
        """one word of English may have two translations"""
        page = fetch(self.program, Accept_Language="es")[1]
        assert "Ida y vuelta" in page and "Volver arriba" in page, page

    def complete(self):
        """each catalog has all texts of the page"""
        template = (FOLDER / "templates/index.html").read_text(encoding="utf-8")
        source = (FOLDER / "main.cc").read_text(encoding="utf-8")
        texts = set(re.findall(r"""\b_\(["']([^"']+)["']""", template))
        texts |= set(re.findall(r'(?:boat|notice)\(\s*"([^"]+)"', source))
        assert len(texts) > 15, texts
        for code in LANGUAGES:
            if code == "en":
                continue
            catalog = (FOLDER / f"translations/{code}.po").read_text(encoding="utf-8")
            missing = [text for text in texts if f'msgid "{text}"\n' not in catalog]
            assert not missing, (code, missing)
            assert 'msgstr ""' not in catalog.split("\n\n", 1)[1], code


def main():
    tap = Tap()
    with Program(PROGRAM, "--port", "0", "--address", "127.0.0.1") as program:
        tests = Tests(program)
        tap.run([tests.browser, tests.menu, tests.choice, tests.plurals, tests.dates, tests.contexts, tests.complete])
    tap.end()


main()
