"""Makes a file that stands for a guest's RAM, touched where a guest of that kind would have touched it."""

import mmap
import os
import random
from pathlib import Path

PAGE = 4096
RUN = 64  # pages: 256 KiB


def prefill(path: Path, size: int, fraction: float, scattered: bool) -> None:
    """Fills `fraction` of the pages of `size` bytes, each with its own bytes: half of them random, half text."""
    pages = size // PAGE
    unit = 1 if scattered else RUN
    units = pages // unit
    chosen = range(units) if fraction >= 1 else sorted(random.Random(1).sample(range(units), int(units * fraction)))
    noise = os.urandom(1 << 20)
    text = (b"the quick brown fox jumps over the lazy dog; " * 24000)[: 1 << 20]
    with open(path, "wb+") as file:
        file.truncate(size)
        with mmap.mmap(file.fileno(), size) as ram:
            for n, index in enumerate(chosen):
                source = noise if n % 2 else text
                length = unit * PAGE
                at = n * 64 % ((1 << 20) - length)
                ram[index * length : (index + 1) * length] = source[at : at + length]
