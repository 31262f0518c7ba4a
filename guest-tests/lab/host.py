"""The abilities of this host, and the places where the guest tests keep their files."""

import os
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]

# Everything that is downloaded or made at run time. Ignored by git; may be deleted at any time.
OUT = REPO / "out"


def can_run_linux() -> bool:
    """True if this host's /dev/kvm can run a stock kernel: it exists, and hardware virtualization backs it.

    A /dev/kvm alone is not enough. If the CPU has neither VMX nor SVM, something emulates ring 0 instruction by
    instruction, and a stock kernel does not get through its boot.
    """
    flags = Path("/proc/cpuinfo").read_text().split()
    return ("vmx" in flags or "svm" in flags) and os.access("/dev/kvm", os.R_OK | os.W_OK)


def patience() -> float:
    """The factor by which this host, with its current load, needs longer than an idle one."""
    return min(max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)), 4.0)


def progress(words: str) -> None:
    """Prints one line for the person who waits, on stderr, and only if stderr is a terminal."""
    if sys.stderr.isatty():
        print(words, file=sys.stderr, flush=True)
