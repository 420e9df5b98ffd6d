#!/usr/bin/env python3
"""Includes point down: from layer to layer and, inside a layer, from room to room (docs/design.md)."""

import pathlib
import re
import sys

from sources import LIBRARY, ONLY_FOR, ROOMS, sources
from tap import Tap

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def below(layer):
    return LIBRARY[: LIBRARY.index(layer) + 1]


def may_include(path, layer):
    """Whether ONLY_FOR lets the file include a layer that lies below its own."""
    folders = ONLY_FOR.get(layer)
    return folders is None or any(path.as_posix().startswith(folder + "/") for folder in [layer, *folders])


def room_of(layer, parts):
    """The room's place in its layer's order, or None where the layer is flat or has no such room."""
    rooms = ROOMS.get(layer, [])
    return rooms.index(parts[0]) if len(parts) == 2 and parts[0] in rooms else None


def problems_of(path, text):
    """The errors of the folder and the includes of one file of the library."""
    layer = path.parts[0]
    room = room_of(layer, path.parts[1:])
    if ROOMS.get(layer) and room is None:
        yield f"{path}: is in no room of {layer} (tests/house/sources.py lists them)"
        return
    for bracket, name in INCLUDE.findall(text):
        parts = name.split("/")
        if bracket == '"':
            yield f'{path}: "{name}" must be spelled <squall/...>'
        elif parts[0] == "squall":
            if len(parts) == 2 and name != "squall/version.h":
                yield f"{path}: <{name}> is an umbrella header, for users only"
            elif len(parts) > 2 and parts[1] not in below(layer):
                yield f"{path}: <{name}> points up, from {layer} to {parts[1]}"
            elif len(parts) > 2 and not may_include(path, parts[1]):
                yield f"{path}: <{name}>: only {', '.join(ONLY_FOR[parts[1]])} may include {parts[1]} (tests/house/sources.py)"
            elif parts[1] == layer and room is not None:
                target = room_of(layer, parts[2:])
                if target is None or target > room:
                    yield f"{path}: <{name}> points up, from the room {path.parts[1]} to {parts[2]}"


def umbrella_problems(path, text):
    """An umbrella header includes its own folder and the umbrella of the one below."""
    layer = path.stem
    if layer not in LIBRARY:
        return
    for _, name in INCLUDE.findall(text):
        target = name.split("/")[1].removesuffix(".h")
        if name.startswith("squall/") and target not in below(layer):
            yield f"{path}: <{name}> points up, from {layer} to {target}"


def main():
    root = sys.argv[1]
    tap = Tap()
    for layer in LIBRARY:
        files = list(sources(root, [layer]))
        if not files:
            continue
        tap.check(
            f"each file of {layer} is in a room and includes only its own room, rooms before it and lower layers",
            [problem for path, text in files for problem in problems_of(path, text)],
        )
    tap.check(
        "an umbrella header includes nothing above its folder",
        [p for path, text in sources(root, ["include/squall"]) for p in umbrella_problems(path, text)],
    )
    # The test of the test.
    bad = {
        "http/x.h": "#include <squall/web/routing/url.h>\n",
        "iostream/x.cc": "#include <squall/http/message/headers.h>",
        "ioloop/base/z.h": '#include "ioloop/loop/task.h"',
        "ioloop/y.h": "#  include <squall/iostream.h>",
        "web/app/x.cc": "#include <squall/testing/fixture.h>",
        "http/client/x.cc": "#include <squall/redis/client.h>",
        "web/app/y.h": "#include <squall/redis/client.h>",
        "websocket/connection/x.h": "#include <squall/redis/client.h>",
        "redis/x.h": "#include <squall/http/message/url.h>",
        "iostream/tcp/x.h": "#include <squall/redis/client.h>",
        "websocket/x.h": "#include <squall/testing/fixture.h>",
        "testing/x.h": "#include <squall/web.h>",
        "testing/x.cc": '#include "support/test_loop.h"',
        "testing/y.cc": "#include <squall/tests/support/test_loop.h>",
    }
    tap.check(
        "an include that points up or to an umbrella, and a file outside the rooms, are reported",
        [name for name, text in bad.items() if not list(problems_of(pathlib.PurePath(name), text))],
    )
    good = {
        "web/app/x.h": "#include <squall/http/message/headers.h>\n#include <vector>\n",
        "ioloop/base/x.h": "#include <squall/version.h>\n",
        "redis/x.h": "#include <squall/redis/y.h>\n#include <squall/iostream/tcp/tcp_client.h>\n",
        "testing/x.h": "".join(f"#include <squall/{folder}/x.h>\n" for folder in LIBRARY),
    }
    tap.check(
        "websocket/hub may include redis, and no other folder between them",
        [folder for folder in ("websocket/hub", "testing", "redis") if not may_include(pathlib.PurePath(folder, "x.h"), "redis")]
        + [folder for folder in ("http/server", "web/app", "websocket/hubs") if may_include(pathlib.PurePath(folder, "x.h"), "redis")],
    )
    tap.check(
        "an include that points down is allowed",
        [name for name, text in good.items() if list(problems_of(pathlib.PurePath(name), text))],
    )
    umbrellas = {"web": "#include <squall/testing.h>", "http": "#include <squall/testing/fixture.h>", "iostream": "#include <squall/web.h>",
                 "redis": "#include <squall/http.h>"}
    tap.check(
        "an umbrella may include lower layers, and an include of a higher layer is reported",
        [
            *(n for n, text in umbrellas.items() if not list(umbrella_problems(pathlib.PurePath(n + ".h"), text))),
            *umbrella_problems(pathlib.PurePath("testing.h"), "#include <squall/web.h>\n#include <squall/testing/fixture.h>\n"),
        ],
    )
    tap.end()


main()
