#!/usr/bin/env python3
"""The programs of the guide run and print the output in the guide: `docs_test.py PROGRAM ROOT`. The build compiles them."""

import os
import pathlib
import subprocess
import sys

from snippets import snippets, source_of
from tap import Tap

PROGRAM, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
CHAPTERS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def every_chapter_problems():
    """Chapters with C++ that are not listed in the build."""
    listed = (ROOT / "tests/docs/meson.build").read_text(encoding="utf-8")
    for path in CHAPTERS:
        name = path.relative_to(ROOT).as_posix()
        try:
            if snippets(path.read_text(encoding="utf-8")) and f"'{name}'" not in listed:
                yield f"{name} is not listed in tests/docs/meson.build"
        except ValueError as error:
            yield f"{name}: {error}"


def run_problems(name, snippet):
    environment = dict(os.environ, UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1")
    try:
        outcome = subprocess.run([PROGRAM, name], capture_output=True, text=True, timeout=60, check=False, env=environment)
    except subprocess.TimeoutExpired:
        return ["it does not end"]
    problems = [f"status {outcome.returncode}", outcome.stderr] if outcome.returncode else []
    if snippet.output is not None and outcome.stdout != snippet.output:
        problems.append(f"it prints\n{outcome.stdout}instead of\n{snippet.output}")
    return problems


def expect_error(text, part):
    try:
        source_of("x.md", text)
    except ValueError as error:
        assert part in str(error), error
    else:
        raise AssertionError(f"accepted: {text}")


def fenced(code, comment=None, language="cpp"):
    return (f"<!-- {comment} -->\n" if comment is not None else "") + f"```{language}\n{code}\n```\n"


def programs():
    """a program needs no mark, returns 0, and keeps its lines; its includes move up"""
    source = source_of("x.md", "# X\n\n" + fenced("#include <a.h>\nint main() {\n  if (x) { f(); }\n}"))
    head, line, body = source.partition('#line 4 "x.md"\n')
    assert line and "#include <a.h>" in head and "#include" not in body, source
    assert "\nint main_x_md_4() {\n  if (x) { f(); }\nreturn 0; }\n" in body, source
    assert "int main" not in source.replace("int main_x", ""), source
    assert source_of("x.md", fenced("rm -rf", language="sh")).strip() == "#include <docs/snippet.h>"


def fragments():
    """hidden code is around a fragment, on its own lines"""
    source = source_of("x.md", fenced("f();", "snippet: compile\nvoid g() {\n...\n}\n"))
    assert '#line 2 "x.md"\nvoid g() {\n#line 7 "x.md"\nf();\n#line 4 "x.md"\n}\n' in source, source
    assert "using namespace squall;" in source and "squall::testing::Snippet" not in source, source
    source = source_of("x.md", fenced("int a;", "snippet: compile") + fenced("int b;", "snippet: compile, continued"))
    assert source.count("namespace x_md_3 {") == 2, source
    assert "namespace x_md" not in source_of("x.md", fenced("int a;", "snippet: compile, global"))
    assert "nonsense" not in source_of("x.md", fenced("nonsense", "snippet: sketch"))


def mistakes():
    """a block that is neither a program nor marked, or has a wrong mark, is refused"""
    expect_error("\n" + fenced("f();"), "line 3: neither a program nor marked")
    expect_error(fenced("f();", "a comment"), "line 3: neither")
    expect_error(fenced("f();", "snippet: compile") + "\n" + fenced("f();"), "line 7: neither")
    expect_error(fenced("f();", "snippet: complie"), "line 1: `snippet: complie` is no kind of snippet")
    expect_error(fenced("f();", "snippet: compile, soon"), "is no kind of snippet")
    expect_error(fenced("f();", "snippet: run"), "line 3: only a program")
    expect_error(fenced("f();", "snippet: compile, continued"), "nothing to continue")
    expect_error(fenced("text", "snippet: output", "text"), "the output of nothing")
    expect_error(fenced("f", "snippet: compile", "sh"), "`sh` cannot be compiled")
    expect_error("```cpp\nf();\n", "line 1: a fence that does not end")
    expect_error("<!-- snippet: compile\n```cpp\n```\n", "line 1: a comment that does not end")


def outputs():
    """a program that prints something else, fails or is unknown is found"""
    text = fenced("int main() {}", "snippet: run") + "\n" + fenced("hello", "snippet: output", "text")
    (snippet,) = snippets(text)
    assert snippet.output == "hello\n", snippet.output
    assert len(run_problems("no such program", snippet)) == 3


tap = Tap()
tap.check("every chapter of the guide is compiled", list(every_chapter_problems()))
for chapter in CHAPTERS:
    for one in snippets(chapter.read_text(encoding="utf-8")):
        if one.kind == "run":
            here = f"{chapter.relative_to(ROOT).as_posix()}:{one.block.line}"
            prints = "runs" if one.output is None else "prints what the guide says"
            tap.check(f"the program at {here} {prints}", run_problems(here, one))
tap.run([programs, fragments, mistakes, outputs])
tap.end()
