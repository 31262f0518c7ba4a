"""L1 of a case: a stock kernel that has our vmm and a stock kernel for its own guest, L2, in its initial RAM file system."""

import subprocess
from pathlib import Path

from lab import initramfs, kernels
from lab.programs import static_program
from campaign import guests

HERE = Path(__file__).resolve().parent
MODULES = ["pvpanic-mmio", "kvm_amd", "kvm_intel"]  # of the last two one does not load

PANIC = "Kernel panic - not syncing: sysrq triggered crash"


def initrd(l1: kernels.Kernel, l2: kernels.Kernel, vmm: Path, folder: Path) -> Path:
    """Of L1. What is made on the way stays in `folder`, too."""
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
    """With which vmm runs L1; files and places are the caller's. L1 and L2 have `cpus` each. L1 gives up by itself before
    `timeout_s`, and says why."""
    append = f"console=ttyS0 quiet l2.cpus={cpus} l2.memory=256M l2.until={timeout_s * 9 // 10}"
    return [f"--append={append}", f"--cpus={cpus}", f"--memory={memory_mib}M"]
