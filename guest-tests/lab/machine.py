"""The lab's machine: a PC with AMD's SVM, emulated instruction by instruction by QEMU.

It runs a stock Debian kernel. Its unmodified kvm_amd is then a true KVM for the program under test, on a host without
any virtualization. The machine's root is the host's root, through 9p.
"""

import os
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lab import initramfs, kernels
from lab.host import OUT, progress

MODULES = ["virtio_pci", "virtio_console", "9p", "9pnet_virtio", "kvm_amd"]
INIT = Path(__file__).with_name("init")


# Now and then, more often on a busy host, a CPU of the machine never returns from the emulated SVM.
LOCKUP = b"BUG: soft lockup - CPU#"
LOOK_EVERY_S = 5


class MachineError(Exception):
    """The machine did not run the job to its end; this says nothing about the job."""


class Timeout(MachineError):
    pass


@dataclass(frozen=True)
class Machine:
    cpus: int = 2
    memory_mib: int = 4096
    timeout_s: float | None = None
    append: str = ""  # extra words for its kernel's command line

    @staticmethod
    def initrd(kernel: kernels.Kernel) -> Path:
        modules = initramfs.module_files(kernel.root, kernel.release, MODULES)
        return initramfs.build(OUT / "lab", INIT, modules)

    def run(self, command: list[str]) -> int:
        """Runs `command` in the current folder with its output on our stdout and stderr, and returns its exit
        status."""
        kernel = kernels.fetch("amd64")
        with tempfile.TemporaryDirectory(prefix="vmm-lab-") as folder:
            job = Path(folder)
            (job / "scratch").mkdir()
            (job / "job").write_text(_job_script(command, job / "scratch"))
            progress(f"lab: starting an emulated machine with SVM, {self.cpus} CPUs, {self.memory_mib} MiB")
            self._run_qemu(self._qemu(kernel.vmlinuz, self.initrd(kernel), job), job / "console")
            return _exit_status(job)

    def _qemu(self, vmlinuz: Path, initrd: Path, job: Path) -> list[str]:
        # `setpriv --pdeathsig`: QEMU ends with this program, however that ends.
        # -cx16: every allocation of Linux uses CMPXCHG16B. A guest that is interrupted after one now and then gets
        # RFLAGS made of a pointer's bits, and then faults without a reason.
        return [
            "setpriv", "--pdeathsig=KILL", "qemu-system-x86_64",
            "-accel", "tcg,thread=multi", "-cpu", "max,+svm,-cx16", "-smp", str(self.cpus), "-m", str(self.memory_mib),
            "-kernel", str(vmlinuz), "-initrd", str(initrd),
            "-append", f"console=ttyS0 panic=-1 quiet lab.dir={job} {self.append}",
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-chardev", f"file,id=console,path={job}/console", "-serial", "chardev:console",
            "-device", "virtio-serial-pci",
            "-chardev", "file,id=out,path=/dev/stdout", "-device", "virtserialport,chardev=out,nr=1",
            "-chardev", "file,id=err,path=/dev/stderr", "-device", "virtserialport,chardev=err,nr=2",
            "-chardev", f"file,id=status,path={job}/status", "-device", "virtserialport,chardev=status,nr=3",
            "-fsdev", "local,id=host,path=/,security_model=none,multidevs=remap",
            "-device", "virtio-9p-pci,fsdev=host,mount_tag=host",
        ]  # fmt: skip

    def _run_qemu(self, qemu: list[str], console: Path) -> None:
        pipe, none = subprocess.PIPE, subprocess.DEVNULL
        with subprocess.Popen(qemu, stdin=none, stdout=pipe, stderr=pipe) as process:
            relays = [
                threading.Thread(target=_relay, args=streams)
                for streams in ((process.stdout, sys.stdout.buffer), (process.stderr, sys.stderr.buffer))
            ]
            for relay in relays:
                relay.start()
            try:
                self._wait(process, console)
            finally:
                process.kill()
                for relay in relays:
                    relay.join()

    def _wait(self, qemu: subprocess.Popen, console: Path) -> None:
        deadline = time.monotonic() + (self.timeout_s or float("inf"))
        while True:
            try:
                qemu.wait(min(LOOK_EVERY_S, max(deadline - time.monotonic(), 0)))
                return
            except subprocess.TimeoutExpired:
                if time.monotonic() >= deadline:
                    raise Timeout(f"the job did not end within {self.timeout_s:.0f} s") from None
                if console.exists() and LOCKUP in console.read_bytes():
                    raise MachineError("the emulated machine's own kernel reports a CPU that is stuck") from None


def _relay(source: BinaryIO, target: BinaryIO) -> None:
    while chunk := os.read(source.fileno(), 65536):
        target.write(chunk)
        target.flush()


def _job_script(command: list[str], scratch: Path) -> str:
    """The job keeps our environment and folder. Files under TMPDIR go to memory, not through 9p."""
    environment = dict(os.environ, TMPDIR=str(scratch), HOME=str(scratch), VMM_LAB="1")
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment.items() if name.isidentifier())
    return f"{exports}cd {shlex.quote(os.getcwd())} && exec {shlex.join(command)}\n"


def _exit_status(job: Path) -> int:
    status = (job / "status").read_text().strip()
    if not status:
        console = (job / "console").read_text(errors="replace")
        raise MachineError(f"the machine ended before the job did. The end of its console:\n{console[-2000:]}")
    return int(status)
