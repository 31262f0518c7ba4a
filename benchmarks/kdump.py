#!/usr/bin/env python3
"""Times the making of kdump-compressed files of one guest's memory: ours, makedumpfile's and QEMU's, in turn.

    benchmarks/kdump.py VMCORE [--rounds N]

VMCORE is an ELF core of vmm, such as guest-tests/linux/run leaves in out/linux. Ours and makedumpfile start from
it and end with their process; ours is on the disk by then, makedumpfile's need not be. QEMU, which never starts
the guest, gets the same memory as its RAM and is timed from the command to its answer.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import Peer, in_turn, spawn_to_end, table

VMCORE = Path(__file__).resolve().parent.parent / "bazel-bin/dump/tool/vmcore"


def to_ram(vmcore: Path, ram: Path) -> int:
    """The memory of an ELF core as a flat, sparse file, and its size in MiB."""
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


class Qemu:
    """A machine that was never started, with memory that is a file."""

    def __init__(self, ram: Path, mib: int, folder: Path) -> None:
        path = folder / "qmp"
        backend = f"memory-backend-file,id=ram,size={mib}M,mem-path={ram},share=on"
        self._process = subprocess.Popen(
            ["qemu-system-x86_64", "-S", "-accel", "tcg", "-m", str(mib), "-M", "q35,memory-backend=ram", "-object",
             backend, "-nodefaults", "-display", "none", "-qmp", f"unix:{path},server,nowait"])  # fmt: skip
        while not path.exists():
            if self._process.poll() is not None:
                raise RuntimeError(f"QEMU ended with {self._process.returncode}")
            time.sleep(0.05)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._answers = self._socket.makefile()
        self._answers.readline()
        self._command("qmp_capabilities")

    def _command(self, name: str, **arguments: object) -> dict:
        self._socket.sendall(json.dumps({"execute": name, "arguments": arguments}).encode())
        while True:
            answer = json.loads(self._answers.readline())
            if "event" not in answer:
                return answer

    def dump(self, out: Path) -> float:
        out.unlink(missing_ok=True)
        start = time.monotonic()
        answer = self._command("dump-guest-memory", paging=False, protocol=f"file:{out}", format="kdump-zlib")
        seconds = time.monotonic() - start
        if "error" in answer:
            raise RuntimeError(answer["error"]["desc"])
        return seconds

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


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
        machine = Qemu(folder / "ram", to_ram(vmcore, folder / "ram"), folder)
        out = folder / qemu.name.replace(" ", "-")
        peers = [*ours, *theirs, qemu]
        try:
            in_turn(peers, rounds, lambda each: machine.dump(out) if each is qemu else spawn_to_end(each))
        finally:
            machine.close()

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
