"""The table: the case for each machine, and the required end of each run."""

from dataclasses import dataclass
from itertools import product


@dataclass(frozen=True)
class Death:
    """The way in which a job kills its kernel, and the traces that it must leave."""

    words: str  # come after "Kernel panic - not syncing: "
    frame: str  # a function that must follow panic() in the backtrace
    task: str = ""  # the task that called it; empty: whichever was interrupted
    modules: tuple[str, ...] = ()
    append: str = ""
    arguments: tuple[str, ...] = ()
    init_runs: bool = True  # and then VMCOREINFO exists
    others: str = ""  # where the other CPUs are: "user", "kernel" at their work; empty: in stop_this_cpu


# pvpanic reports these, after the kernel has stopped its other CPUs.
BY_PVPANIC = ("--catch=off",)

DEATHS = {
    "panic": Death("sysrq triggered crash", "sysrq_handle_crash", "sh", arguments=BY_PVPANIC),
    # In a timer's interrupt, in a module.
    "watchdog": Death("Software Watchdog Timer expired", "softdog_fire", modules=("softdog",), arguments=BY_PVPANIC),
    # Stopped at the first report, before the kernel stops its other CPUs: they are in user space.
    "user": Death("sysrq triggered crash", "sysrq_handle_crash", "sh", others="user",
                  arguments=(*BY_PVPANIC, "--catch-console=panic", "--panic-grace=0")),
    # Caught in the kernel's code, as by default: here too panic() has not yet stopped the other CPUs.
    "caught": Death("sysrq triggered crash", "sysrq_handle_crash", "sh", others="user"),
    "caught-kernel": Death("sysrq triggered crash", "sysrq_handle_crash", "sh", others="kernel",
                           arguments=("--catch=panic",)),
    # Before the kernel has VMCOREINFO, timers or other CPUs. The kernel then resets the machine.
    "early": Death("panic_on_warn set", "rcu_init", "swapper", init_runs=False, arguments=BY_PVPANIC,
                   append="rcutree.rcu_fanout_leaf=1 panic_on_warn=1 panic=-1 earlyprintk=ttyS0"),
}  # fmt: skip


@dataclass(frozen=True)
class Variant:
    """A deviation from the usual machine."""

    append: str = ""
    arguments: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()


VARIANTS = {
    "4level": Variant(arguments=("--cpu-features=-la57",)),
    "no5lvl": Variant(append="no5lvl"),
    "pti": Variant(append="pti=on"),
    "maxcpus": Variant(append="maxcpus=1"),  # the other vCPUs never start
    "fwcfg": Variant(modules=("qemu_fw_cfg",)),  # the guest reports where its VMCOREINFO is
    "mappings": Variant(arguments=("--core-mappings=all",)),
    "classic": Variant(arguments=("--boot=classic",)),  # the kernel decompresses itself and chooses its own place
}


@dataclass(frozen=True)
class Case:
    """A stock kernel with our initial RAM file system."""

    flavour: str  # one of lab.kernels.FLAVOURS, or NEWER
    job: str  # what the guest's init does, see ./init; or one of DEATHS
    kaslr: bool
    cpus: int
    memory_mib: int
    variant: str = ""  # one of VARIANTS

    @property
    def name(self) -> str:
        """Also names the folder of its results."""
        kaslr = "kaslr" if self.kaslr else "nokaslr"
        variant = f"-{self.variant}" if self.variant else ""
        return f"{self.flavour}-{self.job}-{kaslr}-{self.cpus}cpu-{self.memory_mib}M{variant}"

    @property
    def death(self) -> Death | None:
        return DEATHS.get(self.job)

    @property
    def exit_code(self) -> int:
        return 120 if self.death else EXIT_CODES[self.job]

    @property
    def online(self) -> int:
        """The number of its CPUs that the kernel starts."""
        return 1 if self.variant == "maxcpus" or self.job == "early" else self.cpus

    @property
    def modules(self) -> tuple[str, ...]:
        return (self.death.modules if self.death else ()) + VARIANTS.get(self.variant, Variant()).modules

    @property
    def arguments(self) -> list[str]:
        """The arguments for vmm."""
        death, variant = self.death or Death("", ""), VARIANTS.get(self.variant, Variant())
        words = ["console=ttyS0", "quiet", f"job={self.job}", JOB_APPENDS.get(self.job, ""), death.append, variant.append]
        # The lab's emulated CPU does not intercept XSETBV, so its KVM reports CPUID 0xd for an outdated XCR0. 6.1 then
        # gives up XSAVE and lives; in 6.12 and 7.2 that fallback is broken.
        if self.flavour in NEWER:
            words.append("noxsave")
        append = " ".join(word for word in words if word)  # each character costs three exits
        kaslr = "on" if self.kaslr else "off"
        arguments = [f"--append={append}", f"--kaslr={kaslr}", f"--cpus={self.cpus}", f"--memory={self.memory_mib}M"]
        # A dead kernel still takes timer ticks. They are so slow in the lab that its CPU is often found in one. crash
        # 8.0.2 cannot unwind that without CONFIG_X86_MCE, so the cloud kernel gets no tick. On PREEMPT_RT the task that
        # panicked may lose its CPU during the grace: it sleeps for the console's lock if the kernel has stopped the CPU
        # that held it.
        if self.flavour in ("cloud", "rt") and self.job == "panic":
            arguments.append("--panic-grace=0")
        return [*arguments, *death.arguments, *variant.arguments]

    def __str__(self) -> str:
        cpus = "1 vCPU" if self.cpus == 1 else f"{self.cpus} vCPUs"
        job = f", {self.job}" if self.job != "panic" else ""
        variant = f", {self.variant}" if self.variant else ""
        return f"{self.flavour}, KASLR {'on' if self.kaslr else 'off'}, {cpus}, {self.memory_mib}M{job}{variant}"


# The promised exit codes of the runs that live, docs/exit-codes.md.
EXIT_CODES = {"shell": 0, "reboot": 123, "kdump": 120}

# The kernel command line that some jobs need.
JOB_APPENDS = {"kdump": "crashkernel=256M"}

TINY = 128
SMALL = 512
MIDDLE = 1024
ABOVE_THE_HOLE = 5120  # more than the 3 GiB below the hole

FLAVOURS = ("cloud", "amd64", "rt")
NEWER = ("backports", "sid")  # from lab.kernels.NEWER

# Each machine gets the usual death. Each kernel gets the other deaths, the variants and a run that lives once.
FULL = [
    *(Case(flavour, "shell", True, 2, SMALL) for flavour in FLAVOURS),
    *(Case(flavour, "reboot", False, 1, SMALL) for flavour in FLAVOURS),
    *(Case(flavour, "kdump", True, 2, MIDDLE) for flavour in FLAVOURS),
    *(Case(flavour, job, True, 2, SMALL) for flavour, job in product(FLAVOURS, DEATHS)),
    *(Case(flavour, "panic", True, 2, SMALL, variant) for flavour, variant in product(FLAVOURS, VARIANTS)),
    *(Case(flavour, "caught", True, 2, SMALL, "classic") for flavour in FLAVOURS),
    *(Case(*cell) for cell in product(FLAVOURS, ["panic"], (True, False), (1, 2, 8), (TINY, MIDDLE, ABOVE_THE_HOLE))),
    *(Case(flavour, job, True, 2, SMALL) for flavour, job in product(NEWER, ("shell", "panic", "caught"))),
]

# Each value of each column at least once, except for the kernels and eight vCPUs: a few minutes.
QUICK = [
    Case("cloud", "shell", True, 2, SMALL),
    Case("cloud", "reboot", False, 1, SMALL),
    Case("cloud", "panic", True, 1, SMALL, "mappings"),
    Case("cloud", "panic", False, 2, SMALL),
    Case("cloud", "panic", True, 4, ABOVE_THE_HOLE),
    Case("cloud", "watchdog", True, 2, TINY, "4level"),
    Case("cloud", "user", True, 2, SMALL, "fwcfg"),
    Case("cloud", "caught", True, 2, SMALL),
    Case("cloud", "early", True, 2, SMALL),
]


@dataclass(frozen=True)
class Image:
    """Another image in the bzImage format, from a Debian package."""

    name: str
    path: str
    sentence: str
    console: str = ""  # a pattern that the console must show
    refusal: str = ""  # a pattern in vmm's message; vmm then ends with 125


IMAGES = [
    Image("memtest86+x64", "/boot/memtest86+x64.bin", "shows its banner and moves on in its pass",
          console=r"Memtest86\+ v.*\[2;35H\x1b\[0m +([3-9]|\d\d)%"),
    Image("memtest86+ia32", "/boot/memtest86+ia32.bin", "is refused, for want of a 64-bit entry",
          refusal="64-bit entry"),
    Image("ipxe", "/usr/lib/ipxe/ipxe.lkrn", "is refused, for it needs a BIOS", refusal="BIOS"),
]  # fmt: skip
