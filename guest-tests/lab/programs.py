"""Static programs for guests that have no libraries, and often no libc either."""

import os
import subprocess
from pathlib import Path

from lab import host


def static_program(source: Path) -> Path:
    """Builds one C or assembler source into a program in out/programs. An assembler source gets no libc."""
    folder = host.OUT / "programs"
    folder.mkdir(parents=True, exist_ok=True)
    # Two tests may make it at the same time.
    program = folder / f"{source.parent.name}-{source.stem}"
    partial = program.with_suffix(f".{os.getpid()}")
    flags = ["-nostdlib", "-s"] if source.suffix == ".S" else ["-O2"]
    subprocess.run(["gcc", *flags, "-static", "-o", partial, source], check=True)
    return partial.rename(program)
