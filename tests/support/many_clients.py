"""Very many connections to a Program, and what the program holds for them."""

import pathlib
import resource
import socket
import struct
import time

from program import PATIENCE

# Connections from one address at a time: each needs a port of its own, which is in use for a minute after the end.
FROM_ONE_ADDRESS = 2500


def limit_descriptors(count):
    """Raises the limit of this process and of its children so that `count` connections fit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = max(soft, count * 2)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    assert hard > count + 100, f"{count} connections need more descriptors than the limit of {hard}"


def connect(program, number):
    """The connection with that number: its address is one of many in 127.1.0.0/16."""
    client = socket.socket()
    client.settimeout(PATIENCE)
    # The kernel chooses the port only in connect().
    client.setsockopt(socket.SOL_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
    address = number // FROM_ONE_ADDRESS
    client.bind((f"127.1.{address // 250 % 250}.{address % 250 + 1}", 0))
    client.connect(("127.0.0.1", program.port))
    return client


def reset(client):
    """Ends a connection with a reset instead of an orderly end."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def descriptors(program):
    return sum(1 for _ in pathlib.Path(f"/proc/{program.process.pid}/fd").iterdir())


def wait_for_descriptors(program, most, when, patience=PATIENCE):
    deadline = time.monotonic() + patience
    while (count := descriptors(program)) > most:
        assert time.monotonic() < deadline, f"{when}: {count} descriptors, {most} before"
        time.sleep(0.01)


def counts_memory(program_file):
    """Whether a program's memory shows what it uses: a sanitizer keeps freed memory, and has an allocator of its own."""
    return b"__asan_init" not in pathlib.Path(program_file).read_bytes()


def memory_allowance(program_file, count):
    """The bytes that rounds of `count` connections may add, because in another round more of them may be busy at once: a leak
    of a few bytes a connection is more."""
    return 2 * 1024 * 1024 + count * 1024 if counts_memory(program_file) else 1 << 40


def discard(stream):
    """Empties the pipe of the log, so that the server does not wait."""
    while stream.read1():
        pass
