"""What opens the dump of a Xen machine whose dom0 died of a sysrq: crash, and for dom0 taken out of it drgn and gdb."""

import json
import re
from pathlib import Path

from campaign.tally import Tally
from campaign.tools import DRGN_SCRIPT, PANIC, crash, run_tool
from campaign.vmcore_tool import check_frames, vmcore_tool
from lab import kernels

WORDS = PANIC + "sysrq triggered crash"


def check_crash(tally: Tally, name: str, kernel: kernels.Kernel, vmcore: Path) -> dict[str, str]:
    """Returns what crash says to each of its commands."""
    ran, said = crash(kernel, vmcore, vmcore.parent, "sys", "bt", "ps", "log")
    opened = kernel.release in said["sys"] and "sysrq triggered crash" in said["sys"]
    tally.check(f"{name}: crash opens it as dom0", opened, ran.output + said["sys"])
    tally.check(f"{name}: bt has the panic's frames", "panic" in said["bt"] and "sysrq_handle_crash" in said["bt"], said["bt"])
    tally.check(f"{name}: ps has the task that panicked", re.search(r"^> .* sh$", said["ps"], re.MULTILINE) is not None, said["ps"])
    tally.check(f"{name}: log has the panic", WORDS in said["log"], said["log"][-2000:])
    return said


def check_dom0(tally: Tally, name: str, kernel: kernels.Kernel, dom0: Path, said: dict[str, str]) -> None:
    """`said`: by crash, of the whole machine's dump."""
    status, output, words = vmcore_tool("report", dom0, "--json")
    report = json.loads(output) if status == 0 else {"cpus": [{"frames": []}]}
    if "</TASK>" in said["log"].partition(WORDS)[2]:
        check_frames(tally, name, report, said["bt"], said["log"])
    else:
        no_trace = "dom0 had not yet printed its trace, which tells leftovers apart"
        tally.skip(f"{name}: vmcore report has the panic's frames as crash does", no_trace)
    ran = run_tool("drgn", "-c", dom0, "-s", kernel.vmlinux, DRGN_SCRIPT)
    tally.check(f"{name}: drgn opens it", ran.has("^panicked sh$") and ran.has(WORDS), words + ran.output)
    load = ["-ex", f"core-file {dom0}", "-ex", f"symbol-file {kernel.vmlinux}"]
    ran = run_tool("gdb", "--nx", "--batch", *load, "-ex", "p init_uts_ns.name.release", "-ex", "x/s linux_banner")
    opened = ran.has(rf'= "{re.escape(kernel.release)}') and ran.has("Linux version")
    tally.check(f"{name}: gdb opens it", opened, ran.output)
