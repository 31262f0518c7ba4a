"""Measures the memory of a running vmm besides its guest's RAM."""

import subprocess
import time
from pathlib import Path

SETTLED_S = 1.0
PARTS = {"Pss_Anon": "anonymous memory", "Pss_File": "the program itself"}


def outside_guest_ram(command: list[str]) -> dict[str, int]:
    """Returns KiB by kind, for a guest that stands still. Guest RAM is shared memory, and so counts separately."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            time.sleep(SETTLED_S)
            lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()[1:]
        finally:
            process.kill()
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return {name: sizes[name] for name in PARTS}


def overhead_table(command: list[str], shapes: dict[str, list[str]]) -> str:
    """Returns Markdown: a row for each name in `shapes`, whose value is appended to `command`."""
    rows = ["| | " + " | ".join(PARTS.values()) + " | both, MiB |", "|---|---|---|---|"]
    for name, flags in shapes.items():
        sizes = outside_guest_ram([*command, *flags])
        cells = " | ".join(f"{kib / 1024:.1f}" for kib in sizes.values())
        rows.append(f"| {name} | {cells} | {sum(sizes.values()) / 1024:.1f} |")
    return "\n".join(rows) + "\n"
