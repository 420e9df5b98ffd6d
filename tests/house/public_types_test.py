#!/usr/bin/env python3
"""docs/ names every public type: `public_types_test.py ROOT`."""

import pathlib
import re
import sys

from sources import LIBRARY
from tap import Tap

INCLUDE = re.compile(r"^#include <squall/(\w+/[^>]+)>$", re.MULTILINE)
DETAIL = re.compile(r"^namespace detail \{$.*?^\}  // namespace detail$", re.MULTILINE | re.DOTALL)
# A definition at the left margin; a declaration ends with a semicolon.
TYPE = re.compile(r"^(?:class|struct|enum class|enum)\s+(?:\[\[[^\]]*\]\]\s+)?(\w+)\b(?P<rest>[^\n]*)$", re.MULTILINE)
# Types that a program gets from a function and never names: awaiters.
UNNAMED = re.compile(r"(?:Awaiter|Owner|State|StateRef|.Promise|PromiseBase|Job|Call|ExecutorResult)$")
# Types that the header of another public type needs.
INTERNAL = {"DefaultHeaders"}


def public_types(text):
    """Names of the types that a public header defines outside of namespace detail."""
    for match in TYPE.finditer(DETAIL.sub("", text)):
        name, rest = match[1], match["rest"]
        if re.match(r"[^{]*;", rest):
            continue  # a declaration
        if rest.lstrip().startswith("<"):
            continue  # a specialisation
        if not UNNAMED.search(name) and name not in INTERNAL:
            yield name


def missing_types(headers, docs):
    """`header: Type` for each type that no chapter names."""
    for header, text in headers.items():
        for name in sorted(set(public_types(text))):
            if not re.search(rf"\b{name}\b", docs):
                yield f"{header}: {name}"


def main():
    root = pathlib.Path(sys.argv[1])
    docs = "\n".join(path.read_text(encoding="utf-8") for path in sorted((root / "docs").glob("*.md")))
    tap = Tap()
    for layer in LIBRARY:
        umbrella = root / "include/squall" / f"{layer}.h"
        if not umbrella.exists():
            continue
        headers = {name: (root / name).read_text(encoding="utf-8") for name in INCLUDE.findall(umbrella.read_text(encoding="utf-8"))}
        tap.check(f"docs/ names every type of <squall/{layer}.h>", list(missing_types(headers, docs)))
    # The test of the test.
    header = {
        "x.h": "class Named {\n};\nclass Declared;\nstruct Unnamed : Named {\n};\nclass SomeAwaiter {\n};\n"
        "namespace detail {\nclass Hidden {\n};\n}  // namespace detail\ntemplate <>\nstruct Named<int> {\n};\nenum class Kind { a };\n"
    }
    tap.check(
        "a type that no chapter names is reported",
        [] if list(missing_types(header, "`Named`, `Names`")) == ["x.h: Kind", "x.h: Unnamed"] else list(missing_types(header, "`Named`")),
    )
    tap.end()


main()
