"""Times peers in turn, A B C A B C, so that a machine whose speed drifts slows all of them alike."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field


# The kernel keeps cleaning up a VM after its process has ended. The next peer must not pay for that.
SETTLE_S = 0.2


@dataclass
class Peer:
    name: str
    command: list[str]
    ok_status: int = 0
    seconds: list[float] = field(default_factory=list)
    trouble: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def spawn_to_end(peer: Peer) -> float:
    """Times the whole process, from fork to its end."""
    start = time.monotonic()
    run = subprocess.run(peer.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    seconds = time.monotonic() - start
    if run.returncode != peer.ok_status:
        raise RuntimeError(f"{peer.name} ended with {run.returncode}: {run.stderr.decode(errors='replace')[-300:]}")
    return seconds


def spawn_to_marker(marker: bytes, timeout_s: float) -> Callable[[Peer], float]:
    """Times from fork to `marker` on the peer's standard output, and then kills the peer."""

    def measure(peer: Peer) -> float:
        start = time.monotonic()
        with subprocess.Popen(peer.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            said = b""
            try:
                while marker not in said:
                    chunk = os.read(process.stdout.fileno(), 65536)
                    if not chunk or time.monotonic() - start > timeout_s:
                        raise RuntimeError(f"{peer.name} never printed the marker; its last words: {said[-300:]!r}")
                    said += chunk
                return time.monotonic() - start
            finally:
                process.kill()

    return measure


def in_turn(peers: list[Peer], rounds: int, measure: Callable[[Peer], float]) -> None:
    """Runs one round that does not count, then `rounds` that do. A peer that fails is not measured again, and says
    why."""
    for number in range(rounds + 1):
        for peer in peers:
            if peer.trouble:
                continue
            time.sleep(SETTLE_S)
            try:
                seconds = measure(peer)
            except (RuntimeError, OSError) as error:
                peer.trouble = str(error)
                continue
            if number > 0:
                peer.seconds.append(seconds)


def table(peers: list[Peer], unit: str = "ms") -> str:
    """Returns Markdown: median, minimum and maximum, and the multiple of the first peer's median."""
    scale = {"ms": 1000, "s": 1}[unit]
    rows = [f"| | median, {unit} | min | max | against {peers[0].name} |", "|---|---|---|---|---|"]
    for peer in peers:
        if peer.trouble or not peer.seconds:
            rows.append(f"| {peer.name} | - | - | - | did not run: {peer.trouble.splitlines()[0][:120]} |")
            continue
        ratio = peer.median / peers[0].median if peers[0].seconds else float("nan")
        values = " | ".join(f"{scale * value:.2f}" for value in (peer.median, min(peer.seconds), max(peer.seconds)))
        rows.append(f"| {peer.name} | {values} | {ratio:.2f} |")
    return "\n".join(rows) + "\n"
