#!/usr/bin/env python3
"""demos/file_upload, its receiver and its sender: `file_upload_test.py PROGRAM`."""

import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

from program import PATIENCE, Program, fails
from tap import Tap

UPLOAD = sys.argv[1]
# A sanitizer keeps freed memory: that is not the program's.
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"

SIZES = {"empty": 0, "one.txt": 1, "piece.bin": 16384, "more.tar.gz": 16385, "large.jpg": 3_000_000}
NAMES = {
    'say "hi".txt': 'say %22hi%22.txt',
    "ünï € 雪.png": "ünï € 雪.png",
    "a;b='c', d=e.html": "a;b='c', d=e.html",
    "100%41.css": "100%41.css",
    "what?#here&+.json": "what?#here&+.json",
    "post": "post",
}


def receiver(*arguments):
    return Program(UPLOAD, "receive", "--port", "0", *arguments)


def send(program, *arguments, given=b""):
    """(exit status, stdout, stderr) of the sender."""
    command = [UPLOAD, "send", "--url", f"http://127.0.0.1:{program.port}/", *arguments]
    run = subprocess.run(command, capture_output=True, input=given, timeout=4 * PATIENCE, check=False)
    return run.returncode, run.stdout.decode(), run.stderr.decode()


@contextlib.contextmanager
def folders():
    """A folder with files to send, and an empty folder for the receiver."""
    with tempfile.TemporaryDirectory() as here, tempfile.TemporaryDirectory() as there:
        yield here, there


def make_files(folder):
    """The paths of files of several sizes and names."""
    generator = random.Random(1)
    paths = []
    for name, size in {**SIZES, **{name: 1000 + i for i, name in enumerate(NAMES)}}.items():
        paths.append(os.path.join(folder, name))
        with open(paths[-1], "wb") as file:
            file.write(generator.randbytes(size))
    return paths


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def is_stored(program, method, path, name, folder):
    """Checks the line in the log, and the bytes of the file that it names."""
    size = os.path.getsize(path)
    line = rf'{method} "{re.escape(name)}" "([^"]*)" {size} bytes, stored as (\w+)\n'
    kind, stored = program.wait_for(line).groups()
    assert contents(os.path.join(folder, stored)) == contents(path), path
    return kind


def waits_until_empty(folder):
    end = time.monotonic() + PATIENCE
    while os.listdir(folder):
        assert time.monotonic() < end, f"there are still {os.listdir(folder)}"
        time.sleep(0.01)


def by_form():
    """the files of a form arrive byte for byte, whatever their size and name"""
    with folders() as (here, there), receiver("--folder", there) as program:
        paths = make_files(here)
        assert send(program, *paths) == (0, f"{len(paths)} files: 200 OK\n", "")
        kinds = {}
        for path in paths:
            name = os.path.basename(path)
            kinds[name] = is_stored(program, "POST", path, NAMES.get(name, name), there)
        assert len(os.listdir(there)) == len(paths)
        assert kinds["one.txt"] == "text/plain" and kinds["large.jpg"] == "image/jpeg", kinds
        assert kinds["empty"] == "application/octet-stream", kinds


def by_put():
    """a file that is the body of a request arrives byte for byte, whatever its size and name"""
    with folders() as (here, there), receiver("--folder", there) as program:
        paths = make_files(here)
        assert send(program, "--put", *paths) == (0, "".join(f"{path}: 200 OK\n" for path in paths), "")
        kinds = {}
        for path in paths:
            name = os.path.basename(path)
            kinds[name] = is_stored(program, "PUT", path, name, there)
        assert len(os.listdir(there)) == len(paths)
        assert kinds["one.txt"] == "text/plain" and kinds["large.jpg"] == "image/jpeg", kinds
        assert kinds["empty"] == "application/octet-stream", kinds


def from_pipe():
    """a pipe, whose size nobody knows, is sent in chunks"""
    given = random.Random(2).randbytes(300_000)
    with folders() as (_, there), receiver("--folder", there) as program:
        for arguments in (["--put"], []):
            assert send(program, *arguments, "/dev/stdin", given=given) == (0, "/dev/stdin: 200 OK\n", "")
        assert [contents(os.path.join(there, name)) for name in os.listdir(there)] == [given, given]


def counts():
    """without a folder the bytes are counted and not stored"""
    with folders() as (here, _), receiver() as program:
        paths = make_files(here)
        assert send(program, *paths)[0] == 0
        assert send(program, "--put", *paths)[0] == 0
        for method in ("POST", "PUT"):
            program.wait_for(rf'{method} "large\.jpg" "image/jpeg" 3000000 bytes\n')


def too_large():
    """a request beyond the limit is a 413, and leaves no file"""
    with folders() as (here, there), receiver("--folder", there, "--max_size", "2999999") as program:
        paths = make_files(here)
        large = os.path.join(here, "large.jpg")
        assert send(program, "--put", large) == (1, "", f"file_upload: {large}: 413 Content Too Large\n")
        status, out, said = send(program, *paths)
        assert (status, out, said) == (1, "", f"file_upload: {len(paths)} files: 413 Content Too Large\n")
        # In chunks, which say no length: the receiver has begun to write the file.
        status, _, said = send(program, "--put", "/dev/stdin", given=contents(large))
        assert (status, said) == (1, "file_upload: /dev/stdin: 413 Content Too Large\n"), said
        waits_until_empty(there)
        # It goes on, and serves what is not too large.
        assert send(program, "--put", paths[1])[0] == 0
        assert len(os.listdir(there)) == 1


def wait_for_files(folder, count):
    end = time.monotonic() + PATIENCE
    while len(os.listdir(folder)) < count:
        assert time.monotonic() < end, f"there are only {os.listdir(folder)}"
        time.sleep(0.01)


def leaves():
    """a client that leaves within its request leaves no file, not even a whole part of its form"""
    form = b"--x\r\nContent-Disposition: form-data; name=a; filename=%b\r\n\r\n%b"
    parts = form % (b"whole", b"1" * 1000) + b"\r\n" + form % (b"part", b"2" * 400_000)
    with folders() as (_, there), receiver("--folder", there) as program:
        for head, body, files in (
            (b"PUT /name HTTP/1.1", b"3" * 400_000, 1),
            (b"POST /post HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x", parts, 2),
        ):
            with program.connect() as connection:
                connection.sendall(head + b"\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n" + body)
                wait_for_files(there, files)
            waits_until_empty(there)
        program.wait_for(r"400 PUT /name \(127\.0\.0\.1\): Incomplete request")
        program.wait_for(r"400 POST /post \(127\.0\.0\.1\): Incomplete request")
        assert program.stop() == 0, program.said
        assert "stored as" not in program.said, program.said


def malformed():
    """a malformed form is a 400, and leaves no file"""
    with folders() as (_, there), receiver("--folder", there) as program:
        body = b"--x\r\nContent-Disposition: form-data; name=a; filename=b\r\n\r\nabc\r\n--x\r\n\r\nno head"
        head = b"POST /post HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n"
        assert program.talk(head % (b"multipart/form-data; boundary=x", len(body)) + body).startswith(b"HTTP/1.1 400 ")
        assert program.talk(head % (b"text/plain", len(body)) + body).startswith(b"HTTP/1.1 400 ")
        waits_until_empty(there)


def other_sites():
    """a form that a page of another site sends is refused, and leaves no file"""
    with folders() as (_, there), receiver("--folder", there) as program:
        body = b"--x\r\nContent-Disposition: form-data; name=a; filename=b\r\n\r\nabc\r\n--x--\r\n"
        head = b"POST /post HTTP/1.1\r\nHost: h\r\nConnection: close\r\n%bContent-Type: multipart/form-data; boundary=x\r\nContent-Length: %d\r\n\r\n"
        assert program.talk(head % (b"Origin: https://other.example\r\n", len(body)) + body).startswith(b"HTTP/1.1 403 ")
        waits_until_empty(there)
        assert program.talk(head % (b"", len(body)) + body).startswith(b"HTTP/1.1 200 ")


def peak(pid):
    """The most memory that a process has had, in bytes."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1]) * 1024


def sends_with_peak(program, *arguments):
    """The peak of a sender, which must succeed."""
    command = [UPLOAD, "send", "--url", f"http://127.0.0.1:{program.port}/", *arguments]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, arguments
    return usage.ru_maxrss * 1024


def constant_memory():
    """a file beyond the server's own limits takes no more memory than one of 1 MB, in the receiver and in the sender"""
    with folders() as (here, there), receiver("--folder", there) as program:
        paths = [os.path.join(here, name) for name in ("small", "large")]
        for path, size in zip(paths, (1 << 20, 101 << 20)):
            with open(path, "wb") as file:
                file.truncate(size)
        sender_peaks = []
        receiver_peaks = []
        for path in paths:
            sender_peaks.append(max(sends_with_peak(program, "--put", path), sends_with_peak(program, path)))
            receiver_peaks.append(peak(program.process.pid))
            assert sorted(os.path.getsize(os.path.join(there, name)) for name in os.listdir(there))[-2:] == [
                os.path.getsize(path)] * 2
        for peaks in (sender_peaks, receiver_peaks):
            assert peaks[1] - peaks[0] < 16 << 20, (sender_peaks, receiver_peaks)


def drains():
    """on SIGTERM the upload in progress goes on to its end"""
    with folders() as (_, there), receiver("--folder", there) as program:
        with program.connect() as connection:
            connection.sendall(b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc")
            wait_for_files(there, 1)
            program.begins_to_drain(signal.SIGINT)
            connection.sendall(b"def")
            assert connection.recv(1 << 16).endswith(b"\r\n\r\nOK")
        assert program.process.wait(PATIENCE) == 0, program.said
        assert [contents(os.path.join(there, name)) for name in os.listdir(there)] == [b"abcdef"]


def wrong_use():
    """a mistake in the arguments gives one clear line"""
    with folders() as (here, _), receiver() as program:
        url = f"http://127.0.0.1:{program.port}"
        nothing = os.path.join(here, "nothing")
        for arguments, line in {
            ("send",): "no files to send",
            ("send", "--url", url, nothing): f"{nothing}: No such file or directory",
            ("send", "--url", url, here): f"{here}: Is a directory",
            ("send", "--url", "ftp://h/", __file__): r"Invalid URL 'ftp://h/': [^\n]+",
            ("receive", "--folder", nothing): f"{nothing}: Not a directory",
            ("receive", "--port", str(program.port)):
                f"cannot listen on 127.0.0.1:{program.port}: Address already in use",
        }.items():
            status, said = fails(UPLOAD, *arguments)
            assert status == 1 and re.fullmatch(f"file_upload: {line}\n", said), (arguments, status, said)
        assert program.stop() == 0
        status, said = fails(UPLOAD, "send", "--url", url, __file__)
        assert status == 1 and "Connection refused" in said and said.count("\n") == 1, said
    for arguments in ([], ["--nonsense"], ["receive", "--nonsense"], ["send", "--timeout", "-1", "x"]):
        status, said = fails(UPLOAD, *arguments)
        assert status == 2 and re.fullmatch(r"file_upload: [^\n]+\n", said), (arguments, status, said)


tap = Tap()
tap.run([by_form, by_put, from_pipe, counts, too_large, leaves, malformed, other_sites, constant_memory, drains, wrong_use])
tap.end()
