"""What this host can do, and where the guest tests keep their files."""

import os
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]

# All that is downloaded or made at run time. Ignored by git; may be deleted at any time.
OUT = REPO / "out"


def can_run_linux() -> bool:
    """Whether /dev/kvm of this host can run a stock kernel: it is there, and a CPU stands behind it.

    A /dev/kvm alone is not enough. Where the CPU has neither VMX nor SVM, something emulates
    ring 0 instruction by instruction, and a stock kernel does not get through its boot.
    """
    flags = Path("/proc/cpuinfo").read_text().split()
    return ("vmx" in flags or "svm" in flags) and os.access("/dev/kvm", os.R_OK | os.W_OK)


def patience() -> float:
    """By which a time that is long enough on an idle host is multiplied on this one, as busy as it is now."""
    return min(max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)), 4.0)


def progress(words: str) -> None:
    """One line for the person who waits, on stderr, and only if there is one."""
    if sys.stderr.isatty():
        print(words, file=sys.stderr, flush=True)
