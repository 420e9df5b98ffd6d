#!/usr/bin/env python3
"""Slow clients of a server: `slow_clients.py PORT KIND COUNT`, until its standard input ends.

    head    sends a request's head, one byte now and then
    body    sends a body, one byte now and then
    read    requests a large response, and reads nothing
    idle    connects, and sends nothing

Prints `attacking` once all are connected. Run it as a separate process, so that it does not slow down a client that is
measured meanwhile.
"""

import errno
import resource
import selectors
import socket
import sys
import time

INTERVAL = 0.2  # seconds from a byte to the next
HEADS = {
    "head": b"GET / HTTP/1.1\r\nHost: h\r\nX-Slow: ",
    "body": b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n",
    "read": b"GET /large?n=100000000 HTTP/1.1\r\nHost: h\r\n\r\n",
    "idle": b"",
}


def connect(port, kind):
    client = socket.socket()
    if kind == "read":
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(30)
    client.connect(("127.0.0.1", port))
    client.setblocking(False)
    client.sendall(HEADS[kind])
    return client


def attack(port, kind, count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else soft, hard))
    clients = {connect(port, kind) for _ in range(count)}
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin, selectors.EVENT_READ)
        if kind != "read":
            for client in clients:
                selector.register(client, selectors.EVENT_READ)
        print("attacking", flush=True)
        next_byte = time.monotonic() + INTERVAL
        while True:
            for key, _ in selector.select(max(0, next_byte - time.monotonic())):
                if key.fileobj is sys.stdin:
                    return
                if not receive(key.fileobj):
                    selector.unregister(key.fileobj)
                    clients.discard(key.fileobj)
                    key.fileobj.close()
            if time.monotonic() < next_byte:
                continue
            next_byte = time.monotonic() + INTERVAL
            if kind in ("head", "body"):
                for client in clients:
                    send_byte(client)


def receive(client):
    """False once the server has closed the connection."""
    try:
        return len(client.recv(65536)) > 0
    except OSError as error:
        return error.errno == errno.EAGAIN


def send_byte(client):
    try:
        client.send(b"x")
    except OSError:
        pass  # the server has closed it, and receive() will report that


if __name__ == "__main__":
    attack(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
