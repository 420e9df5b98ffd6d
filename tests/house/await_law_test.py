#!/usr/bin/env python3
"""GCC 12 miscompiles legal co_awaits (docs/coroutines.md): await into a named local, then use it.

A line that only looks like one of the broken forms says so behind `// lint:`, with the reason.
"""

import re
import sys

from sources import sources
from tap import Tap

BROKEN = re.compile(
    r"\b(if|while|switch)\s*\([^;)]*co_await"  # in a condition
    r"|\bdo\b.*\bwhile\s*\([^;)]*co_await"
    r"|co_await\s*\([^)]*\?"  # of a conditional expression
    r"|co_await[^;]*\[[^]]"  # with a lambda in the statement
    r"|co_await[^;]*\{"  # with a braced temporary
    r"|[A-Z_]{4,}\(.*co_await"  # in a test macro
)


def statements(text):
    """(line number, statement) for every statement with co_await, continued lines joined, comments and text cut."""
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if "co_await" not in line.replace("operator co_await", ""):
            continue
        if "// lint:" in line:
            continue
        statement = line
        following = number
        while ";" not in statement and not statement.rstrip().endswith(("{", "}")) and following < len(lines):
            statement += " " + lines[following].strip()
            following += 1
        if "// lint:" in statement:
            continue
        statement = re.sub(r'"(\\.|[^"\\])*"', '""', statement)
        statement = re.sub(r"//.*", "", statement)
        if "co_await" in statement:
            yield number, statement


def problems_of(path, text):
    return [f"{path}:{n}: {s.strip()}" for n, s in statements(text) if BROKEN.search(s)]


BAD = [
    "if (co_await f()) g();",
    "while (co_await f() > 0) {}",
    "switch (co_await f()) {",
    "} while (co_await more());",
    "if (!co_await f()) co_return;",
    "co_await (c ? f() : g());",
    "co_await run([x] { return x; });",
    "co_await f({.name = n});",
    "co_await f(Agg{s, 2});",
    'co_await f({"a", "b"});',
    "co_return R{co_await a(), 1}; co_await f(R{1});",
    "CHECK(co_await f() == 1);",
    "co_await long_call(first,\n    Options{1});",
]
GOOD = [
    "const bool more = co_await f();\nif (more) g();",
    "if (more) co_await f();",
    "for (;;) co_await moment();",
    "co_return co_await with_timeout(1s, std::move(task));",
    "const std::string line = co_await stream.read_until(delimiter, 100);",
    "// if (co_await f()) is broken\n",
    'log("if (co_await f())");',
    "co_await table[i];  // lint: an index",
]


def main():
    tap = Tap()
    tap.check(
        "co_await stands in no statement that GCC 12 miscompiles",
        [problem for path, text in sources(sys.argv[1]) for problem in problems_of(path, text)],
    )
    tap.check("each broken form is found", [text for text in BAD if not problems_of("bad", text)])
    tap.check("the safe forms are not", [text for text in GOOD if problems_of("good", text)])
    tap.end()


main()
