"""Servers of the project as a user starts them: by their command; stopped by their process id."""

import contextlib
import re
import select
import signal
import socket
import subprocess
import time

PATIENCE = 30.0  # the most seconds for any wait here, under a sanitizer too


class Program:
    """A running server. `said` has its output on stderr."""

    def __init__(self, *command):
        self.said = ""
        self.process = subprocess.Popen(list(command), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            self.port = int(self.wait_for(r"Serving on port (\d+)")[1])
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def read_more(self, timeout):
        ready, _, _ = select.select([self.process.stderr], [], [], timeout)
        if not ready:
            return False
        piece = self.process.stderr.read1()
        self.said += piece.decode("utf-8", "replace")
        return bool(piece)

    def wait_for(self, pattern):
        """Waits for the match of a regular expression in the program's output."""
        end = time.monotonic() + PATIENCE
        while True:
            if match := re.search(pattern, self.said):
                return match
            left = end - time.monotonic()
            if left <= 0 or not self.read_more(left):
                raise AssertionError(f"it did not say {pattern!r}, but:\n{self.said}")

    def stop(self, how=signal.SIGTERM):
        """Its exit status, after a signal."""
        self.process.send_signal(how)
        try:
            return self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            while self.read_more(0):
                pass

    def begins_to_drain(self, how=signal.SIGTERM):
        """Sends a signal, and waits until the program refuses connections."""
        self.process.send_signal(how)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                with self.connect():
                    time.sleep(0.01)
            except ConnectionError:
                return
        raise AssertionError(f"it still accepts connections after {how}:\n{self.said}")

    def request_in_flight(self):
        """A connection on which one request was answered, and the next is sent in part."""
        connection = self.connect()
        connection.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        answer = b""
        while b"\r\n\r\n" not in answer or not answer.endswith(b"\n") or answer.endswith(b"\r\n\r\n"):
            answer += connection.recv(1 << 16)
        connection.sendall(b"GET / HTTP/1.1\r\nHos")
        return connection

    def drains(self):
        """On SIGTERM it answers the request that is in flight, and ends. The body of the answer."""
        with self.request_in_flight() as connection:
            self.begins_to_drain()
            connection.sendall(b"t: h\r\n\r\n")
            answer = read_to_end(connection)
        assert self.process.wait(PATIENCE) == 0, self.said
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n") and b"\r\nConnection: close" in head, answer
        return body

    def ends_at_second_signal(self, connection):
        """A second signal ends it, although it still serves the connection."""
        with connection:
            self.begins_to_drain()
            assert self.process.poll() is None, "it ended although a connection was open"
            began = time.monotonic()
            assert self.stop() == 0, self.said
            assert time.monotonic() - began < 1.5, "the second signal did not end it at once"
            assert read_to_end(connection) == b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def connect(self, host="127.0.0.1"):
        connection = socket.create_connection((host, self.port), PATIENCE)
        connection.settimeout(PATIENCE)
        return connection

    def talk(self, request):
        """The bytes that the server sends before it closes the connection."""
        with self.connect() as connection:
            connection.sendall(request)
            return read_to_end(connection)

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1]) * 1024


def read_to_end(connection):
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(1 << 16):
            received += piece
    return received


def fails(*command):
    """(exit status, stderr) of a command that ends by itself."""
    run = subprocess.run(list(command), capture_output=True, text=True, timeout=PATIENCE, check=False)
    return run.returncode, run.stderr
