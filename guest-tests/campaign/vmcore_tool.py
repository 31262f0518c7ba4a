"""Runs our own `vmcore` on a dead guest's dump, and compares it with crash and makedumpfile."""

import re
import subprocess
from pathlib import Path

from campaign.tally import Tally
from lab import host

VMCORE = host.REPO / "bazel-bin/dump/tool/vmcore"


def vmcore_tool(command: str, vmcore: Path, *options: str) -> tuple[int, bytes, str]:
    """Returns its exit code, its raw output, and its messages on stderr."""
    ran = subprocess.run([VMCORE, command, vmcore, *options], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    return ran.returncode, ran.stdout, ran.stderr.decode(errors="replace")


def check_dmesg(tally: Tally, name: object, vmcore: Path, makedumpfiles: Path) -> None:
    status, log, words = vmcore_tool("dmesg", vmcore)
    same = status == 0 and log == _without_callers(makedumpfiles.read_bytes())
    tally.check(f"{name}: vmcore dmesg prints byte for byte what makedumpfile --dump-dmesg does", same, words)


def _without_callers(log: bytes) -> bytes:
    """Newer makedumpfiles also print the task or CPU that logged a record, in 11 bytes, and indent its further lines by
    as much."""
    log, callers = re.subn(rb"^(\[ *\d+\.\d+\]) \[ *[TC]\d+\]", rb"\1", log, flags=re.MULTILINE)
    return re.sub(rb"^ {11}( {15})", rb"\1", log, flags=re.MULTILINE) if callers else log


def check_frames(tally: Tally, name: str, report: dict, crash_bt: str, crash_log: str) -> None:
    """Finds without a vmlinux the frames that crash finds with one, from panic() on."""
    frames = report["cpus"][report.get("panic_cpu", 0)]["frames"]
    ours = [(frame["at"], frame["function"], frame["ip"]) for frame in frames if "at" in frame and "function" in frame]
    theirs = [
        (f"0x{at}", function, f"0x{ip}") for at, function, ip in re.findall(r"^ *#\d+ \[(\w+)\] ([\w.]+) at (\w+)$", crash_bt, re.MULTILINE)
    ]
    ours, theirs = _from_panic_on(ours), _from_panic_on(theirs)
    # crash also shows leftovers of earlier calls on the stack. The kernel's own trace marks those with a ?.
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
