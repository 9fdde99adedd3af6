"""The inner half of `orthanc_rig`: runs inside a network namespace of its own, with an Orthanc as its child.

Started by `orthanc_rig` through `unshare -n`; needs the standard library only.  The two
listening sockets that it is given were made outside, and stay of the outside: that is how
Orthanc is reached at 127.0.0.1 there, although its own ports exist in here only.  The way
back, for C-MOVE, asks the outside to dial and gets the connection as a file descriptor.

When the control socket closes, or the process that started this one dies, Orthanc is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"
PIECE = 1 << 18
START_S, END_S = 20.0, 10.0
SIOCSIFFLAGS, IFF_UP, IFF_RUNNING = 0x8914, 0x1, 0x40  # netdevice(7)
PR_SET_PDEATHSIG = 1  # prctl(2)


def loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", IFF_UP | IFF_RUNNING)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)


def die_with_parent() -> None:
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


async def pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, comes_from: asyncio.StreamWriter
) -> None:
    try:
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
            # no side waits for an acknowledgement of ours, as if there was no relay (the wish does not last)
            for side in (comes_from, writer):
                side.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        writer.write_eof()
    except OSError:
        writer.transport.abort()


async def join(caller: socket.socket, called: socket.socket) -> None:
    """Both ways; ends when the called side has closed and the caller has got all that it said."""
    streams = []
    for end in (caller, called):
        end.setblocking(False)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        streams.append(await asyncio.open_connection(sock=end, limit=PIECE))
    (from_caller, to_caller), (from_called, to_called) = streams
    forth = asyncio.create_task(pump(from_caller, to_called, to_caller))
    try:
        await pump(from_called, to_caller, to_called)
    finally:
        forth.cancel()
        to_caller.close()
        to_called.close()


class Inside:
    def __init__(self, control: socket.socket, dialer: socket.socket, move_port: int) -> None:
        self.control, self.dialer, self.move_port = control, dialer, move_port
        self.orthanc: subprocess.Popen[bytes] | None = None
        self.listeners: list[asyncio.Task[None]] = []
        self.connections: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        back = socket.create_server((LOOPBACK, self.move_port))
        back.setblocking(False)
        back_task = asyncio.create_task(self.listen(back, self.dial_outside))
        self.control.setblocking(False)
        ready = asyncio.Event()
        loop.add_reader(self.control, ready.set)
        while True:
            await ready.wait()
            ready.clear()
            try:
                text, fds, _, _ = socket.recv_fds(self.control, 1 << 16, 2)
            except BlockingIOError:
                continue
            if not text:
                break
            answer = await self.answer(json.loads(text), fds)
            self.control.send(json.dumps(answer).encode())
        back_task.cancel()
        await self.end(signal.SIGKILL)

    async def answer(self, asked: dict[str, Any], fds: list[int]) -> dict[str, Any]:
        if asked["do"] == "start":
            return await self.start(asked, fds)
        return {"code": await self.end(asked["signal"])}

    async def start(self, asked: dict[str, Any], fds: list[int]) -> dict[str, Any]:
        with Path(asked["log"]).open("ab") as log:
            self.orthanc = subprocess.Popen(
                asked["command"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent
            )
        ports = (asked["http"], asked["dimse"])
        until = time.monotonic() + START_S
        while not all(self.answers(port) for port in ports):
            if self.orthanc.poll() is not None or time.monotonic() > until:
                for fd in fds:
                    os.close(fd)
                return {"error": f"Orthanc did not start (exit code {await self.end(signal.SIGKILL)})"}
            await asyncio.sleep(0.01)
        for fd, port in zip(fds, ports, strict=True):
            listener = socket.socket(fileno=fd)
            listener.setblocking(False)
            self.listeners.append(
                asyncio.create_task(self.listen(listener, lambda port=port: self.dial_inside(port)))
            )
        return {"pid": self.orthanc.pid}

    @staticmethod
    def answers(port: int) -> bool:
        try:
            socket.create_connection((LOOPBACK, port), timeout=1).close()
        except OSError:
            return False
        return True

    async def listen(self, listener: socket.socket, dial: Any) -> None:
        loop = asyncio.get_running_loop()
        with listener:
            while True:
                connection, _ = await loop.sock_accept(listener)
                try:
                    other = dial()
                except OSError:
                    # closed at once and with a reset, as if nobody had listened
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    connection.close()
                    continue
                task = asyncio.create_task(join(connection, other))
                self.connections.add(task)
                task.add_done_callback(self.connections.discard)

    @staticmethod
    def dial_inside(port: int) -> socket.socket:
        return socket.create_connection((LOOPBACK, port), timeout=5)

    def dial_outside(self) -> socket.socket:
        self.dialer.send(b"dial")
        _, fds, _, _ = socket.recv_fds(self.dialer, 16, 1)
        if not fds:
            raise ConnectionRefusedError
        return socket.socket(fileno=fds[0])

    async def end(self, number: int) -> int | None:
        """Nobody is let in any more, then Orthanc gets the signal and has `END_S` to go."""
        for task in self.listeners:
            task.cancel()
        await asyncio.gather(*self.listeners, return_exceptions=True)
        self.listeners.clear()
        if self.orthanc is None:
            return None
        self.orthanc.send_signal(number)
        until = time.monotonic() + END_S
        while self.orthanc.poll() is None:
            if time.monotonic() > until:
                self.orthanc.kill()
            await asyncio.sleep(0.005)
        code, self.orthanc = self.orthanc.returncode, None
        if self.connections:  # what Orthanc's end closed reaches the outside
            await asyncio.wait(self.connections, timeout=1)
        for task in tuple(self.connections):
            task.cancel()
        return code


def main() -> None:
    die_with_parent()
    control, dialer, move_port = (int(word) for word in sys.argv[1:])
    loopback_up()
    inside = Inside(socket.socket(fileno=control), socket.socket(fileno=dialer), move_port)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(inside.run())


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ^C is pytest's to handle; it closes the control socket
    main()
