#!/usr/bin/env python3
"""The host's end of the connections of the case "net".

    tcp_ends.py FOLDER            port 7001 sends 16 MiB, port 7002 receives them again, then they go to port 7003
    tcp_ends.py --judge FOLDER    succeeds if all that was so, and what came back is what was sent
"""

import hashlib
import json
import random
import socket
import sys
import time
from pathlib import Path

BYTES = 16 << 20
PATIENCE_S = 400


def bytes_to_send() -> bytes:
    return random.Random(8).randbytes(BYTES)


def send(connection: socket.socket) -> str:
    data = bytes_to_send()
    connection.sendall(data)
    return hashlib.sha256(data).hexdigest()


def receive(connection: socket.socket) -> str:
    digest = hashlib.sha256()
    while chunk := connection.recv(1 << 20):
        digest.update(chunk)
    return digest.hexdigest()


def serve(folder: Path) -> None:
    sums = {}
    servers = [(name, work, socket.create_server(("127.0.0.1", port)))
               for name, work, port in (("down", send, 7001), ("up", receive, 7002))]  # fmt: skip
    for name, work, server in servers:
        server.settimeout(PATIENCE_S)
        begin = time.monotonic()
        with server.accept()[0] as connection:
            sums[name] = work(connection)
        print(f"{name}: {sums[name]}, {time.monotonic() - begin:.1f} s", flush=True)
    # passt takes the connection whether or not the guest listens yet, and resets it if not.
    for _ in range(30):
        time.sleep(1)
        try:
            with socket.create_connection(("127.0.0.1", 7003), timeout=60) as connection:
                sums["in"] = send(connection)
                connection.shutdown(socket.SHUT_WR)
                connection.recv(1)
                break
        except OSError as error:
            print("port 7003:", error, flush=True)
    (folder / "tcp.json").write_text(json.dumps(sums))


def judge(folder: Path) -> int:
    sums = json.loads((folder / "tcp.json").read_text())
    return 0 if sums == dict.fromkeys(("down", "up", "in"), hashlib.sha256(bytes_to_send()).hexdigest()) else 1


def main() -> int:
    if sys.argv[1] == "--judge":
        return judge(Path(sys.argv[2]))
    serve(Path(sys.argv[1]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
