"""A guest of plain QEMU that panics. pvpanic stops it, and QEMU's own dump-guest-memory dumps it."""

import subprocess
import threading
from pathlib import Path

from lab import kernels
from lab.qmp import Monitor
from campaign import guests

CPUS = 2
MEMORY_MIB = 256
TIMEOUT_S = 600

# File name, and the arguments of QMP's dump-guest-memory.
DUMPS = {
    "elf": {"paging": False},
    "kdump-zlib": {"paging": False, "format": "kdump-zlib"},
    "elf-paging": {"paging": True},
}


def die(kernel: kernels.Kernel, results: Path, vmcoreinfo: bool) -> None:
    """Leaves console, ram (a copy of the guest's memory) and DUMPS in `results`. With `vmcoreinfo` the guest tells QEMU
    where its VMCOREINFO is. Raises QemuError."""
    pipe = subprocess.PIPE
    with subprocess.Popen(_command(kernel, results, vmcoreinfo), stdin=pipe, stdout=pipe, text=True) as qemu:
        end = threading.Timer(TIMEOUT_S, qemu.kill)
        end.start()
        try:
            monitor = Monitor(qemu)
            monitor.wait_for("GUEST_PANICKED")
            monitor.wait_for("STOP")
            for name, arguments in DUMPS.items():
                monitor.order("dump-guest-memory", protocol=f"file:{results / name}", **arguments)
            monitor.order("quit")
        finally:
            end.cancel()
            qemu.kill()


def _command(kernel: kernels.Kernel, results: Path, vmcoreinfo: bool) -> list[str]:
    initrd = guests.initrd(kernel, more_modules=("qemu_fw_cfg",) if vmcoreinfo else ())
    return [
        "setpriv", "--pdeathsig=KILL", "qemu-system-x86_64",
        "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", str(CPUS), "-m", str(MEMORY_MIB),
        "-object", f"memory-backend-file,id=ram,size={MEMORY_MIB}M,mem-path={results}/ram,share=on",
        "-machine", "pc,memory-backend=ram",
        "-kernel", str(kernel.vmlinuz), "-initrd", str(initrd), "-append", "console=ttyS0 no_timer_check job=panic",
        "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-chardev", f"file,id=console,path={results}/console", "-serial", "chardev:console",
        "-device", "pvpanic", "-action", "panic=pause",
        *(["-device", "vmcoreinfo"] if vmcoreinfo else []),
        "-qmp", "stdio",
    ]  # fmt: skip
