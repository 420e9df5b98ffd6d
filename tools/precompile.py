#!/usr/bin/env python3
"""Precompiles a header for clang, with the flags of an object that will use it.

    precompile.py COMMANDS OBJECTS HEADER OUTPUT DEPFILE

COMMANDS is compile_commands.json; the flags are those of the first object in it whose path begins with OBJECTS. If neither
the flags nor a header has changed, OUTPUT stays as it is.
"""

import json
import os
import re
import shlex
import subprocess
import sys


def flags_of(commands, objects):
    """The compiler and its flags, without those that name files, and without a precompiled header."""
    with open(commands, encoding="utf-8") as file:
        entry = next((entry for entry in json.load(file) if entry.get("output", "").startswith(objects)), None)
    if entry is None:
        sys.exit(f"precompile.py: {commands} has no object {objects}*")
    flags = []
    words = iter(shlex.split(entry["command"]))
    for word in words:
        if word in ("-MF", "-MQ", "-o", "-c", "-include-pch"):
            next(words)
        elif word != "-MD":
            flags.append(word)
    return flags, entry["directory"]


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def is_current(output, depfile, command):
    """Whether the output was made by this command, and after the last change of each of its headers."""
    if read(output + ".command") != command or not os.path.exists(output):
        return False
    headers = re.sub(r"\\\n", " ", read(depfile)).split()[1:]
    made = os.path.getmtime(output)
    return bool(headers) and all(os.path.exists(header) and os.path.getmtime(header) <= made for header in headers)


def main():
    commands, objects, header, output, depfile = sys.argv[1:]
    flags, folder = flags_of(commands, objects)
    header, output, depfile = (os.path.abspath(path) for path in (header, output, depfile))
    os.chdir(folder)
    command = flags + ["-fpch-instantiate-templates", "-MD", "-MQ", os.path.relpath(output), "-MF", depfile]
    command += ["-x", "c++-header", header, "-o", output]
    line = shlex.join(command) + "\n"
    if is_current(output, depfile, line):
        return
    done = subprocess.run(command, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    with open(output + ".command", "w", encoding="utf-8") as file:
        file.write(line)


main()
