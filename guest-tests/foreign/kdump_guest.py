"""A machine whose kernel dies and whose crash kernel saves /proc/vmcore: real kdump.

It is the lab's machine. Both kernels have their root on this host's files, so the saved files are simply there.
"""

from pathlib import Path

from lab import kernels
from lab.machine import Machine, MachineError
from lab.programs import static_program
from campaign.guests import LOAD_CRASH_KERNEL

HERE = Path(__file__).resolve().parent
CPUS = 2
MEMORY_MIB = 640
CRASH_KERNEL_MIB = 256  # the dump contains none of it
TIMEOUT_S = 600


def die(kernel: kernels.Kernel, results: Path) -> None:
    """Leaves vmcore (an ELF copy), dmesg and kdump (both by makedumpfile) in `results`. Raises MachineError."""
    machine = Machine(CPUS, MEMORY_MIB, TIMEOUT_S, f"no_timer_check crashkernel={CRASH_KERNEL_MIB}M")
    loader = static_program(LOAD_CRASH_KERNEL)
    job = [HERE / "kdump-job", loader, kernel.vmlinuz.resolve(), machine.initrd(kernel), results]
    status = machine.run([str(word) for word in job])
    if status != 0:
        raise MachineError(f"./kdump-job ended with {status}")
