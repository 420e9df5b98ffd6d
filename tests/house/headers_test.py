#!/usr/bin/env python3
"""Every header compiles alone: `headers_test.py ROOT COMPILER [ARGUMENT...]`.

The standard headers take most of the time of such a compilation, so these are precompiled. A check of the text finds a
header that uses a name of the standard library and does not include the standard header of that name.

Most headers share a compilation: one that is included in another one anyway is compiled as if alone in front of it. clang
takes half as long as GCC, so it is used if there is one.
"""

import concurrent.futures
import os
import re
import shutil
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


def compile_alone(command, chain):
    """The compiler's errors for a file that includes only these headers, twice."""
    source = "".join(f"#include <{include}>\n" for include in chain * 2)
    run = subprocess.run(
        command + ["-fsyntax-only", "-x", "c++", "-"], input=source, capture_output=True, text=True, check=False
    )
    return run.stderr.splitlines() if run.returncode or run.stderr else []


def errors_of(command, chain):
    """The errors by header. If the chain has errors, each header of it is compiled alone."""
    if not compile_alone(command, chain):
        return {include: [] for include in chain}
    return {include: compile_alone(command, [include]) for include in chain}


def closures(direct):
    """All headers of ours that a header includes, itself or by others, by header."""
    found = {}

    def closure(include):
        if include not in found:
            found[include] = set()
            for other in direct.get(include, []):
                found[include] |= {other} | closure(other)
        return found[include]

    for include in direct:
        closure(include)
    return found


def chains(included):
    """The headers in the fewest chains. Each header of a chain is among those that the next one includes, so nothing in front
    of a header hides that it lacks an include. (The chains are a matching: Dilworth's theorem.)"""
    below = {}

    def find_next(include, seen):
        for other in sorted(included):
            if include in included[other] and other not in seen:
                seen.add(other)
                if other not in below or find_next(below[other], seen):
                    below[other] = include
                    return True
        return False

    for include in sorted(included):
        find_next(include, set())
    result = []
    for include in sorted(set(included) - set(below.values())):
        chain = [include]
        while chain[0] in below:
            chain.insert(0, below[chain[0]])
        result.append(chain)
    return result


def compiler(given):
    """clang if it is installed, as it is faster; else the compiler of the build."""
    names = [name for name in ("clang++-19", "clang++") if shutil.which(name)]
    return [names[0], "-fpch-instantiate-templates"] if names else given


def main():
    root = sys.argv[1]
    command = compiler(sys.argv[2:]) + ["-std=c++20", "-Wall", "-Wextra", "-I", os.path.join(root, "include")]
    direct = {}
    missing = []
    for path, text in sources(root, LIBRARY + ["include/squall"]):
        if path.suffix == ".h":
            include = "squall/" + (path.name if path.parts[0] == "include" else path.as_posix())
            direct[include] = re.findall(r"^#include <(squall/[^>]+)>", text, re.MULTILINE)
            missing += [f"{path}: uses names of <{name}>" for name in missing_standard_headers(text)]
    tap = Tap()
    tap.check("a header includes the standard headers of the names that it uses", missing)
    tap.check(
        "a header that does not is reported",
        [] if missing_standard_headers("#include <vector>\nstd::vector<int> f(std::string_view);") == ["string_view"] else ["no"],
    )
    example = chains(closures({"a": [], "b": ["a"], "c": ["b"], "d": []}))
    tap.check("a chain has only headers that its next one includes", [] if example == [["a", "b", "c"], ["d"]] else [str(example)])
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        command = precompile(command, folder)
        for errors in pool.map(lambda chain: errors_of(command, chain), chains(closures(direct))):
            for include, complaints in errors.items():
                tap.check(f"<{include}> compiles alone", complaints)
        hidden = os.path.join(folder, "hidden.h")
        with open(hidden, "w", encoding="utf-8") as file:
            file.write("#pragma once\ninline squall::TimeSpan f();\n")
        good = "squall/ioloop/base/time_span.h"
        reported = errors_of(command + ["-I", folder], [good, "hidden.h", "squall/no_such.h"])
        expected = {good: False, "hidden.h": True, "squall/no_such.h": True}
        got = {include: bool(complaints) for include, complaints in reported.items()}
        tap.check("a header that lacks an include, or does not exist, is reported", [] if got == expected else [str(reported)])
    tap.end()


main()
