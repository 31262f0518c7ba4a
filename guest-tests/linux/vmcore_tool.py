"""Our own `vmcore` on what a dead guest left behind, held against what crash and makedumpfile make of it."""

import json
import re
import subprocess
from pathlib import Path

from lab import host
from linux.cases import Case
from linux.tally import Tally

VMCORE = host.REPO / "bazel-bin/dump/tool/vmcore"


def vmcore_tool(command: str, vmcore: Path, *options: str) -> tuple[int, bytes, str]:
    """Its exit code, its output as it is, and its words on stderr."""
    ran = subprocess.run([VMCORE, command, vmcore, *options], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    return ran.returncode, ran.stdout, ran.stderr.decode(errors="replace")


def check_dmesg(tally: Tally, name: object, vmcore: Path, makedumpfiles: Path) -> None:
    status, log, words = vmcore_tool("dmesg", vmcore)
    same = status == 0 and log == _without_callers(makedumpfiles.read_bytes())
    tally.check(f"{name}: vmcore dmesg prints byte for byte what makedumpfile --dump-dmesg does", same, words)


def _without_callers(log: bytes) -> bytes:
    """Newer makedumpfiles also say which task or CPU logged a record, in 11 bytes, by which its further lines are indented."""
    log, callers = re.subn(rb"^(\[ *\d+\.\d+\]) \[ *[TC]\d+\]", rb"\1", log, flags=re.MULTILINE)
    return re.sub(rb"^ {11}( {15})", rb"\1", log, flags=re.MULTILINE) if callers else log


def check_report(tally: Tally, case: Case, vmcore: Path, crash_bt: str, crash_log: str) -> None:
    status, output, words = vmcore_tool("report", vmcore, "--json")
    if not tally.check(f"{case}: vmcore report makes a report", status == 0, words):
        return
    report = json.loads(output)
    check_frames(tally, str(case), report, crash_bt, crash_log)
    cpus = report["cpus"]
    dead = cpus[report.get("panic_cpu", 0)]
    tally.check(
        f"{case}: vmcore report names the panic, the task and the modules",
        report["panic"] == "sysrq triggered crash"
        and dead["task"]["comm"] == "sh"
        and "pvpanic" in [module["name"] for module in report["modules"]],
        json.dumps({**report, "log": []}, indent=1),
    )
    stopped = [cpu for cpu in cpus if cpu is not dead and _is_stopped(cpu)]
    if case.cpus > 1:
        tally.check(
            f"{case}: vmcore report shows the other CPUs in stop_this_cpu, down to their first call",
            len(stopped) == case.cpus - 1,
            json.dumps(cpus, indent=1),
        )
    check_host(tally, case, vmcore, report["host"])


def check_frames(tally: Tally, name: str, report: dict, crash_bt: str, crash_log: str) -> None:
    """With no vmlinux, the frames that crash finds with one, from panic() on."""
    frames = report["cpus"][report.get("panic_cpu", 0)]["frames"]
    ours = [(frame["at"], frame["function"], frame["ip"]) for frame in frames if "at" in frame and "function" in frame]
    theirs = [
        (f"0x{at}", function, f"0x{ip}")
        for at, function, ip in re.findall(r"^ *#\d+ \[(\w+)\] ([\w.]+) at (\w+)$", crash_bt, re.MULTILINE)
    ]
    ours, theirs = _from_panic_on(ours), _from_panic_on(theirs)
    # crash also shows what earlier calls have left on the stack. The kernel's own trace marks those with a ?.
    left_over = set(re.findall(r"  \? ([\w.]+)\+0x", crash_log))
    besides = [frame[1] for frame in theirs if frame not in ours]
    same = ours[:1] == theirs[:1] and ours[-1:] == theirs[-1:] and [f for f in theirs if f in ours] == ours
    evidence = f"ours: {ours}\ncrash's: {theirs}\nof which left over: {left_over}"
    tally.check(
        f"{name}: vmcore report has the panic's frames as crash does, with no vmlinux",
        len(ours) > 5 and same and left_over.issuperset(besides),
        evidence,
    )


def _from_panic_on(frames: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    functions = [function for _, function, _ in frames]
    return frames[functions.index("panic") :] if "panic" in functions else []


def check_host(tally: Tally, case: Case, vmcore: Path, host: dict | None) -> None:
    """What the host saw of the vCPUs stands in the dump, and adds up."""
    if not tally.check(f"{case}: vmcore report has the host's side", host is not None and not host["refused"], str(host)):
        return
    tally.check(
        f"{case}: each vCPU's life is accounted for, by the scheduler, by vmm and by KVM",
        len(host["vcpus"]) == case.cpus
        and all(_is_accounted_for(vcpu) for vcpu in host["vcpus"])
        and sum(vcpu["exits"] for vcpu in host["vcpus"]) > 1000,  # most are the console's, on whichever CPU
        json.dumps({"vcpus": host["vcpus"]}, indent=1),
    )
    panics = [line for line in host["console"] if "Kernel panic" in line["text"]]
    tally.check(
        f"{case}: the console's lines stand on the host's time line",
        len(panics) > 0 and panics[0]["at"] <= host["seconds"],
        json.dumps(host["console"][-20:], indent=1),
    )
    status, page, words = vmcore_tool("report", vmcore, "--html")
    whole = status == 0 and page.startswith(b"<!DOCTYPE html>") and page.endswith(b"</html>\n")
    lanes = page.count(b"aria-label=\"vCPU ")
    tally.check(f"{case}: vmcore report --html is a page with a row of each vCPU", whole and lanes >= case.cpus, words)


def _is_accounted_for(vcpu: dict) -> bool:
    # A life is measured by the TSC at the rate that KVM has found for it, and the scheduler keeps its own clock. On an
    # emulated machine they differ by up to 1 in 1,000, which shows where a vCPU never slept.
    in_bounds = 0 < vcpu["ran_seconds"] and vcpu["ran_seconds"] + vcpu["waited_seconds"] < 1.01 * vcpu["life"]["seconds"]
    return in_bounds and vcpu["kvm"] is not None and vcpu["kvm"]["exits"] >= vcpu["exits"]


def _is_stopped(cpu: dict) -> bool:
    functions = [frame.get("function") for frame in cpu["frames"]]
    return functions[:1] == ["stop_this_cpu"] and cpu["end"] in ("end of stack", "user mode")
