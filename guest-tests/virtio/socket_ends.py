#!/usr/bin/env python3
"""The host's end of the cases "ports" and "vsock", in the folder FOLDER of the case.

    socket_ends.py port FOLDER         sends 1 MiB to the socket "echo" and wants it back
    socket_ends.py vsock FOLDER        echoes to whom connects to "vsock_6000", and wants 100 echoes at once by "vsock"
    socket_ends.py --judge FOLDER      succeeds if it said that all was well
"""

import random
import socket
import sys
import threading
import time
from pathlib import Path

PATIENCE_S = 400
CONNECTIONS = 100
BYTES = 64 << 10


def connect(path: Path) -> socket.socket:
    end = time.monotonic() + PATIENCE_S
    while True:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(PATIENCE_S)
        try:
            connection.connect(str(path))
            return connection
        except OSError:
            connection.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def receive(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = connection.recv(size - len(data))
        if not chunk:
            raise EOFError(f"{len(data)} bytes of {size} came back")
        data += chunk
    return data


def comes_back(connection: socket.socket, data: bytes) -> bool:
    sender = threading.Thread(target=connection.sendall, args=(data,))
    sender.start()
    same = receive(connection, len(data)) == data
    sender.join()
    return same


def port(folder: Path) -> bool:
    with connect(folder / "echo") as connection:
        return comes_back(connection, random.Random(3).randbytes(1 << 20))


def echo(server: socket.socket) -> None:
    connection = server.accept()[0]
    while data := connection.recv(1 << 16):
        connection.sendall(data)


def into_guest(folder: Path) -> socket.socket:
    """Until somebody listens in the guest, a connection is closed without an answer."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        connection = connect(folder / "vsock")
        connection.sendall(b"CONNECT 5000\n")
        if receive_line(connection).startswith(b"OK "):
            return connection
        connection.close()
        time.sleep(0.5)
    raise TimeoutError("nobody listens in the guest")


def receive_line(connection: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        byte = connection.recv(1)
        if not byte:
            break
        line += byte
    return line


def vsock(folder: Path) -> bool:
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(str(folder / "vsock_6000"))
    server.listen()
    echoes = threading.Thread(target=echo, args=(server,), daemon=True)
    echoes.start()
    connections = [into_guest(folder) for _ in range(CONNECTIONS)]
    same = [False] * CONNECTIONS

    def one(number: int) -> None:
        same[number] = comes_back(connections[number], random.Random(number).randbytes(BYTES))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for connection in connections:
        connection.close()
    print(f"{sum(same)} of {CONNECTIONS} echoes came back as they were sent", flush=True)
    echoes.join(PATIENCE_S)  # the guest's own connection
    return all(same) and not echoes.is_alive()


def main() -> int:
    what, folder = sys.argv[1], Path(sys.argv[2])
    verdict = folder / "verdict"
    if what == "--judge":
        return 0 if verdict.read_text() == "well" else 1
    verdict.write_text("well" if {"port": port, "vsock": vsock}[what](folder) else "not the same bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
