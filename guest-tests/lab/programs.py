"""Static programs for guests that have no libraries, and often not even libc."""

import os
import subprocess
from pathlib import Path

from lab import host


def static_program(source: Path) -> Path:
    """The program that one C or assembler source makes, in out/programs. That of an assembler source has no libc."""
    folder = host.OUT / "programs"
    folder.mkdir(parents=True, exist_ok=True)
    # Two tests may make it at once.
    program = folder / f"{source.parent.name}-{source.stem}"
    partial = program.with_suffix(f".{os.getpid()}")
    flags = ["-nostdlib", "-s"] if source.suffix == ".S" else ["-O2"]
    subprocess.run(["gcc", *flags, "-static", "-o", partial, source], check=True)
    return partial.rename(program)
