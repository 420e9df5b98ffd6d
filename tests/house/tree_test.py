#!/usr/bin/env python3
"""Small rules of the house that a reviewer would otherwise have to check."""

import pathlib
import re
import subprocess
import sys

from sources import LIBRARY, sources
from tap import Tap


FRIEND = re.compile(r"( *)friend (?:class |struct )?[\w:<>]+;")


# The classes of a text that have more than one friend, as `line: class`. Functions do not count.
def friendly(text):
    lines = text.split("\n")
    friends = {}
    for n, line in enumerate(lines):
        found = FRIEND.match(line)
        if not found:
            continue
        indent = len(found.group(1))
        owner = next(i for i in range(n, -1, -1) if re.match(rf" {{0,{max(indent - 1, 0)}}}(?:class|struct)\b[^;]*$", lines[i]))
        friends[owner] = friends.get(owner, 0) + 1
    return [f"{owner + 1}: {lines[owner].strip()}" for owner, count in friends.items() if count > 1]


def main():
    root = pathlib.Path(sys.argv[1])
    version = sys.argv[2]
    files = list(sources(root))
    tap = Tap()
    header = (root / "include/squall/version.h").read_text(encoding="utf-8")
    tap.check(
        "the version in the headers is the version of the project",
        [] if f'kVersion = "{version}"' in header and f'kProduct = "Squall/{version}"' in header else [header],
    )
    tap.check(
        "every header begins with #pragma once",
        [f"{path}" for path, text in files if path.suffix == ".h" and not text.startswith("#pragma once\n")],
    )
    tap.check(
        "no line is longer than 110 columns",
        [f"{path}:{n}" for path, text in files for n, line in enumerate(text.split("\n"), 1) if len(line) > 110],
    )
    tap.check(
        "no file is longer than 600 lines",
        [f"{path}: {text.count(chr(10))} lines" for path, text in files if path.parts[0] != "tests" and text.count("\n") > 600],
    )
    tap.check(
        "no file has a mark for later work",
        [f"{path}: {mark}" for path, text in files for mark in re.findall(r"\b(?:TODO|FIXME|XXX)\b", text)],
    )
    tap.check(
        "no class has more than one friend",
        [f"{path}:{found}" for path, text in files for found in friendly(text)],
    )
    tap.check(
        "a class with two friends is found, and classes with one each are not",
        [f"{found}" for found in [friendly("class A {\n  friend B;\n  friend class C;\n};\n")] if found != ["1: class A {"]]
        + friendly("class A {\n  class B {\n    friend class A;\n  };\n  friend class C;\n};\nclass D {\n  friend E;\n};\n"),
    )
    tap.check(
        "no struct of options has a base class, so that all take designated initialisers",
        [f"{path}: {found}" for path, text in files for found in re.findall(r"struct \w*(?:Options|Limits|Settings) ?:.*", text)],
    )
    listed = {}
    for folder in LIBRARY:
        if (root / folder).is_dir():
            listed[folder] = (root / folder / "meson.build").read_text(encoding="utf-8")
    tap.check(
        "every source of the library is listed in its folder's meson.build",
        [
            f"{path}"
            for path, _ in files
            if path.suffix == ".cc" and path.parts[0] in listed and f"'{path.relative_to(path.parts[0])}'" not in listed[path.parts[0]]
        ],
    )
    tests = [(path, text) for path, text in files if path.parts[0] == "tests" and path.parts[1] in listed and path.name.endswith("_test.cc")]
    tap.check(
        "a test file's namespace ends with the file's name",
        [f"{path}" for path, text in tests if not re.search(rf"^namespace squall\S*{path.stem} {{$", text, re.MULTILINE)],
    )
    tracked = subprocess.run(["git", "-C", root, "ls-files", "build", "*.o", "*.a", "*.pyc"], capture_output=True, text=True, check=False)
    tap.check("no build output is in version control", tracked.stdout.split())
    tap.end()


main()
