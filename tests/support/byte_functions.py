"""Squall's functions of bytes, by a program that runs as long as the test: tests/web/tornado_program.cc."""

import subprocess


class ByteFunctions:
    """`functions.linkify(b"text", ...)` sends a command to the program, and returns its bytes, or None."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def call(self, name, *arguments):
        line = " ".join([name, *(argument.hex() or "-" for argument in arguments)])
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip().decode()
        assert answer, f"the program ended at: {line}"
        return None if answer == "none" else bytes.fromhex("" if answer == "-" else answer)

    def __getattr__(self, name):
        return lambda *arguments: self.call(name, *arguments)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
