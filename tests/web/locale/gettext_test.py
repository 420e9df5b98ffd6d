#!/usr/bin/env python3
"""Locales beside Python's gettext, the tools of gettext, and Tornado: `gettext_test.py PROGRAM`."""

import datetime
import gettext
import itertools
import logging
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import types
import unittest.mock

from byte_functions import ByteFunctions
from tap import Tap
from with_tornado import has_tornado

HAS_TORNADO = has_tornado()
if HAS_TORNADO:
    import tornado.locale

    logging.getLogger("tornado.general").disabled = True

# Rules as the manual of gettext and the translators of many languages write them.
RULES = """nplurals=1; plural=0;
nplurals=2; plural=n != 1;
nplurals=2; plural=n>1;
nplurals=2; plural=(n==0 || n==1);
nplurals=2; plural=n % 10 != 1 || n % 100 == 11;
nplurals=3; plural=n%10==1 && n%100!=11 ? 0 : n != 0 ? 1 : 2;
nplurals=3; plural=n==1 ? 0 : n==2 ? 1 : 2;
nplurals=3; plural=n==1 ? 0 : (n==0 || (n%100 > 0 && n%100 < 20)) ? 1 : 2;
nplurals=3; plural=n%10==1 && n%100!=11 ? 0 : n%10>=2 && (n%100<10 || n%100>=20) ? 1 : 2;
nplurals=3; plural=n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2;
nplurals=3; plural=(n==1) ? 0 : (n>=2 && n<=4) ? 1 : 2;
nplurals=3; plural=n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2;
nplurals=4; plural=n%100==1 ? 0 : n%100==2 ? 1 : n%100==3 || n%100==4 ? 2 : 3;
nplurals=4; plural=(n==1) ? 0 : (n==2) ? 1 : (n != 8 && n != 11) ? 2 : 3;
nplurals=5; plural=n==1 ? 0 : n==2 ? 1 : (n>2 && n<7) ? 2 : (n>6 && n<11) ? 3 : 4;
nplurals=6; plural=n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5;""".splitlines()

PO = r"""
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\n"
"Content-Transfer-Encoding: 8bit\n"
"Plural-Forms: nplurals=3; plural=n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2;\n"

msgid "Open"
msgstr "Открыть"

msgctxt "menu"
msgid "Open"
msgstr "Раскрыть"

msgid "one fox\nruns"
msgid_plural "%d foxes\nrun"
msgstr[0] "%d лиса"
msgstr[1] "%d лисы"
msgstr[2] "%d лис"

#, fuzzy
msgid "not sure"
msgstr "не уверен"

msgid "untranslated"
msgstr ""
"""
CSV = """February,febrero
"%(month_name)s %(day)s, %(year)s at %(time)s","%(day)s de %(month_name)s de %(year)s, %(time)s"
%(weekday)s at %(time)s,"%(weekday)s, %(time)s"
Monday,lunes
 spaced ,\u00a1s\u00ed!
1 hour ago,hace una hora,singular
%(hours)d hours ago,hace %(hours)d horas,plural
quoted,"a ""b"", c"
alone
"""
NOW = 1_710_513_000  # 2024-03-15 14:30:00
FLAGS = [" ".join(flags) for n in range(4) for flags in itertools.combinations(["absolute", "shorter", "full"], n)]


class FixedTime(datetime.datetime):
    """Tornado's clock stands still."""

    @classmethod
    def utcnow(cls):
        return cls.utcfromtimestamp(NOW)

    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(NOW, tz)


class Tests:
    def __init__(self, functions, folder):
        self.functions = functions
        self.folder = pathlib.Path(folder)
        self.source = random.Random(1)

    def forms(self, header, counts):
        """The forms as text; None for a header that is refused."""
        forms = self.functions.plural_forms(header.encode(), str(counts).encode())
        return None if forms is None else forms.decode().split()

    def rules(self):
        """the plural rules of languages choose the forms that Python's gettext chooses (LOC-04)"""
        for rule in RULES:
            of_python = gettext.c2py(rule.split("plural=", 1)[1].rstrip(";"))
            assert self.forms(rule, 1000) == [str(int(of_python(n))) for n in range(1000)], rule

    def expression(self, depth=0):
        """Some expression without subtraction, because numbers of Python may be below 0."""
        kind = self.source.randrange(6) if depth < 4 else 0
        if kind < 2:
            return self.source.choice(["n", "0", "1", "2", "7", "10", "100"])
        if kind == 2:
            # Python's gettext needs the parentheses: it writes `not`, which binds less than `!` of C.
            return "(!(" + self.expression(depth + 1) + "))"
        if kind == 3:
            return "(" + self.expression(depth + 1) + ")"
        if kind == 4:
            return "?".join([self.expression(depth + 1), self.expression(depth + 1) + ":" + self.expression(depth + 1)])
        operator = self.source.choice("|| && == != < > <= >= + * / %".split())
        text = self.expression(depth + 1) + self.source.choice(["", " "]) + operator + self.expression(depth + 1)
        # `or` and `and` of Python return one of their sides, and not 0 or 1.
        return f"(!(!({text})))" if operator in ("||", "&&") else text

    def expressions(self):
        """any expression chooses the form that Python's gettext chooses, and none where it divides by zero"""
        for _ in range(1500):
            text = self.expression()
            of_python = gettext.c2py(text)
            theirs = []
            for n in range(12):
                try:
                    form = int(of_python(n))
                except ZeroDivisionError:
                    form = 1 << 70
                theirs.append(str(form) if form < 100 else "-")
            ours = self.forms(f"nplurals=100; plural={text};", 12)
            assert ours == theirs, (text, ours, theirs)

    def malformed(self):
        """expressions that Python's gettext refuses are refused"""
        pieces = ["n", "1", "+", "(", ")", "?", ":", "&&", "!", "==", "=", "&", " ", "x", "-"]
        refused = 0
        for _ in range(1500):
            text = "".join(self.source.choice(pieces) for _ in range(self.source.randrange(1, 7)))
            try:
                gettext.c2py(text)
                is_good = True
            except ValueError:
                is_good = False
                refused += 1
            assert (self.forms(f"nplurals=2; plural={text}", 1) is not None) == is_good, text
        assert refused > 100

    def make_catalog(self, name, *options):
        """A folder with the Russian catalog, made by msgfmt."""
        root = self.folder / name
        messages = root / "ru" / "LC_MESSAGES"
        messages.mkdir(parents=True)
        (root / "ru.po").write_text(PO, encoding="utf-8")
        subprocess.run(["msgfmt", *options, "-o", messages / "shop.mo", root / "ru.po"], check=True)
        return root

    def translated(self, root, message, plural="", count=0, context="", domain="shop", code="ru"):
        arguments = [str(root), domain, code, context, message, plural, str(count)]
        return self.functions.translate(*[argument.encode() for argument in arguments]).decode()

    def ask_gettext(self, root, program, *words):
        """What the program of gettext, and so the C library, prints."""
        env = dict(os.environ, LC_ALL="C.UTF-8", LANGUAGE="ru", TEXTDOMAINDIR=str(root))
        return subprocess.run([program, "-d", "shop", *words], env=env, capture_output=True, check=True).stdout.decode()

    def catalogs(self):
        """catalogs of msgfmt, of both byte orders, give the translations of the C library (LOC-04)"""
        for name, options in {"little": ["--endianness=little"], "big": ["--endianness=big"], "plain": ["--no-hash"]}.items():
            root = self.make_catalog(name, *options)
            for message in ("Open", "not sure", "untranslated", "unknown"):
                assert self.translated(root, message) == self.ask_gettext(root, "gettext", message), message
            if name == "plain":
                continue
            for count in (0, 1, 2, 4, 5, 11, 12, 21, 22, 111, 1001):
                words = ("one fox\nruns", "%d foxes\nrun")
                assert self.translated(root, *words, count) == self.ask_gettext(root, "ngettext", *words, str(count)), count

    def contexts(self):
        """a context chooses the translation that Python's gettext chooses (LOC-06)"""
        root = self.make_catalog("contexts")
        python = gettext.translation("shop", root, languages=["ru"])
        for context in ("menu", "shop"):
            assert self.translated(root, "Open", context=context) == python.pgettext(context, "Open"), context
        for count in range(30):
            words = ("one fox\nruns", "%d foxes\nrun")
            assert self.translated(root, *words, count) == python.ngettext(*words, count), count

    def tornado_locale(self, code):
        return tornado.locale.Locale.get(code)

    def load_csv(self):
        root = self.folder / "csv"
        if not root.exists():
            root.mkdir()
            (root / "es_ES.csv").write_text(CSV, encoding="utf-8")
            for code in ("pt", "zh_CN", "en", "fr_FR"):
                (root / f"{code}.csv").write_text("a,b\n", encoding="utf-8")
        tornado.locale.load_translations(str(root))
        return root

    def csv(self):
        """CSV gives Tornado's translations (LOC-03, LOC-05)"""
        root = self.load_csv()
        theirs = self.tornado_locale("es_ES")
        for message in ("February", "spaced", "quoted", "alone", "1 hour ago", "none"):
            assert self.translated(root, message, domain="", code="es_ES") == theirs.translate(message), message
        for count in (0, 1, 2, -1):
            words = ("1 hour ago", "%(hours)d hours ago")
            assert self.translated(root, *words, count, domain="", code="es_ES") == theirs.translate(*words, count), count

    def closest(self):
        """codes lead to the locale that Tornado chooses (LOC-02)"""
        root = self.load_csv()
        parts = ["pt", "PT", "br", "zh", "cn", "Hans", "es", "ES", "en", "fr", "FR", "xx", ""]
        for _ in range(1000):
            codes = []
            for _ in range(self.source.randrange(1, 4)):
                codes.append(self.source.choice("-_").join(self.source.choice(parts) for _ in range(self.source.randrange(1, 4))))
            ours = self.functions.closest(str(root).encode(), b"", ",".join(codes).encode()).decode()
            assert ours == tornado.locale.Locale.get_closest(*codes).code, codes

    def dates(self):
        """dates of any age are those of Tornado, in all forms (LOC-20 to LOC-30)"""
        root = self.load_csv()
        fixed = types.SimpleNamespace(datetime=FixedTime, timedelta=datetime.timedelta, timezone=datetime.timezone)
        ages = [self.source.randrange(-60, 3600) for _ in range(40)] + [self.source.randrange(500 * 86400) for _ in range(80)]
        ages += [days * 86400 + more for days in (0, 1, 2, 4, 5, 333, 334) for more in (-1, 0, 1)]
        # Tornado forgets the days of a date in the future.
        ages += [-86400 - self.source.randrange(60, 80000) for _ in range(20)]
        with unittest.mock.patch.object(tornado.locale, "datetime", fixed):
            for age, flags in itertools.product(ages, FLAGS):
                code = self.source.choice(["en_US", "es_ES", "zh_CN", "en"])
                offset = self.source.choice([0, 0, 480, -345, -840])
                theirs = self.tornado_locale(code).format_date(
                    NOW - age, offset, "absolute" not in flags, "shorter" in flags, "full" in flags)
                arguments = [str(root), code, str(NOW - age), str(NOW), str(offset), flags]
                ours = self.functions.format_date(*[argument.encode() for argument in arguments]).decode()
                assert ours == theirs, (age, flags, code, offset, ours, theirs)

    def days(self):
        """days are those of Tornado (LOC-10)"""
        root = self.load_csv()
        for _ in range(300):
            code, date = self.source.choice(["en_US", "es_ES"]), self.source.randrange(1 << 31)
            offset, weekday = self.source.choice([0, 480, -840]), self.source.choice([True, False])
            theirs = self.tornado_locale(code).format_day(datetime.datetime.utcfromtimestamp(date), offset, weekday)
            arguments = [str(root), code, str(date), str(offset), "weekday" if weekday else "no"]
            assert self.functions.format_day(*[argument.encode() for argument in arguments]).decode() == theirs, (date, offset)

    def numbers_and_lists(self):
        """numbers and lists are those of Tornado (LOC-08, LOC-09)"""
        self.load_csv()
        for code in ("en_US", "fa", "pt"):
            tornado.locale.set_default_locale(code)
            theirs = self.tornado_locale(code)
            # Tornado is wrong for numbers below 0.
            for number in [0, 7, 999, 1000, 123456, 1000000] + [self.source.randrange(1 << 40) for _ in range(50)]:
                assert self.functions.friendly_number(code.encode(), str(number).encode()).decode() == theirs.friendly_number(number)
            for size in range(5):
                items = ["A", "B", "C", "D"][:size]
                assert self.functions.list(code.encode(), *[item.encode() for item in items]).decode() == theirs.list(items), items
        tornado.locale.set_default_locale("en_US")


def main():
    tap = Tap()
    with ByteFunctions(sys.argv[1]) as functions, tempfile.TemporaryDirectory() as folder:
        tests = Tests(functions, folder)
        tap.run([tests.rules, tests.expressions, tests.malformed])
        has_tools = all(shutil.which(tool) for tool in ("msgfmt", "gettext", "ngettext"))
        for test, is_possible, reason in [
            (tests.catalogs, has_tools, "gettext is not installed"),
            (tests.contexts, has_tools, "gettext is not installed"),
            (tests.csv, HAS_TORNADO, "python3-tornado is not installed"),
            (tests.closest, HAS_TORNADO, "python3-tornado is not installed"),
            (tests.dates, HAS_TORNADO, "python3-tornado is not installed"),
            (tests.days, HAS_TORNADO, "python3-tornado is not installed"),
            (tests.numbers_and_lists, HAS_TORNADO, "python3-tornado is not installed"),
        ]:
            if is_possible:
                tap.run([test])
            else:
                tap.skip(test.__doc__, reason)
    tap.end()


main()
