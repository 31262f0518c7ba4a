"""Checks `vmcore` on others' dumps, against crash, drgn, gdb, makedumpfile and libkdumpfile."""

import json
import re
import shutil
import struct
from pathlib import Path

from foreign import kdump_guest, qemu_guest
from lab.kernels import Kernel
from campaign.tools import DEBIANS_PYTHON, DRGN_SCRIPT, PANIC, Ran, crash, run_tool
from campaign.tally import Tally
from campaign.vmcore_tool import VMCORE, check_dmesg, check_frames, vmcore_tool

WORDS = PANIC + "sysrq triggered crash"
SIGNATURE = "167e2199580ef797"  # of this death in this kernel, whoever dumps it: docs/vmcore-tool.md, "report"
RELEASE_SCRIPT = Path(__file__).with_name("kdumpfile_release.py")


class Judge:
    """Judges the files of one guest."""

    def __init__(self, tally: Tally, kernel: Kernel, results: Path) -> None:
        self.kernel = kernel
        self.results = results
        self._tally = tally
        self._crashes: dict[Path, tuple[Ran, dict[str, str]]] = {}

    def _crash(self, file: Path) -> tuple[Ran, dict[str, str]]:
        """Runs crash once for each file, because it takes seconds."""
        if file not in self._crashes:
            self._crashes[file] = crash(self.kernel, file, self.results, "bt", "log", "sys")
        return self._crashes[file]

    def check(self, file: Path, sentence: str, holds: bool, evidence: str = "") -> bool:
        return self._tally.check(f"{self.results.name}, {file.name}: {sentence}", holds, evidence)

    def tool(self, *words: str | Path) -> Ran:
        return run_tool(VMCORE, *words)

    def info(self, file: Path, cpus: int, memory_bytes: range) -> None:
        status, output, words = vmcore_tool("info", file, "--json")
        info = json.loads(output) if status == 0 else {}
        release = info.get("kernel", {}).get("release")
        self.check(file, f"vmcore info names the kernel, {release}", release == self.kernel.release, words)
        right = info and len(info["cpus"]) == cpus and info["memory"]["bytes"] in memory_bytes
        self.check(file, f"vmcore info has {cpus} CPUs and all memory", bool(right), str(info.get("memory")))

    def report(self, file: Path) -> None:
        """Compares with crash, which has its vmlinux, on the same file."""
        status, output, words = vmcore_tool("report", file, "--json")
        if not self.check(file, "vmcore report makes a report", status == 0, words):
            return
        report = json.loads(output)
        ran, said = self._crash(file)
        self.check(file, "crash opens it", WORDS in said["log"] and self.kernel.release in said["sys"], ran.output)
        check_frames(self._tally, f"{self.results.name}, {file.name}", report, said["bt"], said["log"])
        dead = report["cpus"][report.get("panic_cpu", 0)]
        self.check(file, "vmcore report names the panic and the task, and its signature is this death's in any dump",
                   report["panic"] in WORDS and dead["task"]["comm"] == "sh" and report["signature"] == SIGNATURE,
                   json.dumps({**report, "log": []}, indent=1))  # fmt: skip
        others = [cpu for cpu in report["cpus"] if cpu is not dead]
        whole = [cpu for cpu in others if cpu["frames"] and cpu["end"] in ("end of stack", "user mode")]
        self.check(file, "vmcore report shows the other CPU down to its first call", whole == others, str(others))

    def verdict(self, file: Path, rules: set[str], unread_by: set[str]) -> None:
        """`vmcore check` reports exactly `rules`, and says that all but `unread_by` can read it. Each reader confirms
        that."""
        _, output, words = vmcore_tool("check", file, "--json")
        told = json.loads(output)
        found = {finding["rule"] for finding in told["findings"]}
        self.check(file, f"vmcore check tells of {', '.join(sorted(rules)) or 'nothing'}", found == rules, str(found) + words)
        verdicts = {name: verdict["readable"] for name, verdict in told["readable_by"].items()}
        for name, ask in {"crash": self.crash_reads, "drgn": self.drgn_reads, "gdb": self.gdb_reads,
                          "makedumpfile": self.makedumpfile_reads, "libkdumpfile": self.libkdumpfile_reads}.items():  # fmt: skip
            reads, evidence = ask(file)
            verb = "does not read it" if name in unread_by else "reads it"
            agreed = reads == verdicts[name] == (name not in unread_by)
            self.check(file, f"{name} {verb}, as vmcore check says", agreed, f"said: {verdicts[name]}\n{evidence}")

    def crash_reads(self, file: Path) -> tuple[bool, str]:
        ran, said = self._crash(file)
        return "sysrq_handle_crash" in said["bt"] and WORDS in said["log"], ran.output

    def drgn_reads(self, file: Path) -> tuple[bool, str]:
        ran = run_tool("drgn", "-c", file, "-s", self.kernel.vmlinux, DRGN_SCRIPT)
        return ran.has("^panicked sh$") and ran.has(WORDS), ran.output

    def gdb_reads(self, file: Path) -> tuple[bool, str]:
        """Loads the symbols moved by KASLR's offset, as anyone without the side file must."""
        _, output, _ = vmcore_tool("info", file, "--json")
        offset = json.loads(output)["kernel"]["kernel_offset"]
        load = ["-ex", f"core-file {file}", "-ex", f"symbol-file -o {offset} {self.kernel.vmlinux}"]
        ran = run_tool("gdb", "--nx", "--batch", *load, "-ex", "p init_uts_ns.name.release", "-ex", "x/s linux_banner")
        return ran.has(rf'= "{re.escape(self.kernel.release)}') and ran.has("Linux version"), ran.output

    def makedumpfile_reads(self, file: Path) -> tuple[bool, str]:
        ran = run_tool("makedumpfile", "--dump-dmesg", "-f", file, self.results / "their-dmesg")
        return ran.status == 0, ran.output

    def libkdumpfile_reads(self, file: Path) -> tuple[bool, str]:
        ran = run_tool(DEBIANS_PYTHON, RELEASE_SCRIPT, file)
        return ran.has(rf"^release {re.escape(self.kernel.release)}$"), ran.output

    def same(self, a: Path, b: Path, *options: str) -> None:
        what = "memory" if "--memory" in options else "memory and notes"
        ran = self.tool("compare", a, b, *options)
        self.check(a, f"it holds the same {what} as {b.name}, page by page", ran.status == 0, ran.output)

    def convert(self, file: Path, target: Path, *options: str) -> bool:
        for old in (target, target.with_name(f"{target.name}.gdb")):
            old.unlink(missing_ok=True)
        ran = self.tool("convert", file, target, *options)
        return self.check(file, f"vmcore convert makes {target.name}", ran.status == 0, ran.output)

    def there_and_back(self, file: Path, compare: tuple[str, ...] = ()) -> Path:
        """Converts to the kdump format and back to ELF; returns the ELF file."""
        kdump, elf = self.results / f"{file.name}-as-kdump", self.results / f"{file.name}-as-kdump-as-elf"
        if self.convert(file, kdump, "--format=kdump-zlib"):
            self.same(file, kdump, *compare)
            if self.convert(kdump, elf, "--format=elf"):
                self.same(file, elf, *compare)
        return elf


def judge_kdump(tally: Tally, kernel: Kernel, results: Path) -> None:
    judge = Judge(tally, kernel, results)
    elf, kdump = results / "vmcore", results / "kdump"
    kept_mib = kdump_guest.MEMORY_MIB - kdump_guest.CRASH_KERNEL_MIB
    for file in (elf, kdump):
        judge.info(file, kdump_guest.CPUS, range(kept_mib - 16 << 20, kept_mib << 20))
        check_dmesg(tally, f"kdump, {file.name}", file, results / "dmesg")
        judge.report(file)
    # Its image is also in the direct map's segment, with bytes of its own.
    judge.verdict(elf, {"stored-twice", "no-stack"}, unread_by=set())
    judge.verdict(kdump, set(), unread_by={"gdb"})
    judge.there_and_back(elf)

    # Our own filter leaves out the same pages as makedumpfile.
    ours = results / "vmcore-of-level-31"
    if judge.convert(elf, ours, "--format=kdump-zlib", "--level=31"):
        judge.same(kdump, ours, "--memory")
    flattened = results / "flattened"
    ran = run_tool("sh", "-c", f"makedumpfile -F -c -d 31 {elf} >{flattened}")
    if judge.check(flattened, "makedumpfile makes it", ran.status == 0, ran.output):
        judge.same(flattened, kdump)
    back = results / "kdump-as-elf"
    if judge.convert(kdump, back, "--format=elf"):
        judge.verdict(back, set(), unread_by=set())


def judge_qemu(tally: Tally, kernel: Kernel, results: Path, untold: bool = False) -> None:
    """`untold`: the guest has not told QEMU where its VMCOREINFO is."""
    judge = Judge(tally, kernel, results)
    elf, kdump, paging = (results / name for name in qemu_guest.DUMPS)
    all_memory = qemu_guest.MEMORY_MIB << 20
    for file in (elf, kdump):
        judge.info(file, qemu_guest.CPUS, range(all_memory, all_memory + (1 << 20)))
        judge.report(file)
    ram = results / "ram-and-firmware"
    _with_firmware(results / "ram", elf, ram)
    ran = judge.tool("compare", elf, f"--raw={ram}")
    judge.check(elf, "memory is the guest's own, page by page", ran.status == 0, ran.output)
    judge.same(elf, kdump)
    ran = judge.tool("compare", elf, paging, "--memory")
    none = "Only in the first" in ran.output and not re.search("Memory that differs|Only in the second", ran.output)
    judge.check(paging, "it leaves out what no CPU has mapped, and all else is the same", none, ran.output)

    without = {"vmcoreinfo"} if untold else set()
    judge.verdict(elf, {"e_phoff", "e_ehsize", "sections", "p_offset", "p_vaddr-physical", "no-image", "no-stack"} | without,
                  unread_by={"drgn", "gdb", "makedumpfile"} | ({"libkdumpfile"} if untold else set()))  # fmt: skip
    judge.verdict(kdump, {"flattened"} | without, unread_by={"drgn", "gdb", "makedumpfile", "libkdumpfile"})

    # A file that only crash reads becomes one that all read. VMCOREINFO is found in the guest's memory.
    back = judge.there_and_back(elf, ("--memory",) if untold else ())
    if back.exists():
        judge.verdict(back, set(), unread_by=set())
        check_dmesg(tally, f"{results.name}, {elf.name}", elf, results / "their-dmesg")


def judge_qemu_untold(tally: Tally, kernel: Kernel, results: Path) -> None:
    judge_qemu(tally, kernel, results, untold=True)


def _with_firmware(ram: Path, elf: Path, target: Path) -> None:
    """Writes RAM followed by the firmware's flash, which is the dump's last segment and in no file of RAM."""
    shutil.copy(ram, target)
    with elf.open("rb") as dump, target.open("ab") as file:
        (phoff,) = struct.unpack_from("<Q", dump.read(64), 32)
        dump.seek(phoff)
        (_, _, last) = struct.iter_unpack("<IIQQQQQQ", dump.read(3 * 56))  # after the notes' and RAM's
        dump.seek(last[2])
        file.write(dump.read(last[5]))
