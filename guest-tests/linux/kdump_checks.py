"""Converts a dead guest's dump to the kdump-compressed format and back, and opens each with the usual tools."""

import os
import struct
from pathlib import Path

from campaign.tools import DRGN_SCRIPT, PANIC, Ran, crash, run_tool
from lab import host
from lab.kernels import Kernel
from linux.cases import SMALL, Case
from linux.checks import check_by_crash
from campaign.readers import MACHINES, readers_of
from campaign.tally import Tally

VMCORE = host.REPO / "bazel-bin/dump/tool/vmcore"

# The name, and the arguments of `vmcore convert`.
FORMS = {
    "kdump-zlib": ["--format=kdump-zlib"],
    "kdump-zstd": ["--format=kdump-zstd"],
    "kdump-zlib of level 31": ["--format=kdump-zlib", "--level=31"],
    "ELF of level 31": ["--format=elf", "--level=31"],
}


def cells(cases: list[Case]) -> list[Case]:
    """Chooses one panic for each kernel: a format does the same in each machine."""
    usual = [case for case in cases if case.job == "panic" and not case.variant]
    wanted = [case for case in usual if case.cpus == 2 and case.memory_mib == SMALL]
    return list({case.flavour: case for case in wanted}.values())


def check_kdump(tally: Tally, case: Case, kernel: Kernel, results: Path) -> None:
    vmcore = results / "vmcore"
    if not vmcore.exists():
        return  # already reported
    if not VMCORE.exists():
        tally.skip(f"{case}: kdump-compressed forms of the dump", "//dump:vmcore is not built")
        return
    for name, options in FORMS.items():
        file = results / name.replace(" ", "-")
        if _converts(tally, case, name, vmcore, file, *options):
            _check_readers(tally, case, name, kernel, file, results)
            if name == "kdump-zstd":
                _check_way_back(tally, case, name, vmcore, file)
        _remove(file)
    _check_against_makedumpfile(tally, case, kernel, vmcore, results)


def _remove(dump: Path) -> None:
    for file in (dump, dump.with_name(f"{dump.name}.gdb")):
        file.unlink(missing_ok=True)


def _converts(tally: Tally, case: Case, name: str, source: Path, target: Path, *options: str) -> bool:
    _remove(target)
    ran = run_tool(VMCORE, "convert", source, target, *options)
    return tally.check(f"{case}: vmcore convert makes {name}", ran.status == 0, ran.output)


def _check_readers(tally: Tally, case: Case, name: str, kernel: Kernel, file: Path, results: Path) -> None:
    readers = readers_of(kernel)
    if kernel.vmlinux.exists():
        ran, said = crash(kernel, file, results, "sys", "bt", "log")
        opened = "sysrq_handle_crash" in said["bt"] and kernel.release in said["sys"] and PANIC in said["log"]
        check_by_crash(tally, case, ran, f"opens {name}", opened, said["bt"] + said["sys"])
        ran = run_tool(*readers.drgn, "-c", file, "-s", kernel.vmlinux, DRGN_SCRIPT, **readers.environment)
        tally.check(f"{case}: drgn opens {name}", ran.has("^panicked sh$") and ran.has(PANIC), ran.output)
    if "zstd" in name and readers is MACHINES:
        return  # Debian 12's makedumpfile is built without it
    dmesg = results / "kdump-dmesg"
    ran = run_tool(*readers.makedumpfile, "--dump-dmesg", "-f", file, dmesg)
    log = dmesg.read_text(errors="replace") if dmesg.exists() else ""
    tally.check(f"{case}: makedumpfile opens {name}", PANIC in log, ran.output)
    dmesg.unlink(missing_ok=True)


def _check_way_back(tally: Tally, case: Case, name: str, vmcore: Path, file: Path) -> None:
    back = file.with_name("back-to-elf")
    if _converts(tally, case, f"ELF of {name}", file, back):
        ran = run_tool("cmp", vmcore, back)
        tally.check(f"{case}: ELF, {name} and ELF again is the same file", ran.status == 0, ran.output)
    _remove(back)


def _check_against_makedumpfile(tally: Tally, case: Case, kernel: Kernel, vmcore: Path, results: Path) -> None:
    theirs, ours, elf = results / "theirs", results / "ours", results / "theirs-as-elf"
    options = ["-c", "-d", "31", "-f", *_old_names(vmcore, results)]
    ran = run_tool(*readers_of(kernel).makedumpfile, *options, vmcore, theirs)
    if ran.status == 0 and _converts(tally, case, "level 31", vmcore, ours, "--format=kdump-zlib", "--level=31"):
        kept, wanted = _bitmaps(ours), _bitmaps(theirs)
        sentence = f"level 31 keeps the pages that makedumpfile -d 31 keeps, {wanted[1].count()} of {wanted[0].count()}"
        tally.check(f"{case}: {sentence}", kept == wanted, f"{kept[1].count()} of {kept[0].count()}\n{ran.output}")
        if _converts(tally, case, "ELF of makedumpfile's file", theirs, elf):
            _check_readers(tally, case, "ELF of makedumpfile's file", kernel, elf, results)
            _check_gdb(tally, case, kernel, elf)
    for file in (theirs, ours, elf):
        _remove(file)


def _old_names(vmcore: Path, results: Path) -> list[str | Path]:
    """Returns the options that give makedumpfile the old name of compound_head. Linux 7 has renamed it, and
    makedumpfile 1.7.8 does not know the new name: without the options it leaves out tails of the kernel's own compound
    pages, and so more than it intends to."""
    with vmcore.open("rb") as file:
        (_, _, offset, _, _, size, _, _) = struct.unpack("<IIQQQQQQ", os.pread(file.fileno(), 56, 64))
        notes = os.pread(file.fileno(), size, offset)
    start = notes.find(b"OSRELEASE=")
    info = notes[start : notes.find(b"\0", start)]
    if b"OFFSET(page.compound_info)" not in info:
        return []
    renamed = results / "vmcoreinfo"
    renamed.write_bytes(info.replace(b"compound_info", b"compound_head"))
    return ["-i", renamed]


def _check_gdb(tally: Tally, case: Case, kernel: Kernel, elf: Path) -> None:
    if kernel.vmlinux.exists():
        gdb = ["gdb", "--nx", "--batch", "-ex", f"cd {elf.parent}", "-x", f"{elf.name}.gdb"]
        ran: Ran = run_tool(*gdb, "-ex", f"kernel {kernel.vmlinux}", "-ex", "thread apply all bt 40")
        tally.check(f"{case}: gdb opens ELF of makedumpfile's file", " panic (fmt=" in ran.output, ran.output)


class _Bitmap(bytes):
    def count(self) -> int:
        return int.from_bytes(self, "little").bit_count()


def _bitmaps(file: Path) -> tuple[_Bitmap, _Bitmap]:
    """Returns the two bitmaps of a kdump-compressed file: RAM, and the stored part of it. See docs/abi/kdump.md."""
    with file.open("rb") as kdump:
        sub_blocks, bitmap_blocks = struct.unpack_from("<iI", kdump.read(464), 432)
        kdump.seek((1 + sub_blocks) * 4096)
        bitmaps = kdump.read(bitmap_blocks * 4096)
    half = len(bitmaps) // 2
    return _Bitmap(bitmaps[:half]), _Bitmap(bitmaps[half:])
