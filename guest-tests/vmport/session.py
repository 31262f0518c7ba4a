#!/usr/bin/env python3
"""Runs the guests of a plan where /dev/kvm is real: started by ./run, through lab/run. Judges nothing.

Each guest leaves its console, vmm's messages, its record and its end in a folder of its own.
"""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lab.kvm_in_use import KvmInUse  # noqa: E402

# linux/kvm.h
KVM_CREATE_VM, KVM_CREATE_VCPU, KVM_GET_TSC_KHZ = 0xAE01, 0xAE41, 0xAEA3

# On a busy host the lab can stand still, see campaign/session.py.
ATTEMPTS = 2
TIMED_OUT = 124


def tsc_khz() -> int:
    with open("/dev/kvm", "rb+", buffering=0) as kvm:
        vm = fcntl.ioctl(kvm, KVM_CREATE_VM, 0)
        vcpu = fcntl.ioctl(vm, KVM_CREATE_VCPU, 0)
        khz = fcntl.ioctl(vcpu, KVM_GET_TSC_KHZ, 0)
        os.close(vcpu)
        os.close(vm)
        return khz


def let_any_program_through(modules: Path) -> bool:
    """Reloads kvm with enable_vmware_backdoor. Only in the lab, because a host's own KVM is not ours to reload."""
    if not os.environ.get("VMM_LAB"):
        return False
    subprocess.run(["rmmod", "kvm_amd", "kvm"], check=True)
    subprocess.run(["insmod", modules / "kvm.ko", "enable_vmware_backdoor=1"], check=True)
    subprocess.run(["insmod", modules / "kvm-amd.ko"], check=True)
    return True


def terminate_when(process: subprocess.Popen, file: Path, words: str, limit_s: float) -> None:
    """Sends SIGTERM once `file` contains `words`."""
    deadline = time.monotonic() + limit_s
    while process.poll() is None and time.monotonic() < deadline:
        if words in file.read_text(errors="replace"):
            process.send_signal(signal.SIGTERM)
            return
        time.sleep(0.1)


def run(step: dict, files: dict[str, str], results: Path, scratch: Path, limit_s: float) -> int:
    record = scratch / "result.json"
    arguments = [argument.format(**files) for argument in step["arguments"]]
    command = [files[step["vmm"]], *arguments, f"--timeout={limit_s:.0f}s", f"--result={record}"]
    console, said = scratch / "console", scratch / "stderr"
    with console.open("wb") as out, said.open("wb") as err:
        environment = dict(os.environ, **step.get("environment", {}))
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment) as process:
            if terminate := step.get("terminate"):
                terminate_when(process, scratch / terminate["file"], terminate["words"], limit_s)
            status = process.wait()
    for file in (console, said, record):
        if file.exists():
            shutil.copy(file, results / file.name)
            file.unlink()
    (results / "command").write_text(" ".join(command) + "\n")
    return status


def main(plan_file: str) -> None:
    plan = json.loads(Path(plan_file).read_text())
    results = Path(plan["results"])
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        files = {}
        for name, file in plan["files"].items():  # the lab's disk is slow
            files[name] = str(scratch / name)
            shutil.copy(file, files[name])
        in_use = KvmInUse()
        (results / "tsc_khz").write_text(str(tsc_khz()))

        for name, test in plan["tests"].items():
            with (results / name).open("wb") as out:
                status = subprocess.run([test], stdout=out, stderr=out).returncode
            (results / f"{name}.status").write_text(str(status))

        for step in plan["guests"]:
            folder_of_step = results / step["name"]
            if step.get("any_program"):
                in_use.close()  # a module in use cannot be reloaded
            if step.get("any_program") and not let_any_program_through(Path(plan["modules"])):
                (folder_of_step / "skipped").write_text("this host's own kvm is not reloaded for a test")
                continue
            started = time.monotonic()
            for attempt in range(ATTEMPTS):
                status = run(step, files, folder_of_step, scratch, plan["limit_s"])
                if status != TIMED_OUT:
                    break
                print(f"# {step['name']}: stood still in the lab", flush=True)
            (folder_of_step / "status").write_text(str(status))
            print(f"# {step['name']}: exit {status} after {time.monotonic() - started:.1f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
