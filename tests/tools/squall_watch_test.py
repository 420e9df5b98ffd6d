#!/usr/bin/env python3
"""Tests of squall-watch: `squall_watch_test.py PROGRAM SERVER` (autoreload_program)."""

import contextlib
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

from program import PATIENCE, Program, fails
from tap import Tap

WATCH, SERVER = sys.argv[1:]
REQUEST = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
# A server that knows nothing of Squall, and takes its socket as systemd passes it. It answers what it accepts.
SCRIPT = """#!/usr/bin/env python3
import contextlib, os, select, signal, socket, sys
assert os.environ["LISTEN_FDS"] == "1" and os.environ["LISTEN_PID"] == str(os.getpid())
signals, wakeup = socket.socketpair()
wakeup.setblocking(False)
signal.set_wakeup_fd(wakeup.fileno())
signal.signal(signal.SIGTERM, lambda *_: None)
signal.signal(signal.SIGUSR1, lambda *_: print("got USR1", file=sys.stderr, flush=True))
listener = socket.socket(fileno=3)
print("up VERSION", os.getpid(), file=sys.stderr, flush=True)
while True:
    ready, _, _ = select.select([signals, listener], [], [])
    if signals in ready:
        if signal.SIGTERM in signals.recv(64):
            sys.exit(5)
        continue
    with contextlib.suppress(BlockingIOError):
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\n\\r\\nVERSION")
"""


class Watch(Program):
    """squall-watch, in a folder for the test's files."""

    def __init__(self, *arguments):
        self.said = ""
        self.process = subprocess.Popen([WATCH, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def next(self, pattern):
        """Waits for a match, and forgets the output up to its end."""
        match = self.wait_for(pattern)
        self.said = self.said[match.end() :]
        return match

    def listens(self):
        self.port = int(self.next(r"Listening on port (\d+)")[1])

    def fetch(self):
        head, _, body = self.talk(REQUEST).partition(b"\r\n\r\n")
        return head.decode(), body.decode()


@contextlib.contextmanager
def folder():
    with tempfile.TemporaryDirectory() as path:
        yield pathlib.Path(path)


def place(path, text):
    """Replaces a program."""
    new = path.with_name(path.name + "~")
    new.write_text(text, encoding="utf-8")
    new.chmod(0o700)
    new.rename(path)


def place_server(path, version):
    place(path, SCRIPT.replace("VERSION", version))


def until_success():
    """--until-success ends after the first exit with status 0; other exits are logged, and a change runs the program again (ARL-07)"""
    with folder() as path:
        status = path / "status"
        status.write_text("3", encoding="ascii")
        program = path / "program"
        place(program, "#!/bin/sh\nexit $(cat $1)\n")
        with Watch("--until-success", "--watch", status, program, status) as watch:
            watch.next(r"Script exited with status 3\n")
            status.write_text("", encoding="ascii")
            status.write_text("kill", encoding="ascii")
            watch.next(r"status modified\n")
            watch.next(r"Script exited with status 2\n")
            status.write_text("0", encoding="ascii")
            watch.next(r"Script exited normally\n")
            assert watch.process.wait(PATIENCE) == 0


def runs_again():
    """a program that has ended normally runs again when it is replaced, also if it is polled (ARL-07)"""
    for arguments in ([], ["--poll"]):
        with folder() as path:
            program = path / "program"
            place(program, "#!/bin/sh\necho first >&2\n")
            with Watch(*arguments, "--", program, "--unknown") as watch:
                watch.next(r"(?s)first\n.*Script exited normally\n")
                place(program, "#!/bin/sh\necho second $1 >&2\n")
                watch.next(r"(?s)program modified\n.*second --unknown\n.*Script exited normally\n")
                assert watch.stop() == 0


def passes_signals():
    """signals reach the program, SIGTERM ends both, and its exit status is that of squall-watch"""
    with folder() as path:
        program = path / "program"
        place_server(program, "one")
        with Watch("--listen", "127.0.0.1:0", program) as watch:
            pid = int(watch.next(r"up one (\d+)\n")[1])
            watch.process.send_signal(signal.SIGUSR1)
            watch.next("got USR1")
            assert watch.stop() == 5
            assert not pathlib.Path(f"/proc/{pid}").exists()
        place(program, "#!/bin/sh\ntrap '' TERM\necho up $$ >&2\nwhile :; do sleep 0.05; done\n")
        with Watch("--grace", "0.2", program) as watch:
            pid = int(watch.next(r"up (\d+)\n")[1])
            assert watch.stop() == 128 + signal.SIGKILL
            assert not pathlib.Path(f"/proc/{pid}").exists()


def never_refuses():
    """the listening socket stays open while the program is replaced: no connection is refused"""
    with folder() as path:
        program = path / "program"
        place_server(program, "1")
        with Watch("--listen", "127.0.0.1:0", program) as watch:
            watch.listens()
            watch.next("up 1")
            failures, versions, ends, answered = [], [], threading.Event(), threading.Condition()

            def connect():
                while not ends.is_set():
                    try:
                        head, body = watch.fetch()
                        if not head.startswith("HTTP/1.1 200 ") or not body:
                            raise OSError(f"an answer with {head!r} and {body!r}")
                        with answered:
                            versions.append(body)
                            answered.notify()
                    except OSError as error:
                        failures.append(repr(error))

            client = threading.Thread(target=connect, daemon=True)
            client.start()
            for version in "2345":
                place_server(program, version)
                watch.next(f"up {version}")
                with answered:
                    assert answered.wait_for(lambda: failures or versions[-1:] == [version], PATIENCE), versions  # noqa: B023
            ends.set()
            client.join(PATIENCE)
            assert not failures, failures
            assert versions == sorted(versions), versions


def shows_ends():
    """a page says that the program was killed, until it is replaced"""
    with folder() as path:
        program = path / "program"
        place_server(program, "one")
        with Watch("--listen", "127.0.0.1:0", program) as watch:
            watch.listens()
            os.kill(int(watch.next(r"up one (\d+)\n")[1]), signal.SIGKILL)
            watch.next(r"Script was killed by signal 9 \(Killed\)\n")
            head, body = watch.fetch()
            assert head.startswith("HTTP/1.1 503 ") and "Script was killed by signal 9" in body, (head, body)
            place(program, "#!/bin/sh\nexit 7\n")
            watch.next("exited with status 7")
            assert "exited with status 7" in watch.fetch()[1]
            place(program, "#!/no/such/shell\n")
            watch.next("cannot run .*: No such file or directory; waiting for a change")
            assert "cannot be run" in watch.fetch()[1]
            place_server(program, "two")
            watch.next("up two")
            assert watch.fetch()[1] == "two"


def shows_build():
    """the errors of a broken build are a page, escaped, until the build succeeds"""
    with folder() as path:
        source = path / "source"
        source.mkdir()
        (source / "text").write_text("one", encoding="ascii")
        place_server(path / "template", "VERSION")
        place(
            path / "build",
            f"#!/bin/sh\ncd {path}\nif grep -q bad source/text; then printf '\\033[31m<error>\\033[0m & more\\n'; exit 1; fi\n"
            "sed s/VERSION/$(cat source/text)/ template >new && chmod +x new && mv new program\n",
        )
        with Watch("--listen", "127.0.0.1:0", "--build", path / "build", "--watch", source, path / "program") as watch:
            watch.listens()
            watch.next("up one")
            assert watch.fetch()[1] == "one"
            (source / "text").write_text("bad", encoding="ascii")
            watch.next("The build failed with status 1")
            watch.next("Script exited with status 5")
            head, body = watch.fetch()
            assert head.startswith("HTTP/1.1 503 ") and "\r\nCache-Control: no-store" in head, head
            assert "\n&lt;error&gt; &amp; more\n</pre>" in body and "color-scheme:light dark" in body, body
            (source / "text").write_text("two", encoding="ascii")
            watch.next("up two")
            assert watch.fetch()[1] == "two"


def builds_into_watched_folder():
    """outputs of the build in the watched folder start no other build, but a source edited during a build does"""
    with folder() as path:
        source, late, old = path / "source", path / "late", path / "old"
        for file in (source, late, old):
            file.write_text("one", encoding="ascii")
        os.mkfifo(path / "gate")
        place_server(path / ".template", "VERSION")
        place(
            path / ".build",
            f"#!/bin/sh\ncd {path}\necho build $$ >>.runs\n"
            "sed s/VERSION/$(cat source)$(cat late)/ .template >new && chmod +x new && mv new program && date +%N >log\n"
            "if grep -q wait source; then echo at gate; cat gate; fi\n",
        )

        def runs():
            return len((path / ".runs").read_text(encoding="ascii").splitlines())

        with Watch("--listen", "127.0.0.1:0", "--build", path / ".build", "--watch", path, path / "program") as watch:
            watch.listens()
            watch.next("up oneone")
            # The notice of this change comes behind those of the outputs.
            source.write_text("two", encoding="ascii")
            watch.next("source modified")
            watch.next("up twoone")
            assert runs() == 2, watch.said
            source.write_text("wait", encoding="ascii")
            watch.next("at gate")
            late.write_text("three", encoding="ascii")
            source.write_text("four", encoding="ascii")
            (path / "gate").write_text("", encoding="ascii")
            watch.next("/late, .*/source modified during the build")
            watch.next("up fourthree")
            old.write_text("another", encoding="ascii")
            # The program may be up before squall-watch has looked at the files behind the build.
            watch.next("old modified(?: during the build)?\n")
            watch.next("up fourthree")
            assert runs() == 5, watch.said
            assert watch.stop() == 5


def learns_outputs():
    """a file that was there before, and that three builds in a row write, is an output: it needs no other build"""
    with folder() as path:
        (path / "output").write_text("before", encoding="ascii")
        place(path / ".build", f"#!/bin/sh\necho build >>{path}/output\n")
        place(path / ".program", "#!/bin/sh\necho up >&2\nexec sleep 1000\n")
        with Watch("--build", path / ".build", "--watch", path, path / ".program") as watch:
            watch.next("output modified during the build")
            watch.next("output modified during the build")
            watch.next("output changes during each build")
            watch.next("(?s)killed by signal 15.*up\n")
            (path / "source").write_text("new", encoding="ascii")
            watch.next("source modified\n")
            watch.next("Building")
            watch.next("up\n")
            assert (path / "output").read_text(encoding="ascii") == "before" + 4 * "build\n", watch.said


def builds_what_was_saved():
    """a source that is saved while it is compiled is built again, although its program is newer; builds in a row too"""
    with folder() as path:
        source = path / "source"
        source.write_text("one", encoding="ascii")
        os.mkfifo(path / "gate")
        place_server(path / ".template", "VERSION")
        place(
            path / ".build",
            f"#!/bin/sh\ncd {path}\nif [ -e program ] && ! [ source -nt program ]; then echo complete; exit; fi\ntext=$(cat source)\n"
            "if [ $text != one ]; then echo compiles $text; cat gate; fi\n"
            "sed s/VERSION/$text/ .template >.new && chmod +x .new && mv .new program\n",
        )
        with Watch("--listen", "127.0.0.1:0", "--build", path / ".build", "--watch", source, path / "program") as watch:
            watch.listens()
            watch.next("up one")
            source.write_text("two", encoding="ascii")
            for text, later in (("two", "three"), ("three", "four"), ("four", "")):
                watch.next(f"compiles {text}")
                if later:
                    source.write_text(later, encoding="ascii")
                (path / "gate").write_text("", encoding="ascii")
            watch.next("up four")
            assert watch.fetch()[1] == "four"


def says_building_again():
    """while a broken program is built again, the page says so, and still shows the errors"""
    with folder() as path:
        source = path / "source"
        source.write_text("bad", encoding="ascii")
        os.mkfifo(path / "gate")
        place_server(path / "program", "up")
        place(
            path / "build",
            f"#!/bin/sh\ncd {path}\nif grep -q wait source; then echo at gate; cat gate; exit; fi\n"
            "if grep -q bad source; then echo 'no such name'; exit 1; fi\n",
        )
        with Watch("--listen", "127.0.0.1:0", "--build", path / "build", "--watch", source, path / "program") as watch:
            watch.listens()
            watch.next("The build failed with status 1")
            assert "<h1>The build failed</h1>" in watch.fetch()[1]
            source.write_text("wait", encoding="ascii")
            watch.next("at gate")
            body = watch.fetch()[1]
            assert "<h1>Building again</h1>" in body and "no such name" in body, body
            (path / "gate").write_text("", encoding="ascii")
            watch.next("up up")
            assert watch.fetch()[1] == "up"


def says_not_taken():
    """a client that the program does not accept gets a page that names adopt_sockets(); a later program serves"""
    with folder() as path:
        program = path / "program"
        place(program, "#!/bin/sh\necho sleeps >&2\nexec sleep 1000\n")
        with Watch("--listen", "127.0.0.1:0", program) as watch:
            watch.listens()
            watch.next("sleeps")
            head, body = watch.fetch()
            assert head.startswith("HTTP/1.1 503 ") and "adopt_sockets()" in body, (head, body)
            watch.next("A client waits: the program runs, but accepts no connection")
            place_server(program, "two")
            watch.next("up two")
            assert watch.fetch()[1] == "two"


def ends_during_build():
    """a program that ends while a build runs is reported then, and the new one has the port alone"""
    with folder() as path:
        source = path / "source"
        source.write_text("one", encoding="ascii")
        os.mkfifo(path / "gate")
        place_server(path / "template", "VERSION")
        place(
            path / "build",
            f"#!/bin/sh\ncd {path}\nif grep -q two source; then echo at gate; cat gate; fi\n"
            "sed s/VERSION/$(cat source)/ template >new && chmod +x new && mv new program\n",
        )
        with Watch("--listen", "127.0.0.1:0", "--build", path / "build", "--watch", source, path / "program") as watch:
            watch.listens()
            pid = int(watch.next(r"up one (\d+)\n")[1])
            source.write_text("two", encoding="ascii")
            watch.next("at gate")
            os.kill(pid, signal.SIGKILL)
            watch.next(r"Script was killed by signal 9 \(Killed\)\n")
            (path / "gate").write_text("", encoding="ascii")
            watch.next("up two")
            answers = {watch.fetch()[1] for _ in range(20)}
            assert answers == {"two"}, answers


def ends_with_shell():
    """a build ends with its shell, although a daemon that it has started keeps the output open; a signal ends all of a build"""
    with folder() as path:
        pids = path / "pids"
        place(path / "program", "#!/bin/sh\necho up >&2\nexec sleep 1000\n")
        build = f"sleep 1000 & echo $! >{pids}; echo built"
        with Watch("--build", build, "--watch", path / "source", path / "program") as watch:
            watch.next("(?s)built\n.*up\n")
            os.kill(int(pids.read_text(encoding="ascii")), signal.SIGKILL)
        build = f"sleep 1000 & echo $! >{pids}; echo built; wait"
        with Watch("--build", build, "--watch", path / "source", path / "program") as watch:
            watch.next("built\n")
            pid = int(pids.read_text(encoding="ascii"))
            descriptor = os.pidfd_open(pid)
            assert watch.stop() == 128 + signal.SIGTERM
            ended, _, _ = select.select([descriptor], [], [], PATIENCE)
            os.close(descriptor)
            assert ended, "the build goes on"


def serves_squall():
    """a program with autoreload takes the sockets without a change of its code, and restarts with them"""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with folder() as path:
        shutil.copy(SERVER, path / "program")
        page = path / "page"
        page.write_text("one", encoding="ascii")
        arguments = ("--listen", f"127.0.0.1:{port}", path / "program", "watch", page, "port", port)
        with Watch(*arguments) as watch:
            watch.listens()
            watch.next(f"Serving on port {port}")
            version, pid, *_ = watch.fetch()[1].split()
            page.write_text("another", encoding="ascii")
            watch.next("page modified; restarting server")
            watch.next(f"Serving on port {port}")
            assert watch.fetch()[1].split()[:2] == [version, pid]
            shutil.copy(SERVER, path / "new")
            with (path / "new").open("ab") as end:
                end.write(b"=2")
            (path / "new").rename(path / "program")
            watch.next(f"Serving on port {port}, version 2")
            head, body = watch.fetch()
            assert body.split()[0] == "2", (head, body)
            assert watch.stop() == 0, watch.said


def wrong_use():
    """wrong use, and an address that cannot be bound, give one line"""
    for arguments in ([], ["--until-success"], ["--nonsense", "true"], ["--grace", "-1", "true"]):
        status, said = fails(WATCH, *arguments)
        assert status == 2 and said.startswith("squall-watch: ") and said.count("\n") == 1, (status, said)
    for address in ("x", "1.2.3.4.5:80", "127.0.0.1:"):
        status, said = fails(WATCH, "--listen", address, "true")
        assert status == 1 and said.startswith("squall-watch: ") and said.count("\n") == 1, (status, said)


tap = Tap()
tap.run(
    [
        until_success,
        runs_again,
        passes_signals,
        never_refuses,
        shows_ends,
        shows_build,
        builds_into_watched_folder,
        learns_outputs,
        builds_what_was_saved,
        says_building_again,
        says_not_taken,
        ends_during_build,
        ends_with_shell,
        serves_squall,
        wrong_use,
    ]
)
tap.end()
