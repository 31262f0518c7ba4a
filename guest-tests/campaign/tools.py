"""Runs the programs that open dumps, and keeps their answers."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from campaign.readers import readers_of
from lab.kernels import Kernel

TOOL_TIMEOUT_S = 300
PANIC = "Kernel panic - not syncing: "
DEBIANS_PYTHON = "/usr/bin/python3"  # python3-libkdumpfile is built for it
DRGN_SCRIPT = Path(__file__).with_name("drgn_facts.py")


@dataclass(frozen=True)
class Ran:
    """A program's exit status and its output."""

    status: int
    output: str

    def has(self, pattern: str) -> bool:
        return re.search(pattern, self.output, re.MULTILINE) is not None


def run_tool(*command: str | Path, **environment: str) -> Ran:
    merge = {"env": dict(os.environ, **environment), "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    try:
        ran = subprocess.run(list(map(str, command)), **merge, timeout=TOOL_TIMEOUT_S, errors="replace", text=True)
    except subprocess.TimeoutExpired as expired:
        return Ran(-1, f"{(expired.stdout or b'').decode(errors='replace')}\nno end within {TOOL_TIMEOUT_S} s")
    return Ran(ran.returncode, ran.stdout)


def crash(kernel: Kernel, vmcore: Path, results: Path, *commands: str, minimal: bool = False) -> tuple[Ran, dict[str, str]]:
    """Runs one crash session; returns the output of each command separately."""
    outputs = {command: results / f"crash-{command.replace(' ', '')}" for command in commands}
    script = results / "crash-script"
    script.write_text("".join(f"{command} > {file}\n" for command, file in outputs.items()) + "quit\n")
    options = ["-s", *(["--minimal"] if minimal else []), "-i", script]
    ran = run_tool(*readers_of(kernel).crash, *options, kernel.vmlinux, vmcore)
    return ran, {c: f.read_text(errors="replace") if f.exists() else "" for c, f in outputs.items()}
