#!/usr/bin/env python3
"""Makes a source of the C++ in a chapter of the guide: `snippets.py CHAPTER OUTPUT`.

Every fenced block of `cpp` is a snippet. A program, which has an `int main`, is compiled and linked unchanged.
Other snippets, and programs that must be run, have a mark in a comment directly above them, which readers of the page
do not see:

    <!-- snippet: compile -->               compiled and linked
    <!-- snippet: run -->                   also run, and ends by itself with status 0
    <!-- snippet: run, continued -->        in the same namespace as the snippet before it
    <!-- snippet: compile, global -->       in no namespace, for specialisations
    <!-- snippet: sketch -->                not compiled
    <!-- snippet: compile                   with hidden code: the dots are replaced by the block; without
    Task<> example(IOStream& stream) {      dots the block is at the end. The code can use the names of
      ...                                   namespace squall
    }
    -->
    <!-- snippet: output -->                above another block: the output of the last snippet that was run

A chapter becomes one source, to save time: each snippet has its own namespace in it, and includes move to the top.
The compiler's messages name the line of the chapter.
"""

import pathlib
import re
import sys

# Run by the build, without a PYTHONPATH.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import cpp  # pylint: disable=wrong-import-position
import markdown  # pylint: disable=wrong-import-position

INCLUDE = re.compile(r"^\s*#\s*include\s.*$", re.MULTILINE)
MAIN = re.compile(r"^int main\((?P<parameters>[^)]*)\)", re.MULTILINE)
KINDS = ("compile", "run", "sketch", "output")


class Snippet:
    def __init__(self, kind, options, hidden, block):
        self.kind, self.options, self.block = kind, options, block
        self.hidden = hidden.rstrip().split("\n") if hidden.strip() else []
        self.output = None
        self.main = MAIN.search(hidden) or MAIN.search(block.text)


def snippets(text):
    """The snippets of a chapter. Throws ValueError, with the line, for a block that breaks the rules above."""
    found = []
    last_run = None
    for block in markdown.blocks(text):
        snippet = snippet_of(block)
        if snippet is None:
            continue
        if snippet.kind == "output":
            if last_run is None:
                raise ValueError(f"line {block.line}: the output of nothing that was run")
            last_run.output = block.text
            continue
        if "continued" in snippet.options and (not found or found[-1].kind == "sketch"):
            raise ValueError(f"line {block.line}: there is nothing to continue")
        if snippet.kind == "run":
            if not snippet.main:
                raise ValueError(f"line {block.line}: only a program with `int main` can be run")
            last_run = snippet
        found.append(snippet)
    return found


def snippet_of(block):
    head, _, hidden = (block.comment or "").partition("\n")
    if not head.strip().startswith("snippet:"):
        if block.language != "cpp":
            return None
        if not MAIN.search(block.text):
            raise ValueError(f"line {block.line}: neither a program nor marked: `<!-- snippet: compile -->` or `sketch`")
        return Snippet("compile", [], "", block)
    kind, *options = [word.strip() for word in head.strip().removeprefix("snippet:").split(",")]
    unknown = [word for word in options if word not in ("continued", "global")]
    if kind not in KINDS or unknown:
        raise ValueError(f"line {block.comment_line}: `{head.strip()}` is no kind of snippet")
    if kind != "output" and block.language != "cpp":
        raise ValueError(f"line {block.line}: `{block.language}` cannot be compiled")
    return Snippet(kind, options, hidden, block)


def source_of(name, text):
    """The C++ source of a chapter."""
    includes = ["#include <docs/snippet.h>"]
    body = []
    namespace = None
    for snippet in snippets(text):
        if snippet.kind == "sketch":
            continue
        # Must differ from the names of other chapters, because all chapters are linked together.
        own_name = re.sub(r"\W", "_", f"{name}_{snippet.block.line}")
        if "continued" not in snippet.options:
            namespace = None if "global" in snippet.options else own_name
        code = with_status(code_of(snippet, name), f"main_{own_name}")
        includes += [match[0].strip() for match in INCLUDE.finditer(code)]
        body.append(f"namespace {namespace} {{" if namespace else "")
        body.append(INCLUDE.sub("", code))
        if snippet.kind == "run":
            arguments = "argc, argv" if snippet.main["parameters"].strip() else ""
            body.append(f'const squall::testing::Snippet run_{own_name}("{name}:{snippet.block.line}",')
            body.append("    []([[maybe_unused]] int argc, [[maybe_unused]] char** argv) {")
            body.append(f"      return main_{own_name}({arguments}); }});")
        body.append("}" if namespace else "")
    return "\n".join([*dict.fromkeys(includes), *body]) + "\n"


def code_of(snippet, name):
    """A snippet with its hidden code."""
    lines = []
    if snippet.hidden or not snippet.main:
        lines.append("using namespace squall;")
    dots = snippet.hidden.index("...") if "..." in snippet.hidden else len(snippet.hidden)
    for line, part in (
        (snippet.block.comment_line + 1, snippet.hidden[:dots]),
        (snippet.block.line, snippet.block.text.splitlines()),
        (snippet.block.comment_line + 1 + dots + 1, snippet.hidden[dots + 1 :]),
    ):
        lines += [f'#line {line} "{name}"', *part] if part else []
    return "\n".join(lines) + "\n"


def with_status(code, new_name):
    """The code with another name for its main(), which returns 0 at its end: only main() does by itself."""
    main = MAIN.search(code)
    if not main:
        return code
    blocks = [item for item in cpp.parse(code).items if isinstance(item, cpp.Group) and item.role == "block"]
    end = next((block.end for block in blocks if block.end and block.end > main.end()), len(code))
    return f"{code[: main.start()]}int {new_name}{code[main.start() + len('int main') : end]}return 0; {code[end:]}"


def main():
    chapter, output = map(pathlib.Path, sys.argv[1:])
    name = chapter.name if chapter.name == "README.md" else f"docs/{chapter.name}"
    try:
        source = source_of(name, chapter.read_text(encoding="utf-8"))
    except ValueError as error:
        sys.exit(f"{name}: {error}")
    output.write_text(source, encoding="utf-8")


if __name__ == "__main__":
    main()
