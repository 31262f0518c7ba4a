"""The guests' initial RAM file system: busybox, pvpanic's driver, and ./init."""

from pathlib import Path

from lab import initramfs
from lab.kernels import Kernel

INIT = Path(__file__).with_name("init")
MODULES = ["pvpanic-mmio"]  # binds to the ACPI device QEMU0001


def initrd(kernel: Kernel, more: dict[str, bytes] | None = None) -> Path:
    """`more` are further programs, by their path."""
    modules = initramfs.module_files(kernel.root, kernel.release, MODULES)
    return initramfs.build(kernel.root, INIT, modules, more)
