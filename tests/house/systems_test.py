#!/usr/bin/env python3
"""Code that only some systems can compile is in the sources of these systems: `systems_test.py ROOT`."""

import pathlib
import re
import sys

from sources import LIBRARY, sources
from tap import Tap

# A file of one system, or of one interface that only some systems have, is named NAME_SYSTEM. Meson selects it.
SYSTEMS = ["linux", "darwin", "posix", "none"]
INTERFACES = ["devpoll", "elf", "epoll", "eventfd", "getentropy", "gnu", "inotify", "kqueue", "np", "sched"]
SYSTEM_FILE = re.compile(rf"_({'|'.join(SYSTEMS + INTERFACES)})$")
# Only these may have conditions: a macro tells them whether the system has an option.
CONDITIONS_FILE = re.compile(r"_(linux|darwin|posix)$")

# Conditions of other files: the macros that a file may test, and why.
OTHER_MACROS = {
    "http/codec/content_decoder.cc": (r"SQUALL_HAS_(BROTLI|ZSTD)", "an optional library"),
    "http/codec/content_encoder.cc": (r"SQUALL_HAS_(BROTLI|ZSTD)", "an optional library"),
    "http/client/curl_transfer.cc": (r"LIBCURL_VERSION_NUM", "the version of a library"),
    "ioloop/base/callback.h": (r"__clang__", "the compiler"),
    "ioloop/base/sanitizer.h": (r"__has_feature|__SANITIZE_\w+|SQUALL_HAS_FEATURE|address_sanitizer|thread_sanitizer", "the compiler"),
}

CONDITION = re.compile(r"^\s*#\s*(?:if|ifdef|ifndef|elif|elifdef|elifndef)\b(.*)$", re.MULTILINE)
MACRO = re.compile(r"\b(?!defined\b|0x|\d)\w+")
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)

# Headers, constants and calls that POSIX.1-2008 does not have, or that are macros on some systems.
NOT_EVERYWHERE = re.compile(
    r"<(?:linux/[^>]+|sys/(?:epoll|event|eventfd|devpoll|inotify|prctl|random|sendfile|signalfd|syscall|timerfd)\.h|crt_externs\.h"
    r"|link\.h|sched\.h)>"
    r"|\b(?:SOCK_CLOEXEC|SOCK_NONBLOCK|MSG_MORE|MSG_NOSIGNAL|O_PATH|O_SEARCH|EAI_NODATA|EAI_ADDRFAMILY|SI_KERNEL|TIOCOUTQ|SYS_\w+"
    r"|SO_(?:BINDTODEVICE|INCOMING_CPU|NOSIGPIPE|NWRITE|PEERCRED|REUSEPORT)|TCP_(?:DEFER_ACCEPT|FASTOPEN|KEEP\w+|QUICKACK)"
    r"|IP_(?:BIND_ADDRESS_NO_PORT|BOUND_IF)|st_[acm]tim(?:espec)?|environ)\b"
    r"|::(?:accept4|dup3|epoll_\w+|eventfd|getentropy|getrandom|inotify_\w+|kevent|kqueue|memfd_create|pipe2|ppoll|prctl|sendfile"
    r"|signalfd|splice|syscall|timerfd_\w+|posix_spawn_file_actions_addchdir_np)\("
    r"|::sig(?:add|del|empty|fill)set\(|::sigismember\("
)
# Files that may have one of them, and why.
OTHER_NAMES = {
    "ioloop/base/file_times.h": (r"st_[cm]tim(?:espec)?", "the compiler finds which member the structure has"),
}


def conditions(path, text):
    """The conditions of one file that belong into the file of a system."""
    if CONDITIONS_FILE.search(path.stem):
        return
    allowed = OTHER_MACROS.get(path.as_posix(), ("$.", ""))[0]
    for condition in CONDITION.findall(COMMENT.sub("", text)):
        for macro in MACRO.findall(condition):
            if not re.fullmatch(allowed, macro):
                yield f"{path}: #if {macro}: a file of the system has such code (docs/design.md)"


def names(path, text):
    """The names in one file that only some systems have."""
    if SYSTEM_FILE.search(path.stem):
        return
    allowed = OTHER_NAMES.get(path.as_posix(), ("$.", ""))[0]
    for name in NOT_EVERYWHERE.findall(COMMENT.sub("", text)):
        if not re.fullmatch(allowed, name):
            yield f"{path}: {name}: not on every system, so a file of the system has it (docs/design.md)"


def main():
    root = pathlib.Path(sys.argv[1])
    files = list(sources(root, LIBRARY))
    tap = Tap()
    tap.check(
        "only files of one system ask for macros of systems",
        [problem for path, text in files for problem in conditions(path, text)],
    )
    tap.check(
        "only files of one system use what other systems do not have",
        [problem for path, text in files for problem in names(path, text)],
    )
    tap.check(
        "no exception of this test is unused",
        [path for path in {**OTHER_MACROS, **OTHER_NAMES} if path not in {each.as_posix() for each, _ in files}]
        + [
            f"{path}: no {allowed}"
            for path, text in files
            for table, found in ((OTHER_MACROS, CONDITION), (OTHER_NAMES, NOT_EVERYWHERE))
            if (allowed := table.get(path.as_posix(), ("",))[0]) and not re.search(allowed, " ".join(found.findall(text)))
        ],
    )
    # The test of the test.
    bad = {
        "ioloop/loop/x.cc": "#ifdef __linux__\n#endif\n",
        "http/server/x.h": "#  if defined(__APPLE__) && !defined(MSG_MORE)\n",
        "iostream/socket/socket.cc": "#ifndef SO_REUSEPORT\n",
        "ioloop/base/sanitizer.h": "#ifdef __linux__\n",
        "ioloop/base/x.cc": "#if __has_include(<link.h>)\n",
        "ioloop/base/y_kqueue.cc": "#ifdef __APPLE__\n",
        "web/static/x.cc": "#elif __FreeBSD__\n",
    }
    tap.check(
        "a condition on the system in another file is found",
        [name for name, text in bad.items() if not list(conditions(pathlib.PurePath(name), text))],
    )
    used = {
        "ioloop/loop/x.cc": "int fd = ::epoll_create1(0);",
        "iostream/socket/x.cc": "#include <sys/sendfile.h>\n",
        "iostream/stream/x.cc": "::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)",
        "http/server/x.cc": "extern char** environ;",
        "web/static/x.h": "status.st_mtim",
        "ioloop/base/x.h": "::sigaddset(&set, SIGPIPE);",
        "ioloop/base/file_times.h": "::getentropy(space, 1);",
    }
    tap.check(
        "a call, a constant and a header of one system are found in another file",
        [name for name, text in used.items() if not list(names(pathlib.PurePath(name), text))],
    )
    good = {
        "iostream/socket/x_posix.cc": "#ifdef SO_REUSEPORT\n#endif\nSO_REUSEPORT",
        "ioloop/base/y_linux.cc": "::accept4(fd, peer, size, SOCK_CLOEXEC);",
        "ioloop/loop/x.cc": "// an #ifdef, eventfd and ::epoll_wait( in a comment\nlist.splice(list.begin(), other);",
        "http/codec/content_decoder.cc": "#ifdef SQUALL_HAS_ZSTD\n",
    }
    tap.check(
        "files of a system, comments and the exceptions are allowed",
        [
            problem
            for name, text in good.items()
            for check in (conditions, names)
            for problem in check(pathlib.PurePath(name), text)
        ],
    )
    tap.end()


main()
