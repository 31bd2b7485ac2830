#!/usr/bin/env python3
"""Signs in, launches a workspace over the API, and waits for the first picture of its display.

Needs nothing but Python. Used by `make fresh` and by the test behind nginx.
"""

import argparse
import base64
import http.client
import json
import os
import socket
import ssl
import struct
import sys
import time
from urllib.parse import urlsplit


class Failure(Exception):
    """What failed, in words for a person."""


class Api:
    """The v1 API at one address. `connect_to` (host, port) overrides where the name leads."""

    def __init__(self, url, connect_to=None, timeout=30):
        self.url = urlsplit(url)
        self.address = connect_to or (self.url.hostname, self.url.port or 443)
        self.timeout = timeout
        self.token = None
        # The self-signed certificate of a first start: what is tested here is not trust.
        self.tls = ssl.create_default_context()
        self.tls.check_hostname = False
        self.tls.verify_mode = ssl.CERT_NONE

    @property
    def origin(self):
        return f"{self.url.scheme}://{self.url.netloc}"

    def socket(self):
        plain = socket.create_connection(self.address, timeout=self.timeout)
        return self.tls.wrap_socket(plain, server_hostname=self.url.hostname)

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.url.netloc, timeout=self.timeout)
        connection.sock = self.socket()
        headers = {"Host": self.url.netloc, "Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        payload = None
        if body is not None:
            payload = json.dumps(body)
            headers["Content-Type"] = "application/json"
        connection.request(method, path, payload, headers)
        response = connection.getresponse()
        text = response.read().decode("utf-8", "replace")
        connection.close()
        if response.status >= 400:
            raise Failure(f"{method} {path} → {response.status}: {text[:400]}")
        return json.loads(text) if text else None

    def login(self, username, password):
        answer = self.call("POST", "/api/v1/auth/login", {"username": username, "password": password})
        self.token = answer["token"]


class WebSocket:
    """As much of RFC 6455 as a client needs to read a stream of binary messages."""

    def __init__(self, api, url):
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        self.stream = api.socket()
        key = base64.b64encode(os.urandom(16)).decode()
        self.stream.sendall(
            (
                f"GET {path} HTTP/1.1\r\nHost: {api.url.netloc}\r\nOrigin: {api.origin}\r\n"
                "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: binary\r\n\r\n"
            ).encode()
        )
        self.buffer = b""
        head = self._until(b"\r\n\r\n").decode("latin-1")
        if " 101 " not in head.splitlines()[0]:
            raise Failure(f"the stream was not opened: {head.splitlines()[0]}")
        self.data = b""

    def _more(self):
        chunk = self.stream.recv(65536)
        if not chunk:
            raise Failure("the stream ended")
        self.buffer += chunk

    def _until(self, mark):
        while mark not in self.buffer:
            self._more()
        head, self.buffer = self.buffer.split(mark, 1)
        return head

    def _take(self, count):
        while len(self.buffer) < count:
            self._more()
        piece, self.buffer = self.buffer[:count], self.buffer[count:]
        return piece

    def _frame(self):
        first, second = self._take(2)
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack(">H", self._take(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", self._take(8))
        payload = self._take(length)
        opcode = first & 0x0F
        if opcode == 8:
            code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else 1005
            raise Failure(f"the stream was closed: {code} {payload[2:].decode('utf-8', 'replace')}")
        if opcode == 9:
            self.send(payload, opcode=10)
        elif opcode in (0, 2):
            self.data += payload

    def read(self, count):
        """Exactly `count` bytes of the messages' contents."""
        while len(self.data) < count:
            self._frame()
        piece, self.data = self.data[:count], self.data[count:]
        return piece

    def send(self, payload, opcode=2):
        mask = os.urandom(4)
        length = len(payload)
        head = bytes([0x80 | opcode])
        head += bytes([0x80 | length]) if length < 126 else struct.pack(">BH", 0x80 | 126, length)
        self.stream.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))


def first_frame(stream, deadline):
    """RFB 3.8 (RFC 6143) up to a picture with more than one colour. Returns its size."""
    version = stream.read(12)
    if not version.startswith(b"RFB 003.008"):
        raise Failure(f"the display greets with {version!r}")
    stream.send(b"RFB 003.008\n")
    kinds = stream.read(stream.read(1)[0])
    if 1 not in kinds:
        raise Failure(f"the display offers security types {list(kinds)} without None (1)")
    stream.send(b"\x01")
    if stream.read(4) != b"\0\0\0\0":
        raise Failure("the display refused the connection")
    stream.send(b"\x01")
    width, height = struct.unpack(">HH", stream.read(4))
    stream.read(16)
    stream.read(struct.unpack(">I", stream.read(4))[0])
    # 32 bits per pixel, true colour, Raw only: the plainest picture there is.
    stream.send(struct.pack(">BxxxBBBBHHHBBBxxx", 0, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0))
    stream.send(struct.pack(">BxHi", 2, 1, 0))
    incremental = 0
    while time.monotonic() < deadline:
        stream.send(struct.pack(">BBHHHH", 3, incremental, 0, 0, width, height))
        incremental = 1
        colours = set()
        kind = stream.read(1)[0]
        while kind != 0:
            if kind == 3:
                stream.read(3)
                stream.read(struct.unpack(">I", stream.read(4))[0])
            elif kind != 2:
                raise Failure(f"message {kind} was not asked for")
            kind = stream.read(1)[0]
        stream.read(1)
        (count,) = struct.unpack(">H", stream.read(2))
        for _ in range(count):
            _, _, w, h, encoding = struct.unpack(">HHHHi", stream.read(12))
            if encoding != 0:
                raise Failure(f"encoding {encoding} was not asked for")
            pixels = stream.read(w * h * 4)
            colours.update(pixels[i : i + 3] for i in range(0, len(pixels), 4))
        if len(colours) > 1:
            return width, height
    raise Failure("no picture with more than one colour came in time")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default=os.environ.get("PORTHOLE_URL", "https://localhost:8443"))
    parser.add_argument("--connect-to", help="HOST:PORT to connect to instead of the URL's own")
    parser.add_argument("--user", default=os.environ.get("PORTHOLE_USER", "user@kasm.local"))
    parser.add_argument("--workspace", default="Terminal")
    parser.add_argument("--timeout", type=float, default=90, help="seconds for the whole")
    parser.add_argument("--hold", type=float, default=0, help="seconds to keep the stream open after the first picture")
    options = parser.parse_args()
    password = os.environ.get("PORTHOLE_USER_PASSWORD")
    if not password:
        raise Failure("PORTHOLE_USER_PASSWORD is not set")
    connect_to = None
    if options.connect_to:
        host, port = options.connect_to.rsplit(":", 1)
        connect_to = (host, int(port))
    deadline = time.monotonic() + options.timeout
    api = Api(options.url, connect_to)
    api.login(options.user, password)
    workspaces = api.call("GET", "/api/v1/workspaces")["items"]
    chosen = [w for w in workspaces if w["name"].lower() == options.workspace.lower()]
    if not chosen:
        raise Failure(f"no workspace '{options.workspace}'; there are: {', '.join(w['name'] for w in workspaces)}")
    clicked = time.monotonic()
    session = api.call("POST", "/api/v1/sessions", {"workspace_id": chosen[0]["id"], "width": 1280, "height": 720})
    path = f"/api/v1/sessions/{session['id']}"
    try:
        while True:
            # A session that is only just being placed has no display yet.
            try:
                ticket = api.call("POST", f"{path}/connect", {})
                stream = WebSocket(api, ticket["url"] if "ticket=" in ticket["url"] else f"{ticket['url']}?ticket={ticket['ticket']}")
                width, height = first_frame(stream, deadline)
                break
            except Failure as failure:
                state = api.call("GET", path)
                if state["state"] == "failed" or time.monotonic() > deadline:
                    raise Failure(f"{failure}; the session is {state['state']}: {state.get('failure')}") from failure
                time.sleep(0.2)
        print(f"first picture of {options.workspace}: {width}×{height} after {time.monotonic() - clicked:.2f} s")
        if options.hold:
            held = time.monotonic() + options.hold
            while time.monotonic() < held:
                stream.send(struct.pack(">BBHHHH", 3, 0, 0, 0, 16, 16))
                stream.read(4 + 12 + 16 * 16 * 4)
                time.sleep(0.5)
            print(f"the stream held for {options.hold:g} s")
    finally:
        api.call("DELETE", path)
    while True:
        try:
            state = api.call("GET", path)
        except Failure as failure:
            if "404" in str(failure):
                break
            raise
        if time.monotonic() > deadline:
            raise Failure(f"the session is still {state['state']} after it was deleted")
        time.sleep(0.2)
    print("the session is gone after its deletion")


if __name__ == "__main__":
    try:
        main()
    except (Failure, OSError, ssl.SSLError) as failure:
        sys.exit(f"first_frame: {failure}")
