#!/usr/bin/env python3
"""Runs vmm again and again where /dev/kvm is real: started by ./run, through lab/run.

The plan is a JSON file that ./run writes. Each run leaves its files in a folder of its own: the guest's console, vmm's
messages, the end and, after a panic, the vmcore. This script judges nothing; ./checks.py does that on the host.
"""

import contextlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lab.kvm_in_use import KvmInUse  # noqa: E402

TIMEOUT_S = 180  # emulation is slow, and four emulated CPUs share what the host has

# On a host with other work the lab can be so slow that its own timer interrupts take all of a guest's time, forever:
# KVM counts exits, but the guest stands still. Such a run is repeated once, with a message; twice if the guest had not
# even printed its first line.
ATTEMPTS = 2
ATTEMPTS_TO_BEGIN = 3
TIMED_OUT = 124
TERMINATED = 128 + 15

# The time in which a guest with act "begin" must print its first line. On an idle host it takes a minute.
FIRST_LINE_S = 400


class Console:
    """The serial port of a running guest: keeps its output, and can wait for it. Also writes it to `file` as it
    arrives, so that it survives a breakdown of the lab."""

    def __init__(self, process: subprocess.Popen, file: Path, timeout_s: int) -> None:
        self._process = process
        self._file = file
        self._timeout_s = timeout_s
        self._said = b""
        self._changed = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        with self._file.open("wb", buffering=0) as file:
            while chunk := os.read(self._process.stdout.fileno(), 4096):
                file.write(chunk)
                with self._changed:
                    self._said += chunk
                    self._changed.notify()
        with self._changed:
            self._ended = True
            self._changed.notify()

    def expect(self, pattern: bytes, timeout_s: int | None = None) -> bool:
        """Waits until the guest has printed `pattern`. False if the guest or the time ended before."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or re.search(pattern, self._said), timeout_s or self._timeout_s)
            return re.search(pattern, self._said) is not None

    def type(self, line: bytes) -> None:
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()

    def close(self) -> bytes:
        self._reader.join()
        return self._said


def use_shell(console: Console, vmm: subprocess.Popen) -> None:
    if console.expect(b"guest# "):
        # The typed text does not contain the sum, so its echo cannot pass for the answer.
        console.type(b"echo answer $((41000 + 999 + 1))")
        console.expect(b"answer 42000")
        console.type(b"poweroff -f")


def watch_memtest(console: Console, vmm: subprocess.Popen) -> None:
    """memtest86+ never ends. Its screen shows "NN%" of the pass at line 2, column 35."""
    console.expect(rb"Memtest86\+")
    console.expect(rb"\[2;35H\x1b\[0m +([3-9]|\d\d)%")
    vmm.terminate()


def begin(console: Console, vmm: subprocess.Popen) -> None:
    """If a guest stands still before its first line, does not wait until its time is over."""
    if not console.expect(rb"\n", FIRST_LINE_S):
        vmm.terminate()


class GuestRam:
    """A handle on a running guest's memory that outlives the guest, so that a dump can be compared with the memory."""

    def __init__(self, vmm: subprocess.Popen) -> None:
        self._fd = None
        folder = f"/proc/{vmm.pid}/fd"
        # By its whole name: while it starts, vmm also has memfds that are not RAM, such as the sandbox's filter.
        while self._fd is None and vmm.poll() is None:
            time.sleep(0.01)
            try:
                for name in os.listdir(folder):
                    if os.readlink(f"{folder}/{name}").startswith("/memfd:guest-ram"):
                        self._fd = os.open(f"{folder}/{name}", os.O_RDONLY)
            except FileNotFoundError:
                pass  # it was closed meanwhile

    def compare(self, vmcore: Path) -> dict:
        """Compares all pages: returns how many there are, how many hold data on either side, and how many differ."""
        chunk = 1 << 20
        pages = touched = mismatches = at = 0
        with vmcore.open("rb") as file:
            dump = file.fileno()
            for offset, size in ram_blocks(dump):
                pages += size // PAGE
                for start in range(0, size, chunk):
                    length = min(chunk, size - start)
                    if not has_data(dump, offset + start, length) and not has_data(self._fd, at + start, length):
                        continue
                    ours, theirs = os.pread(dump, length, offset + start), os.pread(self._fd, length, at + start)
                    touched += length // PAGE
                    if ours != theirs:
                        mismatches += sum(ours[i : i + PAGE] != theirs[i : i + PAGE] for i in range(0, length, PAGE))
                at += size
        return {"pages": pages, "read": touched, "mismatches": mismatches, "whole": at == os.fstat(self._fd).st_size}

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)


PAGE = 4096


def ram_blocks(dump: int) -> list[tuple[int, int]]:
    """Returns offset and size of each block of RAM in the vmcore, ascending. These are the last program headers, in
    which the virtual and physical addresses differ by the direct map's distance."""
    (count,) = struct.unpack("<H", os.pread(dump, 2, 56))
    headers = [struct.unpack("<IIQQQQQQ", os.pread(dump, 56, 64 + 56 * i)) for i in range(1, count)]
    distance = headers[-1][3] - headers[-1][4]
    return [(header[2], header[5]) for header in headers if header[3] - header[4] == distance]


def has_data(fd: int, offset: int, size: int) -> bool:
    try:
        return os.lseek(fd, offset, os.SEEK_DATA) < offset + size
    except OSError:  # ENXIO: a hole until the end
        return False


ACTS = {"shell": use_shell, "memtest": watch_memtest, "begin": begin}


Act = Callable[[Console, subprocess.Popen], None]


def run(vmm: str, arguments: list[str], act: Act | None, results: Path, scratch: Path, timeout_s: int) -> dict:
    """Runs one guest to its end. Returns vmm's exit status, the seconds that it took and, if there is an ELF dump, how
    it compares with the guest's memory. Calls `act` while the guest runs. `scratch` is a folder that no other run uses
    meanwhile."""
    dumps = scratch / "dumps"
    dumps.mkdir()
    command = [vmm, *arguments, f"--timeout={timeout_s}s", f"--dump-dir={dumps}", "--dump-name=vmcore",
               f"--result={scratch}/result.json"]  # fmt: skip
    started = time.monotonic()
    with open(results / "stderr", "wb") as stderr:
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=stderr) as process:
            console = Console(process, results / "console", max(timeout_s, TIMEOUT_S))
            ram = GuestRam(process)
            if act is not None:
                act(console, process)
            try:
                process.wait(timeout_s + 30)
            except subprocess.TimeoutExpired:
                process.kill()
            console.close()
    seconds = time.monotonic() - started

    (results / "command").write_text(" ".join(command) + "\n")
    end = {"status": process.returncode, "seconds": round(seconds, 1)}
    if (vmcore := dumps / "vmcore").exists() and vmcore.open("rb").read(4) == b"\x7fELF":
        end["memory"] = ram.compare(vmcore)
    ram.close()
    subprocess.run(["cp", "--sparse=always", "-r", f"{dumps}/.", str(results)], check=True)
    if (record := scratch / "result.json").exists():
        shutil.move(record, results / "result.json")
    shutil.rmtree(dumps)
    return end


class InMemory:
    """Copies files to a folder in the lab's memory, because the lab's disk is slow."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, file: str) -> str:
        copy = self._folder / file.strip("/").replace("/", "-")
        if not copy.exists():
            shutil.copy(file, copy)
        return str(copy)


def leave(end: dict, results: Path) -> None:
    """Records how a run ended, after its other files are complete: the host reads them while the lab still runs."""
    os.sync()
    with (results / "end.json").open("w") as file:
        json.dump(end, file)
        file.flush()
        os.fsync(file.fileno())


def main(plan_file: str) -> None:
    plan = json.loads(Path(plan_file).read_text())
    with contextlib.closing(KvmInUse()), tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        in_memory = InMemory(scratch)
        for step in plan["runs"]:
            arguments = [f"--{name}={in_memory(file)}" for name, file in step["files"].items()] + step["arguments"]
            results = Path(plan["results"]) / step["name"]
            timeout_s, stood_still = step.get("timeout_s", TIMEOUT_S), 0
            while True:
                end = run(in_memory(plan["vmm"]), arguments, ACTS.get(step["act"]), results, scratch, timeout_s)
                begun = b"\n" in (results / "console").read_bytes()
                attempts = step.get("attempts", ATTEMPTS if begun else ATTEMPTS_TO_BEGIN)
                if end["status"] != TIMED_OUT or stood_still + 1 >= attempts:
                    break
                stood_still += 1
                print(f"# {step['name']}: stood still in the lab, is tried again", flush=True)
            leave(dict(end, stood_still=stood_still), results)
            print(f"# {step['name']}: exit {end['status']} after {end['seconds']} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
