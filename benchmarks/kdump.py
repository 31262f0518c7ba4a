#!/usr/bin/env python3
"""Times the making of kdump-compressed files of one guest's memory: ours, makedumpfile's and QEMU's, in turn.

    benchmarks/kdump.py VMCORE [--rounds N]

VMCORE is an ELF core of vmm, for example from guest-tests/linux/run in out/linux. Ours and makedumpfile start from it
and end with their process. Ours is on the disk by then, makedumpfile's need not be. QEMU never starts the guest; it
gets the same memory as its RAM, and is timed from the command to its answer.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import Peer, in_turn, spawn_to_end, table
from qemu import Monitor, never_started

VMCORE = Path(__file__).resolve().parent.parent / "bazel-bin/dump/tool/vmcore"


def to_ram(vmcore: Path, ram: Path) -> int:
    """Writes the memory of an ELF core to a flat, sparse file, and returns its size in MiB."""
    script = f"""
import struct
core, ram = open({str(vmcore)!r}, 'rb'), open({str(ram)!r}, 'wb')
count = struct.unpack('<H', core.read(64)[56:58])[0]
loads = [struct.unpack('<IIQQQQQQ', core.read(56)) for _ in range(count)]
end = 0
for kind, _, offset, _, start, size, _, _ in loads:
    if kind == 1:
        end = max(end, start + size)
        core.seek(offset)
        for at in range(start, start + size, 4096):
            page = core.read(4096)
            if page.strip(b'\\0'):
                ram.seek(at)
                ram.write(page)
ram.truncate(end)
print(end >> 20)
"""
    return int(subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.PIPE).stdout)


def qemu_dump(machine: Monitor, out: Path) -> float:
    out.unlink(missing_ok=True)
    start = time.monotonic()
    machine.order("dump-guest-memory", paging=False, protocol=f"file:{out}", format="kdump-zlib")
    return time.monotonic() - start


def kdump_tables(vmcore: Path, rounds: int) -> str:
    with tempfile.TemporaryDirectory(dir=vmcore.parent) as name:
        folder = Path(name)

        def peer(title: str, *command: str | Path) -> Peer:
            out = folder / title.replace(" ", "-")
            words = " ".join(map(str, command)).replace("OUT", str(out))
            return Peer(title, ["sh", "-c", f"rm -f {out}; exec {words}"])

        ours = [peer(f"vmm {form}", VMCORE, "convert", vmcore, "OUT", f"--format={form}")
                for form in ("kdump-zstd", "kdump-zlib")]  # fmt: skip
        theirs = [peer("makedumpfile -c -d 1", "makedumpfile", "-c", "-d", "1", vmcore, "OUT")]
        threads = os.cpu_count() or 1
        theirs.append(peer(f"makedumpfile -c -d 1 --num-threads {threads}", "makedumpfile", "-c", "-d", "1",
                           "--num-threads", str(threads), vmcore, "OUT"))  # fmt: skip
        qemu = Peer("QEMU kdump-zlib", [])
        out = folder / qemu.name.replace(" ", "-")
        peers = [*ours, *theirs, qemu]
        mib = to_ram(vmcore, folder / "ram")
        with never_started(folder / "ram", mib) as machine:
            in_turn(peers, rounds, lambda each: qemu_dump(machine, out) if each is qemu else spawn_to_end(each))

        sizes = ["| | MiB |", "|---|---|"]
        for each in peers:
            file = folder / each.name.replace(" ", "-")
            sizes.append(f"| {each.name} | {file.stat().st_size / 2**20:.2f} |" if file.exists() else f"| {each.name} | - |")
        return table(peers, "ms") + "\n" + "\n".join(sizes) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vmcore", type=Path)
    parser.add_argument("--rounds", type=int, default=10)
    arguments = parser.parse_args()
    print(kdump_tables(arguments.vmcore.resolve(), arguments.rounds))


if __name__ == "__main__":
    main()
