"""The programs that open a dump. For most kernels they are this machine's. For a newer kernel they come from the newer
suite, unpacked under out/packages, and run with their own libraries."""

import functools
from dataclasses import dataclass, field
from pathlib import Path

from lab import apt, kernels, packages

SUITE = "sid"  # its crash reads 6.12 and the newest
PACKAGES = ["crash", "makedumpfile", "python3-drgn"]


@dataclass(frozen=True)
class Readers:
    """Command lines; callers append arguments."""

    crash: list[str]
    makedumpfile: list[str]
    drgn: list[str]
    environment: dict[str, str] = field(default_factory=dict)  # all of them need it


MACHINES = Readers(["crash"], ["makedumpfile"], ["drgn"])


def readers_of(kernel: kernels.Kernel) -> Readers:
    return _newer() if kernel.flavour in kernels.NEWER else MACHINES


@functools.cache
def _newer() -> Readers:
    root: Path = packages.fetch("newer-readers", PACKAGES, apt.newer(SUITE))

    def program(path: str, *arguments: str) -> list[str]:
        return packages.command(root, path, *arguments)

    return Readers(
        program("usr/bin/crash"),
        program("usr/bin/makedumpfile"),
        program("usr/bin/python3", "-m", "drgn"),
        {"PYTHONHOME": str(root / "usr")},
    )
