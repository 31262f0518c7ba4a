"""Debian's Xen under plain QEMU, with a stock kernel as dom0 that panics. QEMU's own dump-guest-memory dumps the machine."""

import gzip
import subprocess
import tempfile
import threading
from pathlib import Path

from lab import apt, kernels
from lab.host import OUT
from lab.qmp import Monitor
from campaign import guests

PACKAGE = "xen-hypervisor-4.17-amd64"
VERSION = "4.17"
CPUS = 2
MEMORY_MIB = 1024
DOM0_MIB = 512
TIMEOUT_S = 400

# noreboot: otherwise Xen resets the machine five seconds after dom0's panic.
XEN_WORDS = f"console=com1 com1=115200 loglvl=info noreboot=1 dom0_mem={DOM0_MIB}M,max:{DOM0_MIB}M dom0_max_vcpus={CPUS}"
DOM0_WORDS = "console=hvc0 earlyprintk=xen panic=0 job=panic"


def fetch_xen() -> Path:
    """Returns Xen's image, an ELF file, from Debian's package. It is downloaded once."""
    image = OUT / "xen" / "xen.elf"
    if not image.exists():
        image.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=image.parent) as folder:
            [deb] = apt.MACHINE.download({PACKAGE: apt.MACHINE.candidate(PACKAGE)}, folder)
            subprocess.run(["dpkg-deb", "-x", deb, folder], check=True)
            image.write_bytes(gzip.decompress((Path(folder) / "boot" / "xen-4.17-amd64.gz").read_bytes()))
    return image


def die(kernel: kernels.Kernel, results: Path) -> None:
    """Leaves console and vmcore (ELF) in `results`. Raises QemuError."""
    pipe = subprocess.PIPE
    with subprocess.Popen(_command(kernel, results), stdin=pipe, stdout=pipe, text=True) as qemu:
        end = threading.Timer(TIMEOUT_S, qemu.kill)
        end.start()
        try:
            monitor = Monitor(qemu)
            monitor.wait_for("GUEST_PANICKED")
            monitor.wait_for("STOP")
            monitor.order("dump-guest-memory", protocol=f"file:{results / 'vmcore'}", paging=False)
            monitor.order("quit")
        finally:
            end.cancel()
            qemu.kill()


def _command(kernel: kernels.Kernel, results: Path) -> list[str]:
    modules = f"{kernel.vmlinuz.resolve()} {DOM0_WORDS},{guests.initrd(kernel)}"
    return [
        "setpriv", "--pdeathsig=KILL", "qemu-system-x86_64",
        # Emulated SMAP and Xen's do not agree: dom0 would die early of a page fault in Xen.
        "-accel", "tcg,thread=multi", "-cpu", "max,-smap,-smep", "-smp", str(CPUS), "-m", str(MEMORY_MIB),
        "-kernel", str(fetch_xen()), "-append", XEN_WORDS, "-initrd", modules,
        "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-chardev", f"file,id=console,path={results}/console", "-serial", "chardev:console",
        "-device", "pvpanic", "-action", "panic=pause",
        "-qmp", "stdio",
    ]  # fmt: skip
