"""A QEMU whose guest never starts: its RAM is a file, and QEMU dumps that as it is."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "guest-tests"))
from lab.qmp import Monitor  # noqa: E402


@contextmanager
def never_started(ram: Path, mib: int) -> Iterator[Monitor]:
    command = ["qemu-system-x86_64", "-accel", "tcg", "-S", "-m", str(mib), "-object",
               f"memory-backend-file,id=ram,size={mib}M,mem-path={ram},share=on", "-M", "q35,memory-backend=ram",
               "-display", "none", "-nodefaults", "-qmp", "stdio"]  # fmt: skip
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Monitor(process)
        finally:
            process.kill()
