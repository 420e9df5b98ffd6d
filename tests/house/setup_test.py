#!/usr/bin/env python3
"""Meson's messages for missing dependencies: `setup_test.py ROOT MESON COMPILER`."""

import os
import pathlib
import subprocess
import sys
import tempfile

from tap import Tap

ROOT, MESON, COMPILER = sys.argv[1:]


def missing():
    """if dependencies are missing or too old it lists all dependencies and the command to install the missing ones"""
    with tempfile.TemporaryDirectory() as folder:
        # The only packages that pkg-config finds.
        for name, version in {"fmt": "9.1.0", "libllhttp": "8.1.1", "catch2": "3.4.0"}.items():
            text = f"Name: {name}\nDescription: {name}\nVersion: {version}\n"
            pathlib.Path(folder, name + ".pc").write_text(text, encoding="utf-8")
        environment = dict(os.environ, CXX=COMPILER, PKG_CONFIG_LIBDIR=folder, CMAKE="no-cmake")
        environment.pop("PKG_CONFIG_PATH", None)
        outcome = subprocess.run(
            [MESON, "setup", os.path.join(folder, "build"), ROOT],
            capture_output=True, text=True, timeout=300, check=False, env=environment,
        )
        said = [line.removeprefix("Message: ").strip() for line in outcome.stdout.splitlines()]
        assert outcome.returncode != 0, outcome.stdout
        for line in (
            "fmt: 9.1.0",
            "libllhttp: MISSING, >= 9.2 is needed for HTTP/1 parsing",
            "libpcre2-8: MISSING, >= 10.30 is needed for routes",
            "openssl: MISSING, >= 3.0 is needed for TLS",
            "zlib: MISSING, >= 1.2.11 is needed for compressed bodies",
            "catch2: 3.4.0",
            "Debian:  sudo apt install libllhttp-dev libpcre2-dev libssl-dev zlib1g-dev",
            "Fedora:  sudo dnf install llhttp-devel pcre2-devel openssl-devel zlib-devel",
            "macOS:   brew install llhttp pcre2 openssl@3 zlib",
        ):
            assert line in said, f"the output does not have {line!r}, but:\n{outcome.stdout}"
        error = "missing: libllhttp >= 9.2, libpcre2-8 >= 10.30, openssl >= 3.0, zlib >= 1.2.11"
        assert any(line.endswith(error) for line in said), outcome.stdout


tap = Tap()
tap.run([missing])
tap.end()
