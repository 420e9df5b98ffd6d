"""A PostgreSQL server for a test, from Debian's programs: in a temporary folder, reached by a Unix socket in it."""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

from program import PATIENCE

PASSWORD = "right of way"


def folder_of_programs():
    """The folder with the newest initdb and postgres; None without one."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    found = [path for path in found if (path / "initdb").exists() and (path / "postgres").exists()]
    return found[-1] if found else None


class Postgres:
    """A running server, whose user `blog` needs PASSWORD. PostgreSQL refuses to run as root: then it is nobody's."""

    def __init__(self):
        self.programs = folder_of_programs()
        self.folder = tempfile.mkdtemp()
        self.process = None
        self.user = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self.user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
        try:
            password = pathlib.Path(self.folder, "password")
            password.write_text(PASSWORD, encoding="utf-8")
            self.call("initdb", "-D", f"{self.folder}/data", "-A", "scram-sha-256", f"--pwfile={password}", "-U", "blog",
                      "-E", "UTF8", "--locale=C", "--no-sync")
            self.start()
        except BaseException:
            self.__exit__()
            raise

    def environment(self):
        return {**os.environ, "PGPASSWORD": PASSWORD, "PGHOST": self.folder, "PGUSER": "blog", "PGDATABASE": "postgres",
                "HOME": self.folder}

    def command(self, program, *arguments):
        return [str(self.programs / program), *arguments]

    def call(self, program, *arguments):
        subprocess.run(self.command(program, *arguments), check=True, capture_output=True, timeout=2 * PATIENCE, cwd=self.folder,
                       env=self.environment(), **self.user)

    def start(self):
        command = self.command("postgres", "-D", f"{self.folder}/data", "-k", self.folder, "-c", "listen_addresses=", "-F")
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder, **self.user)
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return self.call("pg_isready")
            except subprocess.CalledProcessError:
                assert self.process.poll() is None and time.monotonic() < end, "PostgreSQL did not start"
                time.sleep(0.05)

    def stop(self):
        if self.process:
            # PostgreSQL's fast shutdown.
            self.process.send_signal(signal.SIGINT)
            self.process.wait(PATIENCE)
            self.process = None

    def session(self):
        """psql, which runs what is written to its stdin."""
        return subprocess.Popen(self.command("psql", "-X", "-q", "-A", "-t"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                cwd=self.folder, env=self.environment(), **self.user)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
