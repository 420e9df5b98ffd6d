"""The project's own C++ files, by the folder they live in."""

import pathlib

# The layers, and the rooms of each, in order: a file includes only its own room, rooms before it and lower layers.
# A layer without rooms is flat.
ROOMS = {
    "ioloop": ["base", "poller", "loop", "coro", "sync", "process", "reload"],
    "options": [],
    "iostream": ["address", "socket", "stream", "tls", "tcp", "process", "reload"],
    "redis": [],
    "http": ["message", "codec", "server", "client"],
    "web": ["escape", "template", "locale", "security", "handler", "routing", "output", "static", "middleware", "stock", "ui", "auth", "app", "reload"],
    "websocket": ["codec", "connection", "client", "handler", "hub"],
}
LAYERS = list(ROOMS)
# Layers that only some folders include: the layer, and these folders besides itself.
ONLY_FOR = {"options": ["testing"], "redis": ["websocket/hub", "testing"]}
# The installed folders: the layers, and above them the helpers for users' tests.
LIBRARY = LAYERS + ["testing"]
FOLDERS = LIBRARY + ["include/squall", "tests", "demos", "bench", "tools"]


def sources(root, folders=FOLDERS):
    """(path relative to root, text) of every .h and .cc file, each once. A folder may be missing."""
    root = pathlib.Path(root)
    for folder in folders:
        top = root / folder
        for path in sorted(top.rglob("*")):
            # include/squall has links to the layers: their files are visited in their own folders.
            if path.suffix in (".h", ".cc") and path.resolve() == path.absolute().parent.resolve() / path.name:
                relative = path.relative_to(root)
                if folder == "include/squall" and relative.parts[2:-1]:
                    continue
                yield relative, path.read_text(encoding="utf-8")
