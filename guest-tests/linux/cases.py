"""The table: what runs in which machine, and how each run must end."""

from dataclasses import dataclass
from itertools import product


@dataclass(frozen=True)
class Case:
    """A stock kernel, with our initial RAM file system."""

    flavour: str  # one of lab.kernels.FLAVOURS
    job: str  # what the guest's init does: see ./init
    kaslr: bool
    cpus: int
    memory_mib: int

    @property
    def name(self) -> str:
        """Also the name of the folder of its results."""
        kaslr = "kaslr" if self.kaslr else "nokaslr"
        return f"{self.flavour}-{self.job}-{kaslr}-{self.cpus}cpu-{self.memory_mib}M"

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.job]

    @property
    def arguments(self) -> list[str]:
        """Of vmm."""
        kaslr = "on" if self.kaslr else "off"
        append = f"--append=console=ttyS0 quiet job={self.job}"  # a character costs three exits
        arguments = [append, f"--kaslr={kaslr}", f"--cpus={self.cpus}", f"--memory={self.memory_mib}M"]
        # A dead kernel still takes timer ticks, which are so slow in the lab that its CPU is often found in
        # one. crash 8.0.2 cannot unwind that without CONFIG_X86_MCE, so the cloud kernel gets no tick.
        return arguments + (["--panic-grace=0"] if self.flavour == "cloud" else [])

    def __str__(self) -> str:
        cpus = "1 vCPU" if self.cpus == 1 else f"{self.cpus} vCPUs"
        return f"{self.flavour}, KASLR {'on' if self.kaslr else 'off'}, {cpus}, {self.memory_mib}M"


# The promised exit codes, docs/exit-codes.md.
EXIT_CODES = {"shell": 0, "reboot": 123, "panic": 120}

SMALL = 512
ABOVE_THE_HOLE = 5120  # more than the 3 GiB that lie below the hole

FLAVOURS = ("cloud", "amd64", "rt")

# Dying is tried in every machine, living in one a kernel.
FULL = [
    *(Case(flavour, "shell", True, 2, SMALL) for flavour in FLAVOURS),
    *(Case(flavour, "reboot", False, 1, SMALL) for flavour in FLAVOURS),
    *(Case(*cell) for cell in product(FLAVOURS, ["panic"], (True, False), (1, 2, 4), (SMALL, ABOVE_THE_HOLE))),
]

# Each value of each column at least once, but for the kernels: a few minutes.
QUICK = [
    Case("cloud", "shell", True, 2, SMALL),
    Case("cloud", "reboot", False, 1, SMALL),
    Case("cloud", "panic", True, 1, SMALL),
    Case("cloud", "panic", False, 2, SMALL),
    Case("cloud", "panic", True, 4, ABOVE_THE_HOLE),
]


@dataclass(frozen=True)
class Image:
    """Something else in the bzImage format, from a Debian package."""

    name: str
    path: str
    sentence: str
    console: str = ""  # a pattern that must be on it
    refusal: str = ""  # a pattern that must be in vmm's words, which then ends with 125


IMAGES = [
    Image("memtest86+x64", "/boot/memtest86+x64.bin", "shows its banner and moves on in its pass",
          console=r"Memtest86\+ v.*\[2;35H\x1b\[0m +([3-9]|\d\d)%"),
    Image("memtest86+ia32", "/boot/memtest86+ia32.bin", "is refused, for want of a 64-bit entry",
          refusal="64-bit entry"),
    Image("ipxe", "/usr/lib/ipxe/ipxe.lkrn", "is refused, for it needs a BIOS", refusal="BIOS"),
]  # fmt: skip
