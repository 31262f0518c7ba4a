"""Opens the dump of a dead guest with the usual tools, and checks what they show."""

import contextlib
import json
import os
import re
import struct
from pathlib import Path

from campaign.end import End
from campaign.readers import readers_of
from campaign.tally import Tally
from campaign.tools import DEBIANS_PYTHON, DRGN_SCRIPT, PANIC, Ran, crash, run_tool
from campaign.vmcore_tool import VMCORE, check_dmesg
from lab.kernels import Kernel
from linux.cases import NEWER, Case, Image
from linux.report_checks import check_report

# On the stack of a CPU that took an interrupt. A timer tick is slow in the lab, so a CPU is sometimes found in one.
# From the interrupt stack, gdb does not see what was interrupted.
INTERRUPT = r"sysvec_|common_interrupt|\b(error_entry|error_return|swapgs_restore_regs|native_irq_return)"
URANDOM = "get_random_bytes_user|urandom_read_iter"  # on the stack of `cat /dev/urandom`

KDUMPFILE_SCRIPT = Path(__file__).with_name("kdumpfile_facts.py")


def check_end(tally: Tally, case: Case, results: Path) -> bool:
    """Checks that the run ended as it must. The other checks make sense only then."""
    end = End.read(results)
    came_up = f" {case.online} CPUs," in end.console and "guest: " in end.console
    if case.variant in ("4level", "no5lvl"):
        came_up = came_up and "4-level paging" in end.console
    if case.death:
        came_up = came_up or not case.death.init_runs
        sentence = "a panic ends the run"
        # In vmm's words, because on PREEMPT_RT's console two CPUs may print through each other.
        done_seen = re.search(rf"^vmm: panic \(.*{re.escape(case.death.words)}", end.words, re.MULTILINE) is not None
    else:
        sentence, done = {
            "shell": ("boots to a shell on the serial console that does sums, and powers off", "answer 42000"),
            "reboot": ("a reboot ends the run", "job reboot"),
            "kdump": ("its own crash kernel takes over, is not disturbed, and powers off", "job poweroff"),
        }[case.job]
        done_seen = done in end.console
    if case.job == "kdump":
        done_seen = done_seen and "its own crash kernel took over" in end.words
    holds = came_up and done_seen and end.status == case.exit_code
    return tally.check(f"{case}: {sentence}, exit {case.exit_code} ({end.seconds} s)", holds, end.evidence)


def check_image(tally: Tally, image: Image, results: Path) -> None:
    end = End.read(results)
    if image.refusal:
        holds = end.status == 125 and re.search(image.refusal, end.words) is not None
    else:
        holds = re.search(image.console, end.console, re.DOTALL) is not None
    tally.check(f"{image.name}: {image.sentence}", holds, end.evidence)


def check_vmcore(tally: Tally, case: Case, kernel: Kernel, results: Path) -> None:
    vmcore = results / "vmcore"
    if not tally.check(f"{case}: there is a vmcore, and nothing partial", _only_one_dump(results)):
        return
    _check_memory(tally, case, End.read(results).memory)
    _check_record(tally, case, results)
    _check_own_tool(tally, case, vmcore)
    if kernel.vmlinux.exists():
        if case.job == "early":
            _check_minimal_crash(tally, case, kernel, vmcore, results)
        else:
            _check_crash(tally, case, kernel, vmcore, results)
        _check_gdb(tally, case, kernel, vmcore)
        if case.death.init_runs:
            _check_drgn(tally, case, kernel, vmcore)
    else:
        tally.skip(f"{case}: crash, gdb and drgn", f"no vmlinux of {kernel.release}")
    if case.death.init_runs:
        _check_kdumpfile(tally, case, kernel, vmcore)
        _check_makedumpfile(tally, case, kernel, vmcore, results)
    else:
        _check_refusals(tally, case, kernel, vmcore, results)
    if kernel.vmlinux.exists() and case.cpus == 1:
        _check_crash_without_vmcoreinfo(tally, case, kernel, vmcore, results)


def _check_memory(tally: Tally, case: Case, memory: dict | None) -> None:
    """Checks the comparison that ./session.py made of the dump with its guest's memory."""
    memory = memory or {"pages": 0, "read": 0, "mismatches": -1, "whole": False}
    sentence = f"of {memory['pages']} pages {memory['mismatches']} differ from the guest's memory"
    all_pages = case.memory_mib << 8
    holds = memory["whole"] and memory["pages"] == all_pages and memory["mismatches"] == 0 and memory["read"] > 0
    tally.check(f"{case}: {sentence} ({memory['read']} read, the rest holes on both sides)", holds, str(memory))


def _check_record(tally: Tally, case: Case, results: Path) -> None:
    whole = json.loads((results / "result.json").read_text())
    if case.job == "caught":
        caught = [point["function"] for point in whole["catch"]["points"]]
        tally.check(f"{case}: result.json says that it was caught in the kernel's code, and where",
                    whole["panic"]["source"] == "trap" and "native_stop_other_cpus" in caught, str(whole["panic"]))  # fmt: skip
        tally.check(f"{case}: result.json has the panic's words and its stack",
                    case.death.words in whole["death"]["message"]
                    and any(frame.startswith(case.death.frame) for frame in whole["death"]["stack"]),
                    str(whole["death"]))  # fmt: skip
    record = whole["dump"]
    readers = record.get("readable_by", {})
    if case.death.init_runs:
        tally.check(f"{case}: result.json says that all can read it", _all_true(readers, *READERS), str(record))
    else:
        refused = all("VMCOREINFO" in str(readers.get(reader)) for reader in ("drgn", "makedumpfile"))
        tally.check(f"{case}: result.json says that drgn and makedumpfile want VMCOREINFO, and the others do not",
                    refused and _all_true(readers, "crash", "gdb"), str(record))  # fmt: skip
    source = "guest" if case.variant == "fwcfg" else "scan" if case.death.init_runs else None
    tally.check(f"{case}: VMCOREINFO's source is {source}", record.get("vmcoreinfo_source", "-") == source, str(record))


READERS = ("crash", "drgn", "gdb", "makedumpfile")


def _all_true(verdicts: dict, *readers: str) -> bool:
    return all(verdicts.get(reader) is True for reader in readers)


def _check_own_tool(tally: Tally, case: Case, vmcore: Path) -> None:
    if case.death.init_runs:
        ran = run_tool(VMCORE, "check", "--json", vmcore)
        found = {finding["rule"] for finding in json.loads(ran.output)["findings"]} if ran.status in (0, 1) else {"none"}
        # All mappings may take more program headers than libkdumpfile can read.
        known = {"pt-load-count"} if case.variant == "mappings" else set()
        tally.check(f"{case}: vmcore check has nothing to say against it", found <= known, ran.output)


def _check_refusals(tally: Tally, case: Case, kernel: Kernel, vmcore: Path, results: Path) -> None:
    """Checks that the readers that should refuse it do refuse it."""
    readers = readers_of(kernel)
    ran = run_tool(*readers.makedumpfile, "-c", "-d", "31", "-f", vmcore, results / "filtered")
    tally.check(f"{case}: makedumpfile refuses it, as was said", ran.status != 0, ran.output)
    ran = run_tool(*readers.drgn, "-c", vmcore, "-s", kernel.vmlinux, DRGN_SCRIPT, **readers.environment)
    tally.check(f"{case}: drgn refuses it, as was said", ran.status != 0, ran.output)


@contextlib.contextmanager
def _vmcoreinfo_hidden(vmcore: Path):
    """Gives the note another name for a while."""
    with vmcore.open("r+b") as file:
        (_, _, offset, _, _, size, _, _) = struct.unpack("<IIQQQQQQ", os.pread(file.fileno(), 56, 64))
        at = offset + os.pread(file.fileno(), size, offset).index(b"VMCOREINFO\0")
        os.pwrite(file.fileno(), b"X", at)
        try:
            yield
        finally:
            os.pwrite(file.fileno(), b"V", at)


def _check_crash_without_vmcoreinfo(tally: Tally, case: Case, kernel: Kernel, vmcore: Path, results: Path) -> None:
    with _vmcoreinfo_hidden(vmcore):
        ran, said = crash(kernel, vmcore, results, "bt")
    tally.check(f"{case}: crash opens it without VMCOREINFO too", case.death.frame in said["bt"], ran.output)


def _only_one_dump(results: Path) -> bool:
    return [file.name for file in results.glob("*vmcore*") if not file.name.endswith(".gdb")] == ["vmcore"]


def _check_minimal_crash(tally: Tally, case: Case, kernel: Kernel, vmcore: Path, results: Path) -> None:
    """crash without tasks: so early in a boot there can be no more. It finds the kernel through the vCPUs' notes."""
    ran, said = crash(kernel, vmcore, results, "log", minimal=True)
    log = said["log"]
    whole = "Linux version" in log and case.death.words in log and case.death.frame in log
    tally.check(f"{case}: crash --minimal prints the log", whole, log + ran.output)


def _older_than(case: Case, ran: Ran) -> str:
    """Returns why crash opens no dump of this kernel: the newest suite has no newer crash."""
    unknown = re.search(r"crash: (invalid structure member offset: \w+)", ran.output)
    return f"the newest Debian's does not know this kernel yet: {unknown[1]}" if unknown and case.flavour in NEWER else ""


def check_by_crash(tally: Tally, case: Case, ran: Ran, sentence: str, holds: bool, said: str = "") -> None:
    if why := _older_than(case, ran):
        tally.skip(f"{case}: crash {sentence}", why)
    else:
        tally.check(f"{case}: crash {sentence}", holds, said + ran.output)


def _check_crash(tally: Tally, case: Case, kernel: Kernel, vmcore: Path, results: Path) -> None:
    ran, said = crash(kernel, vmcore, results, "sys", "bt", "bt -a", "log", "ps")
    if why := _older_than(case, ran):
        tally.skip(f"{case}: crash", why)
        return

    def check(sentence: str, holds: bool, evidence: str) -> None:
        tally.check(f"{case}: crash {sentence}", holds, evidence + ran.output)

    frames = re.findall(r"^ *#(\d+) \[\w+\] (\w+)", said["bt"], re.MULTILINE)
    functions = [function for _, function in frames]
    death = case.death
    if case.job == "panic" or case.death.arguments == ("--catch=panic",):
        # Since Linux 6.17 or so panic() calls vpanic().
        first = functions[1:2] if functions[:1] == ["vpanic"] else functions[:1]
        check(f"shows panic at frame 0, then {death.frame}",
              first == ["panic"] and death.frame in functions, said["bt"])  # fmt: skip
    else:
        check(f"shows panic, then {death.frame}", _in_order(functions, "panic", death.frame), said["bt"])
    if death.task:
        named = re.match(rf'PID: \d+ .*COMMAND: "{death.task}"', said["bt"]) is not None
        check("names the task that panicked", named, said["bt"])

    if death.others == "user" or case.online < case.cpus:
        pass  # the others do not run, or not in the kernel: crash shows old frames for them
    elif case.cpus > 1 and case.flavour == "cloud":
        tally.skip(f"{case}: crash shows the other CPUs", "crash 8.0.2 needs a kernel with CONFIG_X86_MCE for that")
    elif death.others == "kernel":
        stacks = re.split(r"^PID: ", said["bt -a"], flags=re.MULTILINE)[1:]
        at_work = [stack for stack in stacks if "stop_this_cpu" not in stack and re.search(URANDOM, stack)]
        check("shows the other CPUs where they worked", len(at_work) == case.cpus - 1, said["bt -a"])
    else:
        stacks = re.split(r"^PID: ", said["bt -a"], flags=re.MULTILINE)[1:]
        others = [stack for stack in stacks if death.frame not in stack]
        stopped = len(others) == case.cpus - 1 and all("stop_this_cpu" in stack for stack in others)
        check("shows a stack for each CPU, the others in stop_this_cpu", stopped, said["bt -a"])

    sys_ = Ran(0, said["sys"])
    check("tells release, CPUs and the panic in its words",
          sys_.has(rf"RELEASE: {re.escape(kernel.release)}$") and sys_.has(rf"CPUS: {case.cpus}\b")
          and sys_.has(rf'PANIC: "{PANIC}{death.words}"'), said["sys"])  # fmt: skip
    check("tells how much memory the guest had", _memory_is_right(said["sys"], case.memory_mib), said["sys"])

    log = said["log"]
    check("prints the log from the first line to the panic",
          "Linux version" in log and PANIC + death.words in log, log)  # fmt: skip
    running = re.findall(r"^>.* (\S+)$", said["ps"], re.MULTILINE)
    check("shows in ps what ran on each CPU",
          len(running) == case.cpus and (death.task in running or not death.task), said["ps"])  # fmt: skip
    if case.job == "panic" and case.online == case.cpus:
        check_report(tally, case, vmcore, said["bt"], log)


def _in_order(functions: list[str], first: str, second: str) -> bool:
    return first in functions and second in functions[functions.index(first) :]


def _memory_is_right(said: str, memory_mib: int) -> bool:
    """crash counts the pages that the kernel manages, so a little less than the machine's memory."""
    match = re.search(r"MEMORY: ([\d.]+) (MB|GB)", said)
    if not match:
        return False
    mib = float(match[1]) * (1024 if match[2] == "GB" else 1)
    return memory_mib * 0.97 - 4 <= mib <= memory_mib


def _not_stopped(threads: list[str], pattern: str) -> int:
    """Counts gdb's threads that have `pattern` in their stack and that no panic has stopped."""
    return len([thread for thread in threads if " stop_this_cpu " not in thread and re.search(pattern, thread)])


def _tops(threads: list[str]) -> str:
    return "\n".join(line for thread in threads for line in thread.splitlines()[:10])


def _check_gdb(tally: Tally, case: Case, kernel: Kernel, vmcore: Path) -> None:
    """Uses the .gdb file beside the vmcore, which works only in the folder of both."""
    gdb = ["gdb", "--nx", "--batch", "-ex", f"cd {vmcore.parent}", "-x", f"{vmcore.name}.gdb"]
    module = "p ((struct module *)((char *)modules.next - (unsigned long)&((struct module *)0)->list))->name"
    also = ["-ex", module] if case.variant == "mappings" else []
    stand = ["-ex", "thread apply all p $cs"] if case.death.others == "user" else []
    ran = run_tool(*gdb, "-ex", f"kernel {kernel.vmlinux}", *also, *stand, "-ex", "thread apply all bt 40")
    threads = re.split(r"^Thread ", ran.output, flags=re.MULTILINE)[1:]
    # Without a grace the CPU is still in pvpanic's module. gdb can unwind through that only as far as panic().
    dead = [thread for thread in threads if " panic (fmt=" in thread]
    stopped = [thread for thread in threads if " stop_this_cpu " in thread]
    tally.check(f"{case}: gdb shows the panic on one CPU", len(dead) == 1, ran.output)
    if case.variant == "mappings":
        tally.check(f"{case}: gdb reads a module's memory", ran.has(r'^\$\d+ = "pvpanic'), ran.output)
    if case.death.others == "kernel":
        at_work = _not_stopped(threads, f"{URANDOM}|{INTERRUPT}")
        tally.check(f"{case}: gdb shows the other CPUs where they worked, or in an interrupt of that",
                    at_work == case.cpus - 1, _tops(threads))  # fmt: skip
    elif case.death.others == "user":
        in_user_space = len(re.findall(r"^\$\d+ = 0x33$|^\$\d+ = 51$", ran.output, re.MULTILINE))
        tally.check(f"{case}: gdb shows the other CPUs in user space, or in an interrupt of that",
                    in_user_space + _not_stopped(threads, INTERRUPT) == case.cpus - 1, _tops(threads))  # fmt: skip
    elif case.online > 1:
        tally.check(f"{case}: gdb shows the other CPUs in stop_this_cpu", len(stopped) == case.cpus - 1, ran.output)


def _check_drgn(tally: Tally, case: Case, kernel: Kernel, vmcore: Path) -> None:
    for name, environment in {"drgn": {}, "drgn by libkdumpfile": {"DRGN_USE_LIBKDUMPFILE_FOR_ELF": "1"}}.items():
        if environment and case.variant == "mappings":
            tally.skip(f"{case}: {name}", "libkdumpfile 0.5.1 cannot read so many program headers")
        else:
            _check_one_drgn(tally, case, kernel, vmcore, name, environment)


def _check_one_drgn(tally: Tally, case: Case, kernel: Kernel, vmcore: Path, name: str, environment: dict[str, str]) -> None:
    readers = readers_of(kernel)
    ran = run_tool(*readers.drgn, "-c", vmcore, "-s", kernel.vmlinux, DRGN_SCRIPT, **readers.environment, **environment)
    right = ran.has(rf"^release {re.escape(kernel.release)}$") and ran.has(f"^panicked {case.death.task}")
    tally.check(f"{case}: {name} reads the release and the task that panicked", right, ran.output)
    tally.check(f"{case}: {name} lists all tasks", ran.has("^task 1 init$") and ran.has("^task 2 kthreadd$"), ran.output)
    tally.check(f"{case}: {name} reads the log", ran.has(PANIC + case.death.words), ran.output)


def _check_kdumpfile(tally: Tally, case: Case, kernel: Kernel, vmcore: Path) -> None:
    if case.variant == "mappings":
        tally.skip(f"{case}: libkdumpfile", "0.5.1 cannot read so many program headers")
        return
    ran = run_tool(DEBIANS_PYTHON, KDUMPFILE_SCRIPT, vmcore)
    knows = ran.has(rf"^release {re.escape(kernel.release)}$") and ran.has(rf"^cpus {case.cpus}$")
    reads = ran.has(r"^physical \d+ pages, 0 wrong$") and ran.has(r"^virtual \d+ pages, 0 wrong$")
    tally.check(f"{case}: libkdumpfile knows release and CPUs, and reads every page right", knows and reads, ran.output)


def _check_makedumpfile(tally: Tally, case: Case, kernel: Kernel, vmcore: Path, results: Path) -> None:
    dmesg, small = results / "dmesg", results / "filtered"
    makedumpfile = readers_of(kernel).makedumpfile
    ran = run_tool(*makedumpfile, "--dump-dmesg", "-f", vmcore, dmesg)
    log = dmesg.read_text(errors="replace") if dmesg.exists() else ""
    if tally.check(f"{case}: makedumpfile --dump-dmesg finds the panic", PANIC + case.death.words in log, ran.output):
        check_dmesg(tally, case, vmcore, dmesg)

    ran = run_tool(*makedumpfile, "-c", "-d", "31", "-f", vmcore, small)
    if not tally.check(f"{case}: makedumpfile -c -d 31 filters it", ran.status == 0 and small.exists(), ran.output):
        return
    if kernel.vmlinux.exists():
        ran, said = crash(kernel, small, results, "bt")
        check_by_crash(tally, case, ran, "opens what makedumpfile left", case.death.frame in said["bt"])
    small.unlink()
