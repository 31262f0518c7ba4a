#!/usr/bin/env python3
"""Times stock kernels up to their first program under several VMMs, where /dev/kvm is real: see ./run."""

import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from measure import Peer, in_turn, spawn_to_marker, table  # noqa: E402

APPEND = "console=ttyS0 job=poweroff"
MARKER = b"guest: "  # the first words of the test guests' init


def peers(vmm: str, bzimage: str, vmlinux: str, initrd: str) -> list[Peer]:
    ours = [vmm, "--initrd", initrd, "--append", APPEND, "--memory", "512M", "--on-panic=exit"]
    qemu = ["qemu-system-x86_64", "-accel", "kvm", "-cpu", "host", "-m", "512", "-nodefaults", "-no-user-config",
            "-display", "none", "-serial", "stdio", "-no-reboot", "-initrd", initrd, "-append", APPEND]  # fmt: skip
    return [
        Peer("vmm, direct", [*ours, "--boot=direct", "--kernel", bzimage]),
        Peer("vmm, classic", [*ours, "--boot=classic", "--kernel", bzimage]),
        Peer("QEMU pc, bzImage", [*qemu, "-M", "pc", "-kernel", bzimage]),
        Peer("QEMU microvm, bzImage", [*qemu, "-M", "microvm", "-kernel", bzimage]),
        Peer("QEMU microvm, PVH vmlinux", [*qemu, "-M", "microvm", "-kernel", vmlinux]),
    ]


def main() -> None:
    rounds, files = int(sys.argv[1]), sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:  # in memory: the timed part must not wait for 9p
        copies = [shutil.copy(file, Path(folder) / f"{n}-{Path(file).name}") for n, file in enumerate(files)]
        contest = peers(*map(str, copies))
        in_turn(contest, rounds, spawn_to_marker(MARKER, timeout_s=120))
    print(table(contest, "s"))


main()
