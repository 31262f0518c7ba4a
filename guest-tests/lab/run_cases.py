#!/usr/bin/env python3
"""Runs tests, GoogleTest's in groups of cases, where /dev/kvm is real: started by ../run-in-lab, through lab/run.

The plan is a JSON file that ../run-in-lab writes. Each run leaves its files in a folder of its own: the test's output,
its cases in XML, and the end. This script judges nothing.
"""

import contextlib
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
from campaign.session import TIMED_OUT, leave  # noqa: E402


def run(step: dict, results: Path, scratch: Path) -> dict:
    """Returns the exit status of the test (TIMED_OUT if it did not end) and its seconds."""
    cases = scratch / "cases.xml"
    command = [step["binary"]]
    if step["has_cases"]:
        command += [f"--gtest_filter={':'.join(step['cases'])}", f"--gtest_output=xml:{cases}"]
    environment = dict(os.environ, TEST_TMPDIR=str(scratch))
    started = time.monotonic()
    with (results / "output").open("wb") as output:
        merge = {"stdout": output, "stderr": subprocess.STDOUT, "start_new_session": True}
        with subprocess.Popen(command, cwd=step["folder"], env=environment, **merge) as test:
            try:
                status = test.wait(step["timeout_s"])
            except subprocess.TimeoutExpired:
                status = TIMED_OUT
            with contextlib.suppress(ProcessLookupError):  # none of the guests that it started survives
                os.killpg(test.pid, signal.SIGKILL)
    if cases.exists():
        shutil.copy(cases, results / "cases.xml")
    return {"status": status, "seconds": round(time.monotonic() - started, 1)}


def main(plan_file: str) -> None:
    plan = json.loads(Path(plan_file).read_text())
    with contextlib.closing(KvmInUse()):
        for step in plan["runs"]:
            results = Path(plan["results"]) / step["name"]
            with tempfile.TemporaryDirectory() as scratch:
                end = run(step, results, Path(scratch))
            leave(end, results)


if __name__ == "__main__":
    main(sys.argv[1])
