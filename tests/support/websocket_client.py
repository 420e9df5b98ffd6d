"""A client that is written from RFC 6455 by hand, for tests that determine which bytes are sent, and when."""

import base64
import hashlib
import os
import struct

from program import read_to_end

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
FIN, RSV1 = 0x80, 0x40


def frame(opcode, payload=b"", first=FIN, key=None):
    """The bytes of a masked frame; `key`: b"\\0\\0\\0\\0" masks a large payload without work."""
    key = os.urandom(4) if key is None else key
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", first | opcode, 0x80 | size)
    elif size < 65536:
        head = struct.pack("!BBH", first | opcode, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", first | opcode, 0x80 | 127, size)
    if any(key):
        stream = (key * (size // 4 + 1))[:size]
        payload = (int.from_bytes(payload, "big") ^ int.from_bytes(stream, "big")).to_bytes(size, "big")
    return head + key + payload


def close_payload(code, reason=b""):
    return struct.pack("!H", code) + reason


def handshake(port, path, **more):
    """The bytes of an opening handshake, and its key. `Sec_WebSocket_Protocol=...` adds a field."""
    key = base64.b64encode(os.urandom(16)).decode()
    fields = {
        "Host": f"127.0.0.1:{port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Version": "13",
        **{name.replace("_", "-"): value for name, value in more.items() if value},
    }
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode(), key


class WebSocketClient:
    """An open WebSocket. `fields` has those of the server's answer; `connection` may be given, otherwise it is made."""

    def __init__(self, program, path, extensions=None, subprotocols=None, connection=None):
        self.socket = connection or program.connect()
        self.buffer = b""
        request, key = handshake(program.port, path, Sec_WebSocket_Extensions=extensions, Sec_WebSocket_Protocol=subprotocols)
        self.socket.sendall(request)
        while b"\r\n\r\n" not in self.buffer:
            self.fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        status, *rest = head.decode().split("\r\n")
        self.fields = dict(line.split(": ", 1) for line in rest)
        assert status == "HTTP/1.1 101 Switching Protocols", head
        proof = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        assert self.fields["Sec-WebSocket-Accept"] == base64.b64encode(proof).decode(), head

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def fill(self):
        piece = self.socket.recv(1 << 18)
        assert piece, f"the server has closed behind {self.buffer[:100]!r}"
        self.buffer += piece

    def receive(self, count):
        while len(self.buffer) < count:
            if count - len(self.buffer) > 1 << 18:
                self.receive_large(count)
            else:
                self.fill()
        received, self.buffer = self.buffer[:count], self.buffer[count:]
        return received

    def receive_large(self, count):
        whole = bytearray(count)
        whole[: len(self.buffer)] = self.buffer
        at = len(self.buffer)
        while at < count:
            size = self.socket.recv_into(memoryview(whole)[at:])
            assert size, f"the server has closed {count - at} bytes early"
            at += size
        self.buffer = bytes(whole)

    def send(self, opcode, payload=b"", first=FIN):
        self.socket.sendall(frame(opcode, payload, first))

    def frame(self):
        """(first byte: the opcode with its bits, payload) of the server's next frame."""
        first, size = self.receive(2)
        assert size < 0x80, "the server masks its frames"
        if size == 126:
            (size,) = struct.unpack("!H", self.receive(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self.receive(8))
        return first, self.receive(size)

    def expect(self, opcode, payload):
        first, received = self.frame()
        assert (first, received) == (FIN | opcode, payload), (first, received[:100])

    def expect_end(self):
        rest = self.buffer + read_to_end(self.socket)
        assert rest == b"", rest[:100]
