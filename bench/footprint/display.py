#!/usr/bin/env python3
"""Memory of one display container (X server and streamer) at 1920x1080 with one viewer.

Proportional set size, so that pages shared with other containers count once in all of them
together. Prints one JSON object; exits 1 when it is over the aim.
"""

import argparse
import base64
import json
import os
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import uuid

AIM_KIB = 90 * 1024


def engine(*arguments):
    """Runs the container engine's client; what it printed."""
    client = os.environ.get("PORTHOLE_ENGINE_CLI", "docker")
    return subprocess.run(
        [client, *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


class Viewer:
    """A viewer that asks for everything, takes it, and looks at nothing."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(path)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            (
                "GET /rfb?access=control HTTP/1.1\r\nHost: display\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                f"Sec-WebSocket-Key: {key}\r\n\r\n"
            ).encode()
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.read(1)
        self.size = (0, 0)
        self.updates = 0
        self.bytes = 0

    def read(self, length):
        data = bytearray()
        while len(data) < length:
            part = self.socket.recv(length - len(data))
            if not part:
                sys.exit("the display closed the viewer's connection")
            data += part
        return bytes(data)

    def send(self, data):
        mask = os.urandom(4)
        head = bytes([0x82, 0x80 | len(data)])
        if len(data) > 125:
            head = bytes([0x82, 0x80 | 126]) + struct.pack(">H", len(data))
        self.socket.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def message(self):
        _, length = self.read(2)
        if length == 126:
            length = struct.unpack(">H", self.read(2))[0]
        elif length == 127:
            length = struct.unpack(">Q", self.read(8))[0]
        data = self.read(length)
        self.bytes += length
        if data[:1] == b"\0" and self.size != (0, 0):
            self.updates += 1
        elif data[:1] == b"\xf8" and data[4] & 0x80:
            # A fence that wants an answer.
            self.send(data[:4] + bytes([data[4] & 0x7F]) + data[5:])
        return data

    def start(self):
        self.message()
        self.send(b"RFB 003.008\n")
        self.message()
        self.send(b"\1")
        self.message()
        self.send(b"\1")
        init = self.message()
        self.size = struct.unpack(">HH", init[:4])
        # Tight, quality 6, compression 2, LastRect, cursor, sizes, fences, continuous updates.
        encodings = [7, -26, -254, -224, -314, -308, -312, -313]
        self.send(struct.pack(">BxH", 2, len(encodings)) + struct.pack(f">{len(encodings)}i", *encodings))
        self.send(struct.pack(">BBHHHH", 150, 1, 0, 0, 65535, 65535))
        self.send(struct.pack(">BBHHHH", 3, 0, 0, 0, 65535, 65535))

    def watch(self, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            # Only whole messages are read, so that a time-out never falls into one.
            if select.select([self.socket], [], [], left)[0]:
                self.message()


def processes(container):
    """The process ids of a container and their names."""
    rows = engine("top", container, "-eo", "pid,comm").splitlines()[1:]
    return [(int(row.split()[0]), row.split()[1]) for row in rows]


def pss(pid):
    """Kilobytes by kind of a process."""
    found = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            name, _, rest = line.partition(":")
            if name in ("Rss", "Pss", "Pss_Anon", "Pss_File", "Pss_Shmem"):
                found[name] = int(rest.split()[0])
    return found


def measure(image, workspace, seconds):
    name = f"porthole-bench-{uuid.uuid4().hex[:8]}"
    folder = tempfile.mkdtemp(prefix="ph-")
    containers = []
    try:
        for part in ("x11", "stream"):
            os.mkdir(f"{folder}/{part}")
            os.chmod(f"{folder}/{part}", 0o777)
        os.chmod(folder, 0o755)
        containers.append(name)
        started = time.monotonic()
        engine(
            "run", "--detach", "--name", name, "--network", "none", "--read-only",
            "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--ipc", "shareable",
            "--shm-size", "512m", "--tmpfs", "/tmp", "--env", "PORTHOLE_DISPLAY_SIZE=1920x1080",
            "--volume", f"{folder}/x11:/tmp/.X11-unix", "--volume", f"{folder}/stream:/run/porthole",
            image,
        )  # fmt: skip
        path = f"{folder}/stream/display.sock"
        while not os.path.exists(path):
            if time.monotonic() - started > 30:
                sys.exit(f"the display was not ready in 30 s: {engine('logs', name)}")
            time.sleep(0.005)
        ready_ms = round((time.monotonic() - started) * 1000)
        viewer = Viewer(path)
        viewer.start()
        viewer.watch(1)
        if workspace:
            containers.append(f"{name}-w")
            engine(
                "run", "--detach", "--name", f"{name}-w", "--network", "none",
                "--ipc", f"container:{name}", "--env", "DISPLAY=:1",
                "--volume", f"{folder}/x11:/tmp/.X11-unix:ro", workspace,
            )  # fmt: skip
        viewer.watch(seconds)
        parts = []
        for pid, command in processes(name):
            parts.append({"process": command, **pss(pid)})
        return {
            "what": "display container, 1920x1080, one viewer",
            "size": viewer.size,
            "workspace": workspace,
            "ready_ms": ready_ms,
            "updates": viewer.updates,
            "update_bytes": viewer.bytes,
            "pss_kib": sum(part["Pss"] for part in parts),
            "aim_kib": AIM_KIB,
            "processes": parts,
        }
    finally:
        for container in reversed(containers):
            subprocess.run(
                [os.environ.get("PORTHOLE_ENGINE_CLI", "docker"), "rm", "--force", container],
                capture_output=True,
                check=False,
            )
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", default="porthole/display:0.1.0")
    parser.add_argument("--workspace", default="", help="an image that draws on the display")
    parser.add_argument("--seconds", type=float, default=3, help="how long the viewer watches")
    arguments = parser.parse_args()
    result = measure(arguments.image, arguments.workspace, arguments.seconds)
    print(json.dumps(result, indent=2))
    if result["pss_kib"] > AIM_KIB:
        sys.exit(f"{result['pss_kib']} KiB are over the aim of {AIM_KIB} KiB")


if __name__ == "__main__":
    main()
