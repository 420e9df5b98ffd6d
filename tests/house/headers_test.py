#!/usr/bin/env python3
"""Every header compiles alone: `headers_test.py ROOT COMPILER [ARGUMENT...]`.

The standard headers take most of the time of such a compilation, so these are precompiled. A check of the text finds a
header that uses a name of the standard library and does not include the standard header of that name.

A header that another header includes before all others of ours is compiled as if alone there, and so not once more.
"""

import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile

from sources import LIBRARY, sources
from tap import Tap

# The names of the standard library by header, as regular expressions.
NAMES = {
    "array": r"std::array\b",
    "atomic": r"std::atomic\b",
    "chrono": r"std::chrono\b",
    "concepts": r"std::(same_as|convertible_to|invocable|derived_from)\b",
    "coroutine": r"std::(coroutine_handle|suspend_always|suspend_never)\b",
    "cstddef": r"std::(size_t|byte|ptrdiff_t|max_align_t)\b",
    "cstdint": r"std::u?int\d+_t\b",
    "exception": r"std::exception(_ptr)?\b",
    "functional": r"std::(function|hash|less|greater|invoke)\b",
    "map": r"std::(multi)?map\b",
    "memory": r"std::(unique_ptr|shared_ptr|make_unique|make_shared|weak_ptr)\b",
    "mutex": r"std::(mutex|lock_guard|unique_lock|scoped_lock)\b",
    "new": r"std::(bad_alloc|nothrow)\b",
    "optional": r"std::(optional|nullopt)\b",
    "span": r"std::span\b",
    "stdexcept": r"std::(runtime_error|logic_error|invalid_argument)\b",
    "string": r"std::(string|to_string)\b",
    "string_view": r"std::string_view\b",
    "system_error": r"std::(error_code|system_error|error_category)\b",
    "tuple": r"std::(tuple|tie)\b",
    "type_traits": r"std::(is_\w+_v|enable_if_t|decay_t|invoke_result_t|conditional_t|remove_\w+_t)\b",
    "utility": r"std::(move|forward|exchange|pair|swap)\b",
    "variant": r"std::(variant|monostate)\b",
    "vector": r"std::vector\b",
}
PRECOMPILED = sorted(NAMES) + ["fmt/format.h"]


def missing_standard_headers(text):
    """The standard headers whose names a header uses without including them."""
    code = re.sub(r'"(?:[^"\\]|\\.)*"', '""', re.sub(r"//.*", "", text))
    included = set(re.findall(r"^#include <(\w+)>", text, re.MULTILINE))
    return [header for header, names in NAMES.items() if header not in included and re.search(names, code)]


def precompile(command, folder):
    """Compiles the standard headers once; returns the command that uses the result."""
    path = os.path.join(folder, "standard.h")
    with open(path, "w", encoding="utf-8") as file:
        file.write("#pragma once\n" + "".join(f"#include <{name}>\n" for name in PRECOMPILED))
    output = path + (".pch" if "clang" in " ".join(command) else ".gch")
    run = subprocess.run(command + ["-x", "c++-header", path, "-o", output], check=False, capture_output=True)
    if run.returncode:
        return command
    return command + (["-include-pch", output] if output.endswith(".pch") else ["-include", path])


def compile_alone(command, include):
    """The compiler's errors for a file that includes only this header, twice."""
    source = f"#include <{include}>\n#include <{include}>\n"
    run = subprocess.run(
        command + ["-fsyntax-only", "-x", "c++", "-"], input=source, capture_output=True, text=True, check=False
    )
    return include, run.stderr.splitlines() if run.returncode or run.stderr else []


def first_include(text):
    """The first header of ours that a header includes."""
    found = re.search(r"^#include <(squall/[^>]+)>", text, re.MULTILINE)
    return found and found[1]


def main():
    root, command = sys.argv[1], sys.argv[2:]
    command += ["-std=c++20", "-Wall", "-Wextra", "-I", os.path.join(root, "include")]
    includes = []
    firsts = set()
    missing = []
    for path, text in sources(root, LIBRARY + ["include/squall"]):
        if path.suffix == ".h":
            includes.append("squall/" + (path.name if path.parts[0] == "include" else path.as_posix()))
            firsts.add(first_include(text))
            missing += [f"{path}: uses names of <{name}>" for name in missing_standard_headers(text)]
    tap = Tap()
    tap.check("a header includes the standard headers of the names that it uses", missing)
    tap.check(
        "a header that does not is reported",
        [] if missing_standard_headers("#include <vector>\nstd::vector<int> f(std::string_view);") == ["string_view"] else ["no"],
    )
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        command = precompile(command, folder)
        alone = [include for include in includes if include not in firsts]
        for include, complaints in pool.map(lambda name: compile_alone(command, name), alone):
            tap.check(f"<{include}> compiles alone", complaints)
        tap.check("a header that does not compile is reported", [] if compile_alone(command, "squall/no_such.h")[1] else ["it was not"])
    tap.end()


main()
