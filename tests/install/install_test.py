#!/usr/bin/env python3
"""Squall as users get it: installed into an empty folder, found by pkg-config, by CMake and as a Meson subproject.

install_test.py ROOT BUILD PREFIX LIBDIR LIBRARY OPTIMIZATION MESON COMPILER [ARGUMENT...]
"""

import glob
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

from program import Program
from tap import Tap

ROOT, BUILD, PREFIX, LIBDIR, LIBRARY, OPTIMIZATION, MESON = sys.argv[1:8]
COMPILER = sys.argv[8:]
PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "program")
REQUEST = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
IS_STATIC = LIBRARY.endswith(".a")
# A stripped hello with libsquall.a in it; the other libraries are shared.
MOST_BYTES = 470_000
# The headers of packages that a user of an installed Squall need not have. Those of OpenSSL are found by pkg-config.
FOREIGN = ["llhttp.h", "pcre2.h", "zlib.h", "zconf.h", "ares.h", "curl/curl.h", "brotli/decode.h", "brotli/encode.h", "zstd.h"]

temporary = tempfile.TemporaryDirectory()
work = pathlib.Path(temporary.name)
destination = work / "destination"
prefix = pathlib.Path(str(destination) + PREFIX)
libdir = prefix / LIBDIR


def run(*command, **more):
    """The output of a command. If the command fails, the exception has all of its output."""
    outcome = subprocess.run(
        [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=240, **more
    )
    assert outcome.returncode == 0, f"{shlex.join(map(str, command))} gave {outcome.returncode}:\n{outcome.stdout}"
    return outcome.stdout


def pkg_config(*arguments):
    environment = dict(os.environ, PKG_CONFIG_PATH=str(libdir / "pkgconfig"))
    # The prefix was moved from its final place to a folder of the test.
    return run("pkg-config", f"--define-variable=prefix={prefix}", *arguments, "squall", env=environment).split()


def greets(program):
    """A hello program answers, with the libraries of the prefix."""
    os.environ["LD_LIBRARY_PATH"] = str(libdir)
    with Program(str(program)) as server:
        answer = server.talk(REQUEST)
        assert answer.endswith(b"\r\n\r\nHello, world\n"), answer


def install():
    """an empty prefix gets the library, the public headers and no others"""
    run(MESON, "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", destination, "--tags", "devel,runtime")
    assert (libdir / os.path.basename(LIBRARY)).exists(), list(libdir.iterdir())
    listed = re.findall(r"'(squall/[^']+\.h)'", pathlib.Path(ROOT, "include/meson.build").read_text(encoding="utf-8"))
    include = prefix / "include"
    installed = [path.relative_to(include).as_posix() for path in include.rglob("*") if path.is_file()]
    assert sorted(installed) == sorted(listed), set(installed) ^ set(listed)


def poison():
    """A folder in which each header of FOREIGN is an error."""
    folder = work / "poison"
    names = list(FOREIGN)
    for include in [run("pkg-config", "--variable=includedir", "openssl").strip(), "/usr/include"]:
        names += [os.path.relpath(path, include) for path in glob.glob(include + "/openssl/*.h")]
    for name in set(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#error "a public header includes <{name}>"\n', encoding="utf-8")
    return folder


def by_pkg_config():
    """by pkg-config a program is built and answers, without headers of llhttp, OpenSSL, PCRE2, zlib, c-ares or libcurl"""
    flags = ["-std=c++20", "-O2", "-Wall", "-Wextra", "-Werror", "-I", poison(), *pkg_config("--cflags")]
    run(*COMPILER, *flags, "-c", f"{PROGRAM}/hello.cc", "-o", work / "hello.o")
    libraries = pkg_config("--libs", *(["--static"] if IS_STATIC else []))
    run(*COMPILER, work / "hello.o", "-s", *libraries, "-o", work / "hello")
    greets(work / "hello")


def umbrellas():
    """the other umbrella headers need no header of those packages either"""
    source = "".join(f"#include <squall/{path.name}>\n" for path in sorted((prefix / "include/squall").glob("*.h")))
    run(*COMPILER, "-std=c++20", "-fsyntax-only", "-I", poison(), *pkg_config("--cflags"), "-x", "c++", "-", input=source)


def poison_works():
    """a program that does include such a header fails to compile here"""
    command = [*COMPILER, "-E", "-I", poison(), "-x", "c++", "-"]
    for name in ("llhttp.h", "openssl/ssl.h", "zlib.h"):
        outcome = subprocess.run(command, input=f"#include <{name}>\n", capture_output=True, text=True, check=False)
        assert "a public header includes" in outcome.stderr, (name, outcome.stderr)


def private_packages():
    """squall.pc names fmt under Requires and the other packages under Requires.private"""
    text = (libdir / "pkgconfig/squall.pc").read_text(encoding="utf-8")
    fields = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
    assert [word.split()[0] for word in fields["Requires"].split(", ")] == ["fmt"], text
    private = {word.split()[0] for word in fields["Requires.private"].split(", ")}
    assert {"libllhttp", "libpcre2-8", "openssl", "zlib"} <= private, text


def size():
    """a stripped hello with the static library in it takes at most 470 kB"""
    got = (work / "hello").stat().st_size
    print(f"# {got} bytes")
    assert got <= MOST_BYTES, f"{got} bytes; to list its contents: g++ -Wl,--print-map, and nm --size-sort"


def by_cmake():
    """by CMake a program finds the package in the moved prefix, is built and answers"""
    run("cmake", "-S", PROGRAM, "-B", work / "cmake", f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_CXX_COMPILER={COMPILER[-1]}")
    run("cmake", "--build", work / "cmake")
    greets(work / "cmake/hello")


def by_cmake_of_another_version():
    """CMake refuses another minor version"""
    folder = work / "other"
    folder.mkdir()
    (folder / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.16)\nproject(other NONE)\nfind_package(squall 0.2 REQUIRED)\n", encoding="utf-8"
    )
    command = ["cmake", "-S", folder, "-B", folder / "build", f"-Dsquall_DIR={libdir}/cmake/squall"]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert outcome.returncode != 0 and "version: 0.1.0" in outcome.stderr, outcome.stderr


def as_subproject():
    """a Meson project has it as a subproject, builds only the library of it, and answers"""
    project = work / "project"
    shutil.copytree(PROGRAM, project)
    (project / "subprojects").mkdir()
    (project / "subprojects/squall").symlink_to(ROOT)
    # pkg-config finds no squall, so that the fallback is taken.
    environment = dict(os.environ, CXX=shlex.join(COMPILER), PKG_CONFIG_PATH="")
    run(MESON, "setup", project / "build", project, "--buildtype=plain", f"-Ddefault_library={'static' if IS_STATIC else 'shared'}", env=environment)
    commands = run("ninja", "-C", project / "build", "-t", "commands", "hello").splitlines()
    # The library takes minutes to build, so the library of the other tests replaces it.
    library = project / "build/subprojects/squall" / os.path.basename(LIBRARY)
    shutil.copy(LIBRARY, library)
    own = [command for command in commands if re.search(r" -o hello(\.p/hello\.cc\.o)? ", command)]
    assert len(own) == 2, commands
    for command in own:
        run("sh", "-c", command, cwd=project / "build")
    greets(project / "build/hello")
    targets = run("ninja", "-C", project / "build", "-t", "targets", "all")
    assert not re.search(r"squall-fetch|subprojects/squall/(tests|bench|demos)", targets), targets


tap = Tap()
tap.run([install, private_packages, by_pkg_config, umbrellas, poison_works, as_subproject])
if not IS_STATIC:
    tap.skip(size.__doc__, "the library is shared")
elif OPTIMIZATION not in ("2", "3", "s"):
    tap.skip(size.__doc__, "the library is not optimized")
else:
    tap.run([size])
if shutil.which("cmake"):
    tap.run([by_cmake, by_cmake_of_another_version])
else:
    tap.skip(by_cmake.__doc__, "cmake is not installed")
tap.end()
