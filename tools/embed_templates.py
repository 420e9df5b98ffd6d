#!/usr/bin/env python3
"""Writes the files of a folder as C++, so that a program has its templates without files.

    embed_templates.py FOLDER NAME SOURCE HEADER [--depfile FILE] [--namespace NAMESPACE]

The header declares `extern const std::array<squall::web::EmbeddedTemplate, N> NAME;`, the source defines it: for
squall::web::EmbeddedTemplates. Hidden files and editors' backups are left out.
"""

import argparse
import pathlib
import sys


def files_of(folder):
    """Path beneath the folder to its bytes, sorted by the bytes of the path."""
    found = {}
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith(".") or part.endswith("~") for part in parts):
            found["/".join(parts)] = path
    return dict(sorted(found.items(), key=lambda item: item[0].encode()))


def literal(data):
    """The bytes as string literals, some hundred bytes a line."""
    lines = []
    for begin in range(0, len(data), 100):
        # Octal escapes end after three digits; hexadecimal ones would take a digit that follows.
        text = "".join(chr(b) if 32 <= b < 127 and chr(b) not in '"\\?' else f"\\{b:03o}" for b in data[begin : begin + 100])
        lines.append(f'"{text}"')
    return "\n    ".join(lines) or '""'


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("name")
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("header", type=pathlib.Path)
    parser.add_argument("--depfile", type=pathlib.Path)
    parser.add_argument("--namespace", default="")
    options = parser.parse_args()
    if not options.folder.is_dir():
        sys.exit(f"embed_templates: {options.folder} is no folder")
    files = files_of(options.folder)
    if not files:
        sys.exit(f"embed_templates: {options.folder} has no files")
    begin = f"namespace {options.namespace} {{\n" if options.namespace else ""
    end = f"}}  // namespace {options.namespace}\n" if options.namespace else ""
    array = f"std::array<squall::web::EmbeddedTemplate, {len(files)}> {options.name}"
    options.header.write_text(
        "#pragma once\n\n#include <squall/web/template/template_source.h>\n\n#include <array>\n\n"
        f"{begin}extern const {array};\n{end}",
        encoding="utf-8",
    )
    with options.source.open("w", encoding="utf-8") as out:
        out.write(f'#include "{options.header.name}"\n\nusing namespace std::string_view_literals;\n\n{begin}')
        out.write(f"const {array} = {{{{\n")
        for name, path in files.items():
            out.write(f"    {{{literal(name.encode())}sv,\n    {literal(path.read_bytes())}sv}},\n")
        out.write(f"}}}};\n{end}")
    if options.depfile:
        needed = [options.folder, *(path for path in options.folder.rglob("*") if path.is_dir()), *files.values()]
        escaped = " ".join(str(path).replace(" ", "\\ ") for path in needed)
        options.depfile.write_text(f"{options.source}: {escaped}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
