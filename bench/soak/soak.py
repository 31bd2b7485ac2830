#!/usr/bin/env python3
"""Whether the streamer or its X server grows: text scrolls at 60 updates a second for ten minutes.

Runs a porthole-display of its own with one viewer that takes everything and one that does not read.
Prints one JSON object; exits 1 when memory grew, or when fewer than half of the updates arrived.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "footprint"))
from display import Viewer, pss  # noqa: E402

RATE = 60
# Buffers find their sizes first.
WARM_UP_S = 20
GROWTH_KIB = 2048


def wait_for(what, found, process):
    start = time.monotonic()
    while not (result := found()):
        if process.poll() is not None or time.monotonic() - start > 30:
            sys.exit(f"{what} did not come within 30 s")
        time.sleep(0.01)
    return result


def display_name(path):
    """The X display's name, such as `:3`."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(path)
        connection.sendall(b"GET /status HTTP/1.1\r\nHost: display\r\nConnection: close\r\n\r\n")
        with connection.makefile("rb") as answer:
            return json.loads(answer.read().partition(b"\r\n\r\n")[2])["display"]


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def soak(programs, seconds):
    with tempfile.TemporaryDirectory(prefix="ph-") as folder:
        path = f"{folder}/display.sock"
        settings = {
            "SOCKET": path, "FRAMEBUFFER_DIR": folder, "NUMBER": "auto", "SIZE": "1920x1080",
            "LOG": "warn",
        }  # fmt: skip
        environment = {f"PORTHOLE_DISPLAY_{name}": value for name, value in settings.items()}
        display = subprocess.Popen([programs / "porthole-display"], env={**os.environ, **environment})
        scene = None
        try:
            wait_for("the display's socket", lambda: os.path.exists(path), display)
            viewer = Viewer(path)
            viewer.start()
            viewer.watch(0.5)
            stuck = Viewer(path)
            stuck.start()
            x_server = wait_for("the X server", lambda: children(display.pid), display)[0]
            scene = subprocess.Popen(
                [programs / "porthole-scene", "scroll"],
                env={**os.environ, "DISPLAY": display_name(path)},
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
            )  # fmt: skip
            scene.stdin.write(f"start {RATE} {seconds + WARM_UP_S + 10}\n")
            scene.stdin.flush()
            viewer.watch(WARM_UP_S)
            parts = {"streamer": display.pid, "x_server": x_server}
            before = {part: pss(pid)["Pss"] for part, pid in parts.items()}
            updates, since = viewer.updates, time.monotonic()
            viewer.watch(seconds)
            rate = (viewer.updates - updates) / (time.monotonic() - since)
            after = {part: pss(pid)["Pss"] for part, pid in parts.items()}
            return {
                "what": "text scrolling at 60 lines/s, one viewer and one that does not read",
                "seconds": seconds,
                "updates_per_second": round(rate, 1),
                "pss_kib_start": before,
                "pss_kib_end": after,
                "allowed_growth_kib": GROWTH_KIB,
            }
        finally:
            for process in (scene, display):
                if process:
                    process.terminate()
                    process.wait(10)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=Path, required=True, help="the folder of the programs")
    parser.add_argument("--seconds", type=int, default=600, help="how long memory may not grow")
    arguments = parser.parse_args()
    result = soak(arguments.programs.resolve(), arguments.seconds)
    print(json.dumps(result, indent=2))
    if result["updates_per_second"] < RATE / 2:
        sys.exit(f"only {result['updates_per_second']} updates/s arrived")
    for part, start in result["pss_kib_start"].items():
        if result["pss_kib_end"][part] > start + GROWTH_KIB:
            sys.exit(f"the {part} grew by {result['pss_kib_end'][part] - start} KiB")


if __name__ == "__main__":
    main()
