"""L1 of a case: a stock kernel with our vmm and L2's stock kernel in its initial RAM file system."""

import subprocess
from pathlib import Path

from lab import initramfs, kernels
from lab.programs import static_program
from campaign import guests

HERE = Path(__file__).resolve().parent
MODULES = ["pvpanic-mmio", "kvm_amd", "kvm_intel"]  # only one of the last two loads

PANIC = "Kernel panic - not syncing: sysrq triggered crash"


def initrd(l1: kernels.Kernel, l2: kernels.Kernel, vmm: Path, folder: Path) -> Path:
    """Makes L1's initial RAM file system. Intermediate files stay in `folder` too."""
    spin, small_vmm = static_program(HERE / "spin.S"), folder / "vmm"
    subprocess.run(["strip", "-o", small_vmm, vmm], check=True)
    more = {
        "vmm": small_vmm.read_bytes(),
        "l2-kernel": l2.vmlinuz.read_bytes(),
        "l2-initrd": guests.initrd(l2, {"bin/spin": spin.read_bytes()}).read_bytes(),
    }
    return initramfs.build(folder, HERE / "l1-init", initramfs.module_files(l1.root, l1.release, MODULES), more)


FIRST_LINE = "L1: "
READY = "L1: L2 has a shell"


def vmm_arguments(cpus: int, memory_mib: int, timeout_s: int) -> list[str]:
    """Returns the arguments with which vmm runs L1; the caller adds files and places. L1 and L2 have `cpus` each. L1
    gives up by itself before `timeout_s`, and says why."""
    append = f"console=ttyS0 quiet l2.cpus={cpus} l2.memory=256M l2.until={timeout_s * 9 // 10}"
    return [f"--append={append}", f"--cpus={cpus}", f"--memory={memory_mib}M"]
