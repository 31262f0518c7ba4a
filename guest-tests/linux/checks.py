"""Opens what a dead guest left behind with the tools that people use, and says what must be seen there."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab.kernels import Kernel
from linux.cases import Case, Image
from linux.tally import Tally
from linux.vmcore_tool import check_dmesg, check_report

TOOL_TIMEOUT_S = 300
PANIC = "Kernel panic - not syncing: sysrq triggered crash"

DRGN_SCRIPT = Path(__file__).with_name("drgn_facts.py")


@dataclass(frozen=True)
class Ran:
    """A tool, and what it said."""

    status: int
    output: str

    def has(self, pattern: str) -> bool:
        return re.search(pattern, self.output, re.MULTILINE) is not None


def run_tool(*command: str | Path) -> Ran:
    merge = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    try:
        ran = subprocess.run(list(map(str, command)), **merge, timeout=TOOL_TIMEOUT_S, errors="replace", text=True)
    except subprocess.TimeoutExpired as expired:
        return Ran(-1, f"{(expired.stdout or b'').decode(errors='replace')}\nno end within {TOOL_TIMEOUT_S} s")
    return Ran(ran.returncode, ran.stdout)


@dataclass(frozen=True)
class End:
    """What ./session.py left of a run."""

    status: int
    seconds: float
    console: str
    words: str  # vmm's own

    @classmethod
    def read(cls, results: Path) -> "End":
        def text(name: str) -> str:
            file = results / name
            return file.read_text(errors="replace") if file.exists() else ""

        end = json.loads(text("end.json") or '{"status": -1, "seconds": 0}')
        return cls(end["status"], end["seconds"], text("console"), text("stderr"))

    @property
    def evidence(self) -> str:
        tails = "\n".join([*self.console.splitlines()[-15:], "--- vmm said:", *self.words.splitlines()[-10:]])
        return f"{tails}\n--- and ended with {self.status}"


def check_end(tally: Tally, case: Case, results: Path) -> bool:
    """That the run ended as it must. The rest makes sense only if it did."""
    end = End.read(results)
    came_up = "guest: " in end.console and f" {case.cpus} CPUs," in end.console
    sentence, done = {
        "shell": ("boots to a shell on the serial console that does sums, and powers off", "answer 42000"),
        "reboot": ("a reboot ends the run", "job reboot"),
        "panic": ("a panic ends the run", PANIC),
    }[case.job]
    holds = came_up and done in end.console and end.status == case.exit_code
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
    if kernel.vmlinux.exists():
        _check_crash(tally, case, kernel, vmcore, results)
        _check_gdb(tally, case, kernel, vmcore)
        _check_drgn(tally, case, kernel, vmcore)
    else:
        tally.skip(f"{case}: crash, gdb and drgn", f"no vmlinux of {kernel.release}")
    _check_makedumpfile(tally, case, kernel, vmcore, results)


def _only_one_dump(results: Path) -> bool:
    return [file.name for file in results.glob("*vmcore*") if not file.name.endswith(".gdb")] == ["vmcore"]


def crash(kernel: Kernel, vmcore: Path, results: Path, *commands: str) -> tuple[Ran, dict[str, str]]:
    """One crash session; the output of each command apart."""
    outputs = {command: results / f"crash-{command.replace(' ', '')}" for command in commands}
    script = results / "crash-script"
    script.write_text("".join(f"{command} > {file}\n" for command, file in outputs.items()) + "quit\n")
    ran = run_tool("crash", "-s", "-i", script, kernel.vmlinux, vmcore)
    return ran, {c: f.read_text(errors="replace") if f.exists() else "" for c, f in outputs.items()}


def _check_crash(tally: Tally, case: Case, kernel: Kernel, vmcore: Path, results: Path) -> None:
    ran, said = crash(kernel, vmcore, results, "sys", "bt", "bt -a", "log", "ps")

    def check(sentence: str, holds: bool, evidence: str) -> None:
        tally.check(f"{case}: crash {sentence}", holds, evidence + ran.output)

    frames = re.findall(r"^ *#(\d+) \[\w+\] (\w+)", said["bt"], re.MULTILINE)
    functions = [function for _, function in frames]
    check("shows panic at frame 0, then sysrq_handle_crash",
          functions[:1] == ["panic"] and "sysrq_handle_crash" in functions, said["bt"])  # fmt: skip
    check("names the task that panicked", re.match(r'PID: \d+ .*COMMAND: "sh"', said["bt"]) is not None, said["bt"])

    if case.cpus > 1 and case.flavour == "cloud":
        tally.skip(f"{case}: crash shows the other CPUs", "crash 8.0.2 needs a kernel with CONFIG_X86_MCE for that")
    else:
        stacks = re.split(r"^PID: ", said["bt -a"], flags=re.MULTILINE)[1:]
        others = [stack for stack in stacks if "sysrq_handle_crash" not in stack]
        stopped = len(others) == case.cpus - 1 and all("stop_this_cpu" in stack for stack in others)
        check("shows a stack for each CPU, the others in stop_this_cpu", stopped, said["bt -a"])

    sys_ = Ran(0, said["sys"])
    check("tells release, CPUs and the panic in its words",
          sys_.has(rf"RELEASE: {re.escape(kernel.release)}$") and sys_.has(rf"CPUS: {case.cpus}\b")
          and sys_.has(r'PANIC: "Kernel panic - not syncing: sysrq triggered crash"'), said["sys"])  # fmt: skip
    check("tells how much memory the guest had", _memory_is_right(said["sys"], case.memory_mib), said["sys"])

    log = said["log"]
    check("prints the log from the first line to the panic",
          "Linux version" in log and "sysrq: Trigger a crash" in log and PANIC in log, log)  # fmt: skip
    running = re.findall(r"^>.* (\S+)$", said["ps"], re.MULTILINE)
    check("shows in ps what ran on each CPU", len(running) == case.cpus and "sh" in running, said["ps"])
    check_report(tally, case, vmcore, said["bt"], log)


def _memory_is_right(said: str, memory_mib: int) -> bool:
    """crash counts pages that the kernel manages, so a little less than the machine had."""
    match = re.search(r"MEMORY: ([\d.]+) (MB|GB)", said)
    if not match:
        return False
    mib = float(match[1]) * (1024 if match[2] == "GB" else 1)
    return memory_mib * 0.97 - 4 <= mib <= memory_mib


def _check_gdb(tally: Tally, case: Case, kernel: Kernel, vmcore: Path) -> None:
    """With the file beside the vmcore, which is made to be used in their folder."""
    gdb = ["gdb", "--nx", "--batch", "-ex", f"cd {vmcore.parent}", "-x", f"{vmcore.name}.gdb"]
    ran = run_tool(*gdb, "-ex", f"kernel {kernel.vmlinux}", "-ex", "thread apply all bt 40")
    threads = re.split(r"^Thread ", ran.output, flags=re.MULTILINE)[1:]
    # Without a grace the CPU is still in pvpanic's module, through which gdb sees no further than to panic.
    dead = [thread for thread in threads if " panic (fmt=" in thread]
    stopped = [thread for thread in threads if " stop_this_cpu " in thread]
    tally.check(f"{case}: gdb shows the panic on one CPU", len(dead) == 1, ran.output)
    if case.cpus > 1:
        tally.check(f"{case}: gdb shows the other CPUs in stop_this_cpu", len(stopped) == case.cpus - 1, ran.output)


def _check_drgn(tally: Tally, case: Case, kernel: Kernel, vmcore: Path) -> None:
    ran = run_tool("drgn", "-c", vmcore, "-s", kernel.vmlinux, DRGN_SCRIPT)
    right = ran.has(rf"^release {re.escape(kernel.release)}$") and ran.has("^panicked sh$")
    tally.check(f"{case}: drgn reads the release and the task that panicked", right, ran.output)
    tally.check(f"{case}: drgn lists all tasks", ran.has("^task 1 init$") and ran.has("^task 2 kthreadd$"), ran.output)
    tally.check(f"{case}: drgn reads the log", ran.has(PANIC), ran.output)


def _check_makedumpfile(tally: Tally, case: Case, kernel: Kernel, vmcore: Path, results: Path) -> None:
    dmesg, small = results / "dmesg", results / "filtered"
    ran = run_tool("makedumpfile", "--dump-dmesg", "-f", vmcore, dmesg)
    log = dmesg.read_text(errors="replace") if dmesg.exists() else ""
    if tally.check(f"{case}: makedumpfile --dump-dmesg finds the panic", PANIC in log, ran.output):
        check_dmesg(tally, case, vmcore, dmesg)

    ran = run_tool("makedumpfile", "-c", "-d", "31", "-f", vmcore, small)
    if not tally.check(f"{case}: makedumpfile -c -d 31 filters it", ran.status == 0 and small.exists(), ran.output):
        return
    if kernel.vmlinux.exists():
        ran, said = crash(kernel, small, results, "bt")
        tally.check(f"{case}: crash opens what makedumpfile left", "sysrq_handle_crash" in said["bt"], ran.output)
    small.unlink()
