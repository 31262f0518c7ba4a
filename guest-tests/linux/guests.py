"""The guests' initial RAM file system: busybox, pvpanic's driver, what else a case needs, and ./init."""

from pathlib import Path

from lab import initramfs
from lab.kernels import Kernel

INIT = Path(__file__).with_name("init")
MODULES = ["pvpanic-mmio"]  # binds to the ACPI device QEMU0001


def initrd(kernel: Kernel, more: dict[str, bytes] | None = None, more_modules: tuple[str, ...] = ()) -> Path:
    """`more` are further programs, by their path; `more_modules` are loaded like the usual ones."""
    modules = initramfs.module_files(kernel.root, kernel.release, [*MODULES, *more_modules])
    return initramfs.build(kernel.root, INIT, modules, more)
