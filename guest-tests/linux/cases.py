"""The table: which kernels run in which machines, and how each run must end."""

from dataclasses import dataclass
from itertools import product


@dataclass(frozen=True)
class Case:
    flavour: str  # one of lab.kernels.FLAVOURS
    job: str  # what the guest's init does: see ./init
    kaslr: bool
    cpus: int
    memory_mib: int

    @property
    def name(self) -> str:
        """Also the name of its folder."""
        kaslr = "kaslr" if self.kaslr else "nokaslr"
        return f"{self.flavour}-{self.job}-{kaslr}-{self.cpus}cpu-{self.memory_mib}M"

    def __str__(self) -> str:
        cpus = "1 vCPU" if self.cpus == 1 else f"{self.cpus} vCPUs"
        return f"{self.flavour}, KASLR {'on' if self.kaslr else 'off'}, {cpus}, {self.memory_mib}M"


# The promised exit codes, docs/exit-codes.md.
EXIT_CODES = {"shell": 0, "reboot": 123, "panic": 120}

SMALL = 512
ABOVE_THE_HOLE = 5120  # more than the 3 GiB that lie below the hole

FULL = [
    Case(*cell)
    for cell in product(("cloud", "amd64", "rt"), EXIT_CODES, (True, False), (1, 2, 4), (SMALL, ABOVE_THE_HOLE))
]

# Each value of each column at least once, but for the kernels: a few minutes.
QUICK = [
    Case("cloud", "shell", True, 2, SMALL),
    Case("cloud", "reboot", False, 1, SMALL),
    Case("cloud", "panic", True, 1, SMALL),
    Case("cloud", "panic", False, 2, SMALL),
    Case("cloud", "panic", True, 4, ABOVE_THE_HOLE),
]
