#!/usr/bin/env python3
"""CLI11 is compiled once: `command_line_test.py ROOT`."""

import pathlib
import sys

from sources import FOLDERS, sources
from tap import Tap

OWNER = pathlib.PurePath("tools/command_line.cc")

tap = Tap()
tap.check(
    "only tools/command_line.cc includes CLI11",
    [f"{path} includes CLI11" for path, text in sources(sys.argv[1], FOLDERS) if "#include <CLI/" in text and path != OWNER],
)
tap.end()
