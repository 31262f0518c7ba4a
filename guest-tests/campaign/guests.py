"""The guests' initial RAM file system: busybox, pvpanic's driver, any extras of a case, and ./init."""

from pathlib import Path

from lab import initramfs
from lab.kernels import Kernel
from lab.programs import static_program

INIT = Path(__file__).with_name("init")
MODULES = ["pvpanic-mmio"]  # binds to the ACPI device QEMU0001


def initrd(kernel: Kernel, more: dict[str, bytes] | None = None, more_modules: tuple[str, ...] = ()) -> Path:
    """`more`: further programs, by their path. `more_modules` are loaded like the usual ones."""
    modules = initramfs.module_files(kernel.root, kernel.release, [*MODULES, *more_modules])
    return initramfs.build(kernel.root, INIT, modules, more)


LOAD_CRASH_KERNEL = Path(__file__).with_name("load_crash_kernel.c")


def crash_kernel(kernel: Kernel) -> dict[str, bytes]:
    """Returns the programs and files, by path, that a guest needs to load itself as its own crash kernel. For
    initrd()."""
    return {
        "bin/load-crash-kernel": static_program(LOAD_CRASH_KERNEL).read_bytes(),
        "crash-vmlinuz": kernel.vmlinuz.read_bytes(),
        "crash-initrd": initrd(kernel).read_bytes(),
    }
