#!/usr/bin/env python3
"""docs/tornado.md is true and whole: `tornado_names_test.py ROOT`.

Each counterpart that its tables name is in a header of the library, and each public name of Tornado's modules is in its
tables. The names come from the Tornado of this machine; without it that half is skipped.
"""

import importlib
import inspect
import pathlib
import re
import sys

from sources import LIBRARY
from system_python import has_module
from tap import Tap

SPAN = re.compile(r"`([^`]*)`")
WORD = re.compile(r"[A-Za-z_]\w*")
MODULES = (
    "auth autoreload concurrent curl_httpclient escape gen http1connection httpclient httpserver httputil ioloop iostream locale locks "
    "log netutil options process queues routing simple_httpclient tcpclient tcpserver template testing util web websocket wsgi"
).split()
# Of Tornado's own machinery: no program calls them.
INNER = re.compile(r"^(?:configurable_base|configurable_default|initialize|doctests|DummyExecutor)$")


def rows(text):
    """The cells of each row of the tables whose columns are `Tornado` and `Squall`."""
    is_names = False
    for line in text.splitlines():
        if not line.startswith("|"):
            is_names = False
        elif re.match(r"\| (?:Tornado|`tornado\.\w+`) \| Squall \|", line):
            is_names = True
        elif is_names and not line.startswith("|---"):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def names(cell):
    return {word for span in SPAN.findall(cell) for word in WORD.findall(span)}


def missing_counterparts(text, headers):
    """`row: name` for each name of the second column that no header has."""
    known = set(WORD.findall(headers))
    for cells in rows(text):
        # A counterpart that is no C++ name has a reason in words, or is a program or an option of one.
        spans = [span for span in SPAN.findall(cells[1]) if not span.startswith(("./", "--", "squall-"))]
        for name in sorted({word for span in spans for word in WORD.findall(span)} - known):
            yield f"{cells[0]}: {name}"


def public_names(module):
    """The public functions and classes of a module, and the classes' own public functions."""
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        yield name, name
        if inspect.isclass(value):
            for member, function in vars(value).items():
                is_function = callable(function) or isinstance(function, (property, staticmethod, classmethod))
                if not member.startswith("_") and is_function:
                    yield f"{name}.{member}", member


def missing_names(text):
    """Names of Tornado that no table has; None without Tornado."""
    if not has_module("tornado"):
        return None
    named = set()
    for cells in rows(text):
        named |= names(cells[0])
    missing = []
    for module in MODULES:
        try:
            loaded = importlib.import_module(f"tornado.{module}")
        except ImportError:
            continue  # curl_httpclient needs pycurl
        for path, name in public_names(loaded):
            if name not in named and not any(INNER.match(part) for part in path.split(".")):
                missing.append(f"tornado.{module}.{path}")
    return missing


def main():
    root = pathlib.Path(sys.argv[1])
    text = (root / "docs/tornado.md").read_text(encoding="utf-8")
    headers = "\n".join(path.read_text(encoding="utf-8") for layer in (*LIBRARY, "testing") for path in sorted((root / layer).rglob("*.h")))
    missing = missing_names(text)  # may start this program again, in another interpreter
    tap = Tap()
    tap.check("each counterpart that docs/tornado.md names is in a header", list(missing_counterparts(text, headers)))
    if missing is None:
        tap.skip("docs/tornado.md has each public name of Tornado", "there is no Tornado")
    else:
        tap.check("docs/tornado.md has each public name of Tornado", missing)
    # The test of the test.
    table = "| Tornado | Squall | remark |\n|---|---|---|\n| `a` | `known(x)`, `unknown` | `other` |\n\n| x | y |\n|---|---|\n| `c` | `d` |\n"
    found = list(missing_counterparts(table, "void known(int x);"))
    tap.check("a counterpart that no header has is reported", [] if found == ["`a`: unknown"] else found or ["nothing"])
    tap.end()


main()
