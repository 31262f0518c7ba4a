"""Compares `vmcore report` on a dump of ours with the case that made the dump."""

import json
from pathlib import Path

from campaign.tally import Tally
from campaign.vmcore_tool import check_frames, vmcore_tool
from linux.cases import Case


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


def check_host(tally: Tally, case: Case, vmcore: Path, host: dict | None) -> None:
    """The dump contains what the host saw of the vCPUs, and the numbers add up."""
    if not tally.check(f"{case}: vmcore report has the host's side", host is not None and not host["refused"], str(host)):
        return
    tally.check(
        f"{case}: each vCPU's life is accounted for, by the scheduler, by vmm and by KVM",
        len(host["vcpus"]) == case.cpus
        and all(_is_accounted_for(vcpu) for vcpu in host["vcpus"])
        and sum(vcpu["exits"] for vcpu in host["vcpus"]) > 1000,  # most come from the console, on any CPU
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
    lanes = page.count(b'aria-label="vCPU ')
    tally.check(f"{case}: vmcore report --html is a page with a row of each vCPU", whole and lanes >= case.cpus, words)


def _is_accounted_for(vcpu: dict) -> bool:
    # A vCPU's life is measured by the TSC at the rate that KVM has found for it, while the scheduler has its own clock.
    # On an emulated machine they differ by up to 1 in 1,000, which shows if a vCPU never slept.
    in_bounds = 0 < vcpu["ran_seconds"] and vcpu["ran_seconds"] + vcpu["waited_seconds"] < 1.01 * vcpu["life"]["seconds"]
    return in_bounds and vcpu["kvm"] is not None and vcpu["kvm"]["exits"] >= vcpu["exits"]


def _is_stopped(cpu: dict) -> bool:
    functions = [frame.get("function") for frame in cpu["frames"]]
    return functions[:1] == ["stop_this_cpu"] and cpu["end"] in ("end of stack", "user mode")
