"""A link in user space: packets between two TUN devices, with a rate, a delay and loss.

shape.py DEVICE DEVICE BITS_PER_SECOND DELAY_MS LOSS_SHARE QUEUE_MS

For kernels without netem. The devices carry whole IP packets, so TCP on either side meets real
delay, real loss and a queue that overflows. Says "ready" when both devices exist; ends with its
standard input. Loss follows from a fixed seed: every target meets the same dice.
"""

import fcntl
import heapq
import os
import random
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000


def device(name):
    file = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(file, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return file


def main():
    first, second, rate, delay, loss, queue = sys.argv[1:7]
    rate, delay, loss, queue = float(rate), float(delay) / 1000, float(loss), float(queue) / 1000
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -15)  # A late link would be another link.
    except PermissionError:
        pass
    files = [device(first), device(second)]
    other = {files[0]: files[1], files[1]: files[0]}
    free_at = dict.fromkeys(files, 0.0)
    dice = {file: random.Random(index + 1) for index, file in enumerate(files)}
    under_way, number = [], 0
    print("ready", flush=True)
    while True:
        wait = max(0.0, under_way[0][0] - time.monotonic()) if under_way else None
        readable, _, _ = select.select([*files, 0], [], [], wait)
        now = time.monotonic()
        while under_way and under_way[0][0] <= now:
            _, _, file, packet = heapq.heappop(under_way)
            try:
                os.write(file, packet)
            except OSError:
                pass  # The device is down or full: a packet lost, as on any link.
        for file in readable:
            if file == 0:
                if not os.read(0, 4096):
                    return
                continue
            for _ in range(64):
                try:
                    packet = os.read(file, 65536)
                except OSError:
                    break
                begin = max(now, free_at[file])
                if begin - now > queue or dice[file].random() < loss:
                    continue
                free_at[file] = begin + len(packet) * 8 / rate
                number += 1
                heapq.heappush(under_way, (free_at[file] + delay, number, other[file], packet))


main()
