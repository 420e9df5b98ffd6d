#!/usr/bin/env python3
"""GCC 12 miscompiles legal co_awaits (docs/coroutines.md): await into a named local, then use it.

A statement that only looks like one of the broken forms has the reason in a comment, behind `// lint:`.
"""

import pathlib
import re
import sys

import cpp
import markdown
from sources import sources
from tap import Tap

ESCAPE = re.compile(r"//\s*lint:\s*\S")
TEST_MACRO = re.compile(r"[A-Z_][A-Z0-9_]{3,}$")


def is_await(items, i):
    return items[i].text == "co_await" and (i == 0 or items[i - 1].text != "operator")


def expressions(unit):
    """(whether it is a condition, items) of each full expression of a statement."""
    while unit:
        head = unit[0].text
        if head in ("else", "do"):
            unit = unit[1:]
        elif head in ("case", "default", "public", "protected", "private") and ":" in [item.text for item in unit]:
            unit = unit[[item.text for item in unit].index(":") + 1 :]
        elif head in ("if", "while", "switch", "for"):
            parts = next((item for item in unit if isinstance(item, cpp.Group)), None)
            if parts is None or parts.role != "()":
                break
            # if (init; condition), for (init; condition; step), for (declaration : range)
            parts_of = cpp.split(parts.items, ";")
            condition = {"for": 1 if len(parts_of) == 3 else None}.get(head, len(parts_of) - 1)
            for i, part in enumerate(parts_of):
                yield i == condition, part
            unit = unit[unit.index(parts) + 1 :]
        else:
            break
    yield False, unit


def broken_forms(is_condition, items):
    """The reason why GCC 12 would miscompile an expression with co_await."""
    found = list(cpp.walk(items))
    awaits = [path for item, path in found if is_await(path[-1][1], path[-1][2])]
    if not awaits:
        return
    if is_condition:
        yield "in a condition"
    for path in awaits:
        for _, around, i in path[:-1]:
            if around[i].role == "()" and i > 0 and TEST_MACRO.match(around[i - 1].text):
                yield "in a macro"
    for item, path in found:
        if item.text == "?" and not all(is_in_branch(awaited, path[-1]) for awaited in awaits):
            yield "beside ?:"
        elif isinstance(item, cpp.Group):
            if item.role == "capture" and item.items:
                yield "beside a capturing lambda"
            elif item.role == "binding" and ":" not in [i.text for i in items]:
                yield "into a structured binding"
            elif item.role == "braces":
                yield "with braces"


def is_in_branch(awaited, question):
    """Whether a co_await lies in one of the two branches of a conditional expression."""
    _, items, mark = question
    for _, around, i in awaited:
        if around is items:
            return i > mark and "," not in [item.text for item in items[mark:i]]
    return False


def statements(text):
    """(statement, whether it is a condition, items) of each full expression."""
    for block in cpp.blocks(cpp.parse(text)):
        for unit in cpp.units(block):
            for is_condition, items in expressions(unit):
                yield unit, is_condition, items


def problems_of(path, text):
    """path:line: what is broken, for each statement."""
    if "co_await" not in text:
        return
    lines = text.split("\n")
    escapes = {line for line, comment in cpp.comments(text) if ESCAPE.match(comment)}
    for unit, is_condition, items in statements(text):
        why = sorted(set(broken_forms(is_condition, items)))
        if why and not escapes & set(range(unit[0].line, unit[-1].last_line + 1)):
            line = next(item.line for item, _ in cpp.walk(items) if item.text == "co_await")
            yield f"{path}:{line}: co_await {', '.join(why)}: {lines[line - 1].strip()}"


def overlooked(path, text):
    """Whether the parser has failed to find the statement of a co_await."""
    there = sum(token.text == "co_await" for token in cpp.tokens(text))
    seen = sum(item.text == "co_await" for _, _, items in statements(text) for item, _ in cpp.walk(items))
    if there != seen:
        yield f"{path}: looked at {seen} of {there}"


# One form each.
BAD = [
    "if (co_await f()) g();",
    "if (co_await f()) {\n}",
    "} else if (co_await f()) {",
    "if (f(x) && co_await g()) {\n}",
    "if (first(x) &&\n    second(y) &&\n    co_await g()) {\n}",
    "if (const int n = 1; co_await f(n)) g();",
    "if constexpr (true) while (co_await f()) g();",
    "while (co_await f() > 0) {}",
    "switch (co_await f()) {",
    "do {\n  g();\n} while (co_await more());",
    "do g(); while (co_await more());",
    "for (int i = 0; co_await less(i); ++i) g();",
    "if (!co_await f()) co_return;",
    "co_await (c ? f() : g());",
    "co_await (g(x) ? f() : h());",
    "co_await f(c ? Name() : name);",
    "const int n = co_await f() ? 1 : 2;",
    "g(c ? Name() : name, co_await f());",
    "co_await run([x] { return x; });",
    "co_await run([&](int i) mutable noexcept -> std::pair<int, int> { return x; });",
    "co_await [x]() -> Task<> { co_return; }();",
    "g([x] { return x; }, co_await f());",
    "co_await f({.name = n});",
    "co_await f(Agg{s, 2});",
    "co_await f(space::Agg<int>{s, 2});",
    "co_await Op{buffer, 3};",
    'co_await f({"a", "b"});',
    "co_return R{co_await a(), 1};",
    "co_return {co_await a(), 1};",
    "R r{co_await a(), co_await b()};",
    "R r = {co_await a(), co_await b()};",
    "std::vector<int> v{co_await a()};",
    "g(R{1}, co_await f());",
    "const auto [a, b] = co_await f();",
    "auto& [a, b] = co_await f();",
    "CHECK(co_await f() == 1);",
    "REQUIRE(g(\n    co_await f()));",
    "co_await long_call(first,\n    Options{1});",
    "struct S : Base {\n  template <class T> auto f() const -> Task<T> { if (co_await g()) h(); }\n};",
    "const auto f = [x](int i) -> Task<> { while (co_await g()) h(); };",
    "spawn([](Name n) -> Task<> { co_await f({.name = n}); }(name));",
    "case 1: co_await f(Agg{1});",
    "#if ONE\nvoid f() {\n#else\nvoid g() {\n#endif\n  if (co_await f()) g();\n}",
    "co_await f(Agg{1});  // lint:",
    "g();  // lint: of another statement\nco_await f(Agg{1});",
    "const int n = 1'000; if (co_await f()) g('\\'', \"\\\"\");",
]
GOOD = [
    "const bool more = co_await f();\nif (more) g();",
    "if (more) co_await f();",
    "if (any_of(v, [x](int i) { return i == x; })) co_await f();",
    "if (const bool more = co_await f(); more) g();",
    "for (;;) co_await moment();",
    "for (const auto& [key, value] : pairs) co_await f(key);",
    "while (more) {\n  co_await f();\n}",
    "do {\n  more = co_await f();\n} while (more);",
    "co_return co_await with_timeout(1s, std::move(task));",
    "const int n = c ? co_await f(Name()) : co_await g();",
    "const int n = co_await f() + (co_await g());",
    "const std::string line = co_await stream.read_until(delimiter, 100);",
    "co_await f(Constructed(a, 2), 'x', \"{}\");",
    "co_await table[i];",
    "co_await run([](int i) { return Agg{i}; });",
    "auto function = [x] { return x; };\nco_await call(std::move(function));",
    "auto coroutine = [x](Live) -> Task<int> { co_return co_await f(); };",
    "std::vector<Task<>> v{a(), b()};\nco_await f(v);",
    "auto value = co_await f();\nauto& [a, b] = value;",
    "Waiter operator co_await() && noexcept { return Waiter{*this}; }",
    "struct S final { Task<> f(Options o = {}) { co_await g(); } int n{1}; };",
    "enum class E { a, b };\nTask<> f() { co_await g(); }",
    "S::S(int a) : a_{a}, b_(a) { f(); }\nTask<> f() { co_await g(); }",
    "CHECK(run([]() -> Task<> { co_await f(); }()));",
    "switch (n) {\n  case 1: co_await f(); break;\n  default: co_await g();\n}",
    "/* if (co_await f()) */ // if (co_await f()) is broken\n",
    "#define AWAIT if (co_await f()) \\\n  co_await g({1})\n",
    'log("if (co_await f())", R"(co_await f({1}))");',
    "co_await f({.size = n});  // lint: a trivial aggregate",
    "co_await f(first,  // lint: a trivial aggregate\n           {.size = n});",
]


def main():
    root = pathlib.Path(sys.argv[1])
    guide = [root / "README.md", *sorted((root / "docs").glob("*.md"))]
    tap = Tap()
    tap.check(
        "no statement has a co_await that GCC 12 miscompiles",
        [problem for path, text in sources(root) for problem in problems_of(path, text)],
    )
    tap.check(
        "nor does a statement of the guide",
        [
            problem
            for path in guide
            for block in markdown.blocks(path.read_text(encoding="utf-8"))
            if block.language == "cpp"
            for problem in problems_of(path.relative_to(root), "\n" * (block.line - 1) + block.text)
        ],
    )
    tap.check(
        "every co_await is checked",
        [problem for path, text in sources(root) if "co_await" in text for problem in overlooked(path, text)],
    )
    tap.check("each broken form is found", [text for text in BAD if len(list(problems_of("bad", text))) != 1])
    tap.check("no safe form is reported", [p for text in GOOD for p in problems_of("good", text)])
    tap.end()


main()
