#!/usr/bin/env python3
"""The headers that are installed, and the headers that they may include: `public_headers_test.py ROOT`.

A header is public if an umbrella header includes it, directly or through other headers, or if the documentation
tells readers to include it. The public headers are installed, and no others (include/meson.build).
"""

import pathlib
import re
import sys

from tap import Tap

INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*<([^>]+)>", re.MULTILINE)
NAMED = re.compile(r"<(squall/[^>\s]+\.h)>")
LISTED = re.compile(r"'(squall/[^']+\.h)'")
# The headers that a user's compiler finds without the packages that only the build of the library needs.
AVAILABLE = re.compile(r"[a-z_]+|(sys|netinet|arpa)/[a-z]+\.h|(fcntl|netdb|poll|sched|signal|unistd)\.h|fmt/[a-z]+\.h")


def includes_of(read, header):
    return INCLUDE.findall(read(header))


def public_headers(read, start):
    """The headers in `start`, and the headers of Squall that they include, at any depth. `read` gives a header's text."""
    found = set()
    waiting = list(start)
    while waiting:
        header = waiting.pop()
        if header not in found:
            found.add(header)
            waiting += [name for name in includes_of(read, header) if name.startswith("squall/")]
    return found


def not_available(read, headers):
    """Every include of a package that users need not have."""
    for header in sorted(headers):
        for name in includes_of(read, header):
            if not name.startswith("squall/") and not AVAILABLE.fullmatch(name):
                yield f"<{header}> includes <{name}>"


def main():
    root = pathlib.Path(sys.argv[1])

    def read(header):
        return (root / "include" / header).read_text(encoding="utf-8")

    umbrellas = {"squall/" + path.name for path in (root / "include/squall").glob("*.h")}
    pages = [root / "README.md", *(root / "docs").glob("*.md")]
    named = {name for page in pages for name in NAMED.findall(page.read_text(encoding="utf-8"))}
    public = public_headers(read, umbrellas | named)
    listing = (root / "include/meson.build").read_text(encoding="utf-8")
    listed = LISTED.findall(listing)

    tap = Tap()
    tap.check("every public header is installed", [f"include/meson.build lacks '{name}'" for name in sorted(public - set(listed))])
    tap.check("no other header is installed", [f"include/meson.build has '{name}', which is not public" for name in listed if name not in public])
    tap.check("the list of installed headers is sorted", [] if listed == sorted(set(listed)) else ["sort include/meson.build"])
    folders = [folder for folder in ("ioloop", "options", "iostream", "redis", "http", "web", "websocket", "testing") if (root / folder).is_dir()]
    tap.check(
        "no other meson.build installs headers",
        [f"{folder}/meson.build" for folder in folders if "install_headers" in (root / folder / "meson.build").read_text(encoding="utf-8")],
    )
    tap.check("no installed header includes a header that is not installed",
              [f"<{header}> includes <{name}>" for header in sorted(set(listed) & public) for name in includes_of(read, header)
               if name.startswith("squall/") and name not in listed])
    tap.check("an installed header includes only the standard library, the system and fmt", list(not_available(read, public)))

    # The test of the test.
    texts = {
        "squall/web.h": "#include <squall/web/a.h>\n#include <vector>\n",
        "squall/web/a.h": "#  include <squall/http/b.h>\n#include <fmt/format.h>\n#include <sys/socket.h>\n",
        "squall/http/b.h": "#include <llhttp.h>\n#include <openssl/ssl.h>\n#include <zlib.h>\n",
    }
    tap.check("a header that is included through another header is reported",
              [] if public_headers(texts.get, {"squall/web.h"}) == set(texts) else ["it was not"])
    bad = [problem.split()[-1] for problem in not_available(texts.get, texts)]
    tap.check("an include of a third party's header is reported", [] if bad == ["<llhttp.h>", "<openssl/ssl.h>", "<zlib.h>"] else bad)
    tap.end()


main()
