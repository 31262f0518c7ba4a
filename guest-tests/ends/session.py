#!/usr/bin/env python3
"""Brings guests to their ends, several at a time, where /dev/kvm is real: started by ./run, through lab/run.

Judges nothing. Each run leaves the same files as in ../campaign/session.py.
"""

import contextlib
import json
import re
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lab.kvm_in_use import KvmInUse  # noqa: E402
from campaign.session import TIMED_OUT, Act, Console, InMemory, leave, run  # noqa: E402

# A guest that stands still before it has begun its job says nothing about vmm: the lab caused that.
ATTEMPTS = 3
TAKEN_S = 12  # the time for which the host does not run vmm, or hardly does


class CpuQuota:
    """Lets a process run for only a few hundredths of the time, through a cgroup."""

    def __init__(self, root: Path) -> None:
        subprocess.run(["mount", "-t", "cgroup2", "none", root], check=True)
        self._root = root
        with contextlib.ExitStack() as on_failure:
            on_failure.callback(self.close)
            (root / "cgroup.subtree_control").write_text("+cpu")
            on_failure.pop_all()

    def starve(self, pid: int, percent: int, seconds: float) -> None:
        group = self._root / f"vmm-{pid}"
        group.mkdir()
        (group / "cpu.max").write_text(f"{percent * 1000} 100000")
        with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
            (group / "cgroup.procs").write_text(str(pid))
            time.sleep(seconds)
            (self._root / "cgroup.procs").write_text(str(pid))
        group.rmdir()

    def close(self) -> None:
        """Lazily, so even while it is in use: `root` leaves the file system, and whoever removes its folder walks no
        cgroups."""
        subprocess.run(["umount", "--lazy", self._root], check=True)


def acts(begun: str, quota: CpuQuota | None) -> dict[str, Act]:
    """The ways to disturb vmm once its guest has `begun`."""

    def terminate(console: Console, vmm: subprocess.Popen) -> None:
        if console.expect(begun.encode()):
            vmm.terminate()

    def stop(console: Console, vmm: subprocess.Popen) -> None:
        if console.expect(begun.encode()):
            time.sleep(1)
            vmm.send_signal(signal.SIGSTOP)
            time.sleep(TAKEN_S)
            vmm.send_signal(signal.SIGCONT)

    def starve(console: Console, vmm: subprocess.Popen) -> None:
        if console.expect(begun.encode()):
            quota.starve(vmm.pid, percent=3, seconds=TAKEN_S)

    return {"terminate": terminate, "stop": stop, "starve": starve}


def make_run(step: dict, plan: dict, in_memory: InMemory, quota: CpuQuota | None) -> None:
    arguments = [f"--{name}={in_memory(file)}" for name, file in step["files"].items()] + step["arguments"]
    results = Path(plan["results"]) / step["name"]
    if step["act"] == "starve" and quota is None:
        leave({"skipped": "a CPU quota needs root and a cgroup2 with its cpu controller"}, results)
        return
    act = acts(step["begun"], quota).get(step["act"])
    stood_still = 0
    while True:
        with tempfile.TemporaryDirectory() as scratch:
            end = run(in_memory(plan["vmm"]), arguments, act, results, Path(scratch), step["timeout_s"])
        begun = re.search(step["begun"], (results / "console").read_text(errors="replace")) is not None
        if begun or end["status"] != TIMED_OUT or stood_still + 1 == ATTEMPTS:
            break
        stood_still += 1
        print(f"# {step['name']}: stood still in the lab, is tried again", flush=True)
    leave(dict(end, begun=begun, stood_still=stood_still), results)
    print(f"# {step['name']}: exit {end['status']} after {end['seconds']} s", flush=True)


def cpu_quota(root: Path) -> CpuQuota | None:
    root.mkdir()
    try:
        return CpuQuota(root)
    except (OSError, subprocess.CalledProcessError):
        return None  # this host does not let us; the lab does


def main(plan_file: str) -> None:
    plan = json.loads(Path(plan_file).read_text())
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.closing(KvmInUse()))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        quota = cpu_quota(folder / "cgroup")
        if quota is not None:
            stack.callback(quota.close)
        in_memory = InMemory(folder)
        for file in {plan["vmm"], *(file for step in plan["runs"] for file in step["files"].values())}:
            in_memory(file)  # now, while only one thread copies
        with ThreadPoolExecutor(plan["at_a_time"]) as pool:
            for done in [pool.submit(make_run, step, plan, in_memory, quota) for step in plan["runs"]]:
                done.result()


if __name__ == "__main__":
    main(sys.argv[1])
