#!/usr/bin/env python3
"""A program that executes itself again: `autoreload_test.py PROGRAM` (autoreload_program)."""

import contextlib
import os
import pathlib
import shutil
import socket
import sys
import tempfile
import threading
import time

from program import PATIENCE, Program, read_to_end
from tap import Tap

SOURCE = sys.argv[1]
REQUEST = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"


class Site:
    """A copy of the program, in a folder of its own, and the running program."""

    def __init__(self, *arguments):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.path = self.folder / "program"
        self.template = self.folder / "page.html"
        self.template.write_text("one", encoding="ascii")
        self.place("1")
        self.program = Program(str(self.path), "watch", str(self.template), *arguments)
        self.port = self.program.port
        self.wait_for_version("1")

    def file(self, version):
        """A new executable beside the running one."""
        made = self.folder / "new"
        shutil.copy(SOURCE, made)
        with made.open("ab") as end:
            end.write(f"={version}".encode())
        return made

    def place(self, version):
        self.file(version).rename(self.path)

    def wait_for_version(self, version):
        self.program.wait_for(rf"Serving on port {self.port}, version {version}\n")
        self.program.said = ""

    def get(self):
        answer = self.program.talk(REQUEST)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK"), answer
        return body.decode().split()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.__exit__()
        shutil.rmtree(self.folder)


class Clients:
    """A thread that connects again and again. The failures, and the versions that answered."""

    def __init__(self, connect):
        self.connect = connect
        self.failures = []
        self.versions = []
        self.ends = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.ends:
            try:
                with contextlib.closing(self.connect()) as connection:
                    connection.sendall(REQUEST)
                    body = read_to_end(connection).partition(b"\r\n\r\n")[2]
                    self.versions.append(body.split()[0].decode())
            except (OSError, IndexError) as error:
                self.failures.append(repr(error))
            time.sleep(0.001)

    def stop(self):
        self.ends = True
        self.thread.join(PATIENCE)
        return self.failures, self.versions


def never_refuses():
    """20 new executables run one after the other, in the same process and on the same port, and no connection is refused (ARL-03, ARL-05)"""
    with Site() as site:
        pid = site.get()[1]
        clients = Clients(site.program.connect)
        for version in range(2, 22):
            site.place(str(version))
            site.wait_for_version(version)
        failures, versions = clients.stop()
        assert not failures, failures
        assert len(set(versions)) > 15 and versions == sorted(versions, key=int), versions
        assert site.get()[:2] == ["21", pid]


def waits_for_linker():
    """it waits for an executable that is missing, incomplete, or not executable yet"""
    with Site() as site:
        site.path.unlink()
        made = site.file("2").read_bytes()
        with site.path.open("wb") as linker:
            linker.write(made[: len(made) // 2])
            linker.flush()
            site.program.wait_for(r"modified; restarting server")
            site.program.wait_for(r"program cannot run yet: [^;\n]+; waiting for it")
            site.path.chmod(0o700)
            # It looks each 50 ms: a program that ran now would fail, and no connection be accepted.
            began = time.monotonic()
            while time.monotonic() < began + 0.3:
                assert site.get()[0] == "1", site.program.said
                site.program.read_more(0.02)  # keeps the pipe of its log empty
            linker.write(made[len(made) // 2 :])
        site.program.wait_for(rf"Serving on port {site.port}, version 2\n")
        assert "cannot run " not in site.program.said.replace("cannot run yet", ""), site.program.said
        assert site.get()[0] == "2"


def watches_files():
    """a watched file that changes restarts the program; the environment is that of its start (ARL-02, ARL-05)"""
    os.environ["TEST_KEPT"] = "kept"
    with Site() as site:
        version, pid, *environment = site.get()
        assert environment == ["kept", "1"], environment
        site.template.unlink()
        site.template.write_text("another", encoding="ascii")
        site.program.wait_for(r"page\.html modified; restarting server")
        site.wait_for_version("1")
        assert site.get() == [version, pid, "kept", "1"]


def watches_pages():
    """a translation, and a template where compiled ones are kept, restarts the program when it changes (ARL-06)"""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for part, file in (("templates", "a.html"), ("translations", "de.csv")):
            (folder / part).mkdir()
            (folder / part / file).write_text('"one","eins"\n', encoding="ascii")
        with Site("templates", str(folder / "templates"), "translations", str(folder / "translations")) as site:
            for changed in ("templates/a.html", "translations/de.csv"):
                (folder / changed).write_text('"one","another"\n', encoding="ascii")
                site.program.wait_for(f"{changed} modified; restarting server")
                site.wait_for_version("1")


def calls_hooks():
    """the reload hooks run in their order, and an exception of one, or hooks that one adds, do not stop the others (ARL-02)"""
    with Site() as site:
        site.template.write_text("another", encoding="ascii")
        site.program.wait_for(r"(?s)First hook.*Exception in a reload hook: of the second hook.*Third hook.*Added hook.*Serving on")


def drops_tasks():
    """a reload task may drop another one, and an application that drains"""
    with Site("drops", "1") as site:
        site.template.write_text("another", encoding="ascii")
        site.program.wait_for(r"(?s)Dropped.*Serving on")
        assert "A task" not in site.program.said, site.program.said


def keeps_timers():
    """timers of the process go on if the system refuses the executable"""
    with Site("alarm", "1") as site:
        site.program.wait_for("Alarm")
        made = site.folder / "new"
        made.write_bytes(b"no program")
        made.chmod(0o700)
        made.rename(site.path)
        site.program.wait_for(r"(?s)Exec format error; waiting for a change.*Alarm")
        site.place("2")
        site.wait_for_version("2")


def answers_requests():
    """a request that has begun is answered by the old program, and the next one by the new program"""
    with Site() as site, site.program.connect() as connection:
        connection.sendall(REQUEST.replace(b"/", b"/slow", 1))
        site.program.wait_for("Slow request")
        site.place("2")
        answer = read_to_end(connection)
        assert answer.endswith(b"\r\n\r\n1"), (answer, site.program.said)
        site.wait_for_version("2")
        assert site.get()[0] == "2"


def survives_refusal():
    """an executable that the system refuses is an error in the log; the next one takes the sockets"""
    with Site() as site:
        made = site.folder / "new"
        made.write_bytes(b"no program")
        made.chmod(0o700)
        made.rename(site.path)
        site.program.wait_for(r"cannot run .*program: Exec format error; waiting for a change")
        pid = site.program.process.pid
        for descriptor in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            if int(descriptor.name) > 2 and os.readlink(descriptor).startswith("socket:"):
                flags = pathlib.Path(f"/proc/{pid}/fdinfo/{descriptor.name}").read_text(encoding="ascii")
                assert int(flags.split("flags:")[1].split()[0], 8) & os.O_CLOEXEC, (descriptor, flags)
        site.place("2")
        site.wait_for_version("2")
        assert site.get()[0] == "2"


def closes_without_autoreload():
    """a program without autoreload that listens on another port closes the old one too"""
    with Site() as site:
        site.place("plain")
        port = site.program.wait_for(r"Serving on port (\d+), version plain\n")[1]
        assert int(port) != site.port
        site.program.connect().close()
        site.program.wait_for("Closed 1 listening sockets that the program does not use any more")
        try:
            site.program.connect().close()
            raise AssertionError("the old port still accepts connections")
        except ConnectionRefusedError:
            pass


def keeps_unix_socket():
    """a Unix socket is kept too, with its file"""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/socket"

        def connect():
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(PATIENCE)
            connection.connect(path)
            return connection

        with Site("unix", path) as site:
            clients = Clients(connect)
            for version in "234":
                site.place(version)
                site.wait_for_version(version)
            failures, versions = clients.stop()
            assert not failures, failures
            assert "3" in versions, versions
            assert site.program.stop() == 0
            assert not os.path.exists(path)


def follows_address():
    """a program that listens on another address of the port than before gets a new socket there"""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Site("port", str(port)) as site:
        site.place("moved")
        site.wait_for_version("moved")
        with contextlib.closing(site.program.connect("127.0.0.2")) as connection:
            connection.sendall(REQUEST)
            assert b"moved" in read_to_end(connection)
        try:
            site.program.connect().close()
            raise AssertionError("the old address still accepts connections")
        except ConnectionRefusedError:
            pass


def fails_clearly():
    """a program that fails at its start has its message in the log, behind the name of the file that changed"""
    with Site() as site:
        site.place("crash")
        site.program.wait_for(r"(?s)program modified; restarting server.*This version ends at its start")
        assert site.program.process.wait(PATIENCE) == 3


def waits_after_failure():
    """a program that has failed waits for a change, and is then executed again (ARL-08)"""
    with Site() as site:
        site.place("waits")
        site.program.wait_for("This version has failed, and waits for a change")
        site.place("2")
        site.wait_for_version("2")
        assert site.get()[0] == "2"


tap = Tap()
tap.run(
    [
        never_refuses,
        waits_for_linker,
        watches_files,
        watches_pages,
        calls_hooks,
        drops_tasks,
        keeps_timers,
        answers_requests,
        survives_refusal,
        closes_without_autoreload,
        keeps_unix_socket,
        follows_address,
        fails_clearly,
        waits_after_failure,
    ]
)
tap.end()
