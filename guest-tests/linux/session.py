#!/usr/bin/env python3
"""Runs vmm again and again where /dev/kvm is real: started by ./run, through lab/run.

The plan is a JSON file that ./run writes. Each of its runs leaves, in a folder of its own, the guest's
console, what vmm said, how it ended and, after a panic, the vmcore. Nothing is judged here; that is
done on the host, by ./checks.py.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

TIMEOUT_S = 180  # emulation is slow, and four emulated CPUs share what the host has

# Where the host is busy with other things the lab can be so slow that its own timer's interrupts take all
# of a guest's time, for ever: KVM counts exits, the guest stands still. Such a run is made once more, and
# says so.
ATTEMPTS = 2
TIMED_OUT = 124


class Console:
    """The serial port of a running guest: what it says is kept, and can be waited for."""

    def __init__(self, process: subprocess.Popen) -> None:
        self._process = process
        self._said = b""
        self._changed = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while chunk := os.read(self._process.stdout.fileno(), 4096):
            with self._changed:
                self._said += chunk
                self._changed.notify()
        with self._changed:
            self._ended = True
            self._changed.notify()

    def expect(self, pattern: bytes) -> bool:
        """Waits until the guest has said `pattern`. False if it ended, or the time did, without."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or re.search(pattern, self._said), TIMEOUT_S)
            return re.search(pattern, self._said) is not None

    def type(self, line: bytes) -> None:
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()

    def close(self) -> bytes:
        self._reader.join()
        return self._said


def use_shell(console: Console, vmm: subprocess.Popen) -> None:
    if console.expect(b"guest# "):
        # The sum is not in what is typed, so that its echo cannot be taken for the answer.
        console.type(b"echo answer $((41000 + 999 + 1))")
        console.expect(b"answer 42000")
        console.type(b"poweroff -f")


def watch_memtest(console: Console, vmm: subprocess.Popen) -> None:
    """memtest86+ never ends. Its screen has "NN%" of the pass at line 2, column 35."""
    console.expect(rb"Memtest86\+")
    console.expect(rb"\[2;35H\x1b\[0m +([3-9]|\d\d)%")
    vmm.terminate()


ACTS = {"shell": use_shell, "memtest": watch_memtest}


def run(
    vmm: str, arguments: list[str], act: str | None, results: Path, scratch: Path, timeout_s: int
) -> tuple[int, float]:
    """Runs one guest to its end, and returns vmm's exit status and the seconds that it took."""
    dumps = scratch / "dumps"
    dumps.mkdir()
    command = [vmm, *arguments, f"--timeout={timeout_s}s", f"--dump-dir={dumps}", "--dump-name=vmcore",
               f"--result={scratch}/result.json"]  # fmt: skip
    started = time.monotonic()
    with open(results / "stderr", "wb") as stderr:
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=stderr) as process:
            console = Console(process)
            if act:
                ACTS[act](console, process)
            try:
                process.wait(timeout_s + 30)
            except subprocess.TimeoutExpired:
                process.kill()
            (results / "console").write_bytes(console.close())
    seconds = time.monotonic() - started

    (results / "command").write_text(" ".join(command) + "\n")
    subprocess.run(["cp", "--sparse=always", "-r", f"{dumps}/.", str(results)], check=True)
    if (record := scratch / "result.json").exists():
        shutil.move(record, results / "result.json")
    shutil.rmtree(dumps)
    return process.returncode, seconds


def main(plan_file: str) -> None:
    plan = json.loads(Path(plan_file).read_text())
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)

        def in_memory(file: str) -> str:
            """The lab's disk is slow."""
            copy = scratch / file.strip("/").replace("/", "-")
            if not copy.exists():
                shutil.copy(file, copy)
            return str(copy)

        for step in plan["runs"]:
            arguments = [f"--{name}={in_memory(file)}" for name, file in step["files"].items()] + step["arguments"]
            results = Path(plan["results"]) / step["name"]
            for attempt in range(1, ATTEMPTS + 1):
                timeout_s = step.get("timeout_s", TIMEOUT_S)
                status, seconds = run(in_memory(plan["vmm"]), arguments, step["act"], results, scratch, timeout_s)
                if status != TIMED_OUT or attempt == ATTEMPTS:
                    break
                print(f"# {step['name']}: stood still in the lab, is tried again", flush=True)
            os.sync()  # the host reads these files while the lab still runs, this one last
            with (results / "end.json").open("w") as end:
                json.dump({"status": status, "seconds": round(seconds, 1)}, end)
                end.flush()
                os.fsync(end.fileno())
            print(f"# {step['name']}: exit {status} after {seconds:.1f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
