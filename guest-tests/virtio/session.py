#!/usr/bin/env python3
"""Runs the guests of a plan where /dev/kvm is real: started by ./run, through lab/run. Judges nothing."""

import contextlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path


def shell(script: str, scratch: str, output) -> int:
    merge = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": subprocess.STDOUT}
    return subprocess.run(["sh", "-ec", script.replace("{scratch}", scratch)], cwd=scratch, **merge).returncode


@contextlib.contextmanager
def folder_in_memory():
    """An empty folder. The lab's root is the host's over 9p, whose folders a file server cannot list whole."""
    with tempfile.TemporaryDirectory() as scratch:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "scratch", scratch]).returncode == 0
        try:
            yield scratch
        finally:
            if mounted:
                subprocess.run(["umount", "-l", scratch])


def run(step: dict, vmm: str, results: Path) -> dict:
    with folder_in_memory() as scratch, (results / "console").open("wb", buffering=0) as output:
        end = {"prepare": shell(step["prepare"], scratch, output)}
        command = [vmm, *(argument.replace("{scratch}", scratch) for argument in step["arguments"])]
        merge = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": subprocess.STDOUT}
        end["status"] = subprocess.run(command, cwd=scratch, **merge).returncode
        end["after"] = shell(step["after"], scratch, output)
        return end


def main(plan_file: str) -> None:
    plan = json.loads(Path(plan_file).read_text())
    for step in plan["runs"]:
        results = Path(plan["results"]) / step["name"]
        results.mkdir(parents=True, exist_ok=True)
        end = run(step, plan["vmm"], results)
        partial = results / "end.partial"
        partial.write_text(json.dumps(end))
        partial.rename(results / "end.json")


if __name__ == "__main__":
    main(sys.argv[1])
