#!/usr/bin/env python3
"""Runs guests under vmm, one after the other, where /dev/kvm is real: started by ./run through lab/run.

For each case it leaves a folder with the guest's console, what vmm said, how it ended and, after
a panic, the vmcore. It judges nothing; that is done on the host, by ./checks.py.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

TIMEOUT_S = 240  # emulation is slow, and four emulated CPUs share what the host has


class Console:
    """The serial port of a running guest: what it says is kept, and can be waited for."""

    def __init__(self, process: subprocess.Popen) -> None:
        self._process = process
        self._said = bytearray()
        self._changed = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while chunk := os.read(self._process.stdout.fileno(), 4096):
            with self._changed:
                self._said += chunk
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def expect(self, words: bytes, timeout_s: float) -> bool:
        """Waits for `words`. False if the guest ended, or the time did, without them."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or words in self._said, timeout_s)
            return words in self._said

    def type(self, line: bytes) -> None:
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()

    def close(self) -> bytes:
        self._reader.join()
        return bytes(self._said)


def talk_to_shell(console: Console) -> None:
    """The sum is not in what is typed, so that its echo cannot be taken for the answer."""
    if console.expect(b"guest#", TIMEOUT_S):
        console.type(b"echo answer $((41000 + 999 + 1))")
        console.expect(b"answer 42000", 60)
        console.type(b"poweroff -f")


def run_case(vmm: str, case: dict, results: Path, scratch: Path) -> None:
    dumps = scratch / "dumps"
    dumps.mkdir()
    command = [
        vmm, "--kernel", case["kernel"], "--initrd", case["initrd"],
        "--append", f"console=ttyS0 job={case['job']}",
        "--memory", f"{case['memory_mib']}M", "--cpus", str(case["cpus"]), "--kaslr", "on" if case["kaslr"] else "off",
        "--timeout", f"{TIMEOUT_S}s",
        "--on-panic=dump", "--dump-dir", str(dumps), "--dump-name", "vmcore", "--result", str(scratch / "result.json"),
    ]  # fmt: skip
    started = time.monotonic()
    with open(results / "stderr", "wb") as stderr:
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=stderr) as process:
            console = Console(process)
            if case["job"] == "shell":
                talk_to_shell(console)
            try:
                status = process.wait(TIMEOUT_S + 30)
            except subprocess.TimeoutExpired:
                process.kill()
                status = process.wait()
            (results / "console").write_bytes(console.close())
    seconds = time.monotonic() - started

    subprocess.run(["cp", "--sparse=always", "-r", f"{dumps}/.", str(results)], check=True)
    if (scratch / "result.json").exists():
        shutil.move(scratch / "result.json", results / "result.json")
    shutil.rmtree(dumps)
    copied = time.monotonic() - started - seconds
    (results / "end.json").write_text(json.dumps({"status": status, "seconds": round(seconds, 1), "command": command}))
    print(f"# {case['name']}: vmm ended with {status} after {seconds:.1f} s, copied in {copied:.1f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=Path, help="a JSON list, as ./run writes it")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)

        def in_memory(file: str) -> str:
            copy = scratch / file.strip("/").replace("/", "-")
            if not copy.exists():
                shutil.copy(file, copy)
            return str(copy)

        plan = json.loads(arguments.cases.read_text())
        for case in plan["cases"]:
            case |= {"kernel": in_memory(case["kernel"]), "initrd": in_memory(case["initrd"])}
            run_case(in_memory(plan["vmm"]), case, Path(plan["results"]) / case["name"], scratch)


if __name__ == "__main__":
    sys.exit(main())
