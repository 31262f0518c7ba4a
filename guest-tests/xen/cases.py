"""The runs of ./run, and how each must end."""

from dataclasses import dataclass, field

MEMORY_MIB = 1024
TIMEOUT_S = 240

# Xen keeps the serial port, and dom0 prints by Xen.
XEN = "console=com1 com1=115200 loglvl=info dom0_mem=512M noreboot=1"
DOM0 = "console=hvc0 earlyprintk=xen panic=0"

# Xen's and an emulated CPU's SMAP do not agree: dom0 dies early with a page fault.
CPU = ("--cpu-features=-smap,-smep",)

HAS_BOOTED = ("(XEN) Xen version", "guest: ", "job panic")


@dataclass(frozen=True)
class Case:
    name: str
    exit_code: int
    panic: dict[str, str] = field(default_factory=dict)  # fields of the record's "panic"
    console: tuple[str, ...] = HAS_BOOTED  # words that it has
    xen: str = XEN
    dom0: str = f"{DOM0} job=panic"
    cpus: int = 1
    flags: tuple[str, ...] = CPU


CASES = [
    Case("dom0-pvpanic", 120, {"source": "pvpanic", "died": "dom0"}),
    Case("dom0-pvpanic-4cpu", 120, {"source": "pvpanic", "died": "dom0"}, cpus=4),
    # Without the driver only the console says it. Xen resets the machine five seconds after dom0's death.
    Case(
        "dom0-console", 120, {"source": "console", "died": "dom0"}, xen=XEN.replace(" noreboot=1", ""), dom0=f"{DOM0} job=panic modules=no"
    ),
    Case(
        "dom0-console-at-once",
        120,
        {"source": "console", "died": "dom0"},
        dom0=f"{DOM0} job=panic modules=no",
        flags=(*CPU, "--catch-console=panic"),
    ),
    # A module that is no kernel: Xen itself panics.
    Case(
        "xen-panic",
        120,
        {"source": "console", "died": "xen"},
        ("(XEN) Xen version", "(XEN) Panic on CPU 0:"),
        dom0=f"{DOM0} dom0_is_broken",
        xen=XEN.replace("dom0_mem=512M", "dom0_mem=1M"),
        flags=(*CPU, "--catch-console=panic"),
    ),
    Case("dom0-power-off", 0, {}, ("(XEN) Xen version", "job poweroff"), dom0=f"{DOM0} job=poweroff"),
]
