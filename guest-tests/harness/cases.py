#!/usr/bin/env python3
"""The table of ends of a run with a program, where /dev/kvm is real: started by ./run, through lab/run.

    cases.py VMM KERNEL PROGRAMS REGEX
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from campaign.tally import Tally  # noqa: E402

TIMEOUT_S = 150
VOLUME = 1 << 20
BINARY = bytes(n * n >> 3 & 0xFF for n in range(100_000))
WORDS = ["", "two words", "'\"$x\\", "line\nbreak", "\u00e4"]


def pattern(size: int) -> bytes:
    """The bytes of acts.c's write_pattern()."""
    return bytes(((n * 2654435761) & 0xFFFFFFFFFFFFFFFF) >> 13 & 0xFF for n in range(size))


@dataclass(frozen=True)
class Case:
    name: str
    words: list[str]  # the program in the folder of programs, or a path, and its arguments
    code: int
    outcome: str
    flags: list[str] = field(default_factory=list)
    stdin: bytes = b""
    stdout: bytes | None = b""  # None: `holds` judges it
    stderr: str | None = None  # a pattern that it has; None: it is empty
    holds: Callable[[dict, bytes, bytes, Path], bool] = lambda record, out, err, folder: True
    boots: bool = True


def acts(name: str, *arguments: str, **more: object) -> Case:
    return Case(name, ["acts", *arguments], **more)


def status_of(record: dict) -> tuple[int | None, int | None]:
    return record["program"]["status"], record["program"]["signal"]


def shell_like(status: int) -> Case:
    return acts(f"status {status}, shell", "exit", str(status), code=status, outcome="guest-exit",
                flags=["--exit-status=shell"],
                holds=lambda record, *_: status_of(record) == (status, None) and record["guest_status"] == status)  # fmt: skip


def shows_all(record: dict, out: bytes, err: bytes, folder: Path) -> bool:
    text = out.decode()
    arguments = all(f"argument <{word}>\n" in text for word in WORDS)
    return arguments and "folder /data/deep\n" in text and "variable <COLOUR=blue sky>\n" in text and "HOME=" in text


def has_vmcore(record: dict, out: bytes, err: bytes, folder: Path) -> bool:
    return (folder / "vmcore").stat().st_size > 1 << 20 and "sysrq" in record["death"]["message"]


NOT_STARTED = {"code": 127, "outcome": "no-program", "boots": False}
CASES = [
    *(shell_like(status) for status in (0, 1, 77, 119, 120, 127, 143, 255)),
    acts("status 3", "exit", "3", code=3, outcome="guest-exit", holds=lambda record, *_: status_of(record) == (3, None)),
    acts("status 255", "exit", "255", code=119, outcome="guest-exit", stderr=r"program ended with status 255 \[exit 119\]",
         holds=lambda record, *_: status_of(record) == (255, None)),
    acts("killed by SIGSEGV", "die", "11", code=119, outcome="guest-exit", stderr="killed by signal 11",
         holds=lambda record, *_: status_of(record) == (None, 11)),
    acts("killed by SIGTERM, shell", "die", "15", code=143, outcome="guest-exit", flags=["--exit-status=shell"],
         holds=lambda record, *_: status_of(record) == (None, 15)),
    acts("arguments, environment and folder", "show", *WORDS, code=0, outcome="guest-exit", stdout=None, holds=shows_all,
         flags=["--env=COLOUR=blue sky", "--cwd=/data/deep"]),
    Case("a script", ["script", "word"], 5, "guest-exit", stdout=b"from a script: word\n"),
    acts("panic half-way", "panic", code=120, outcome="panic", stdout=b"said before the end\n",
         stderr=r"so was this\n(.|\n)*panic \(trap\).*sysrq triggered crash", holds=has_vmcore),
    acts("panic half-way, two CPUs", "panic", code=120, outcome="panic", stdout=b"said before the end\n",
         stderr=r"so was this\n", holds=has_vmcore, flags=["--cpus=2"]),
    acts("power-off without a status", "power-off", code=123, outcome="lost", stderr="lost: .*before the program had ended"),
    acts("a mebibyte, while standard error is written", "pattern", str(VOLUME), code=0, outcome="guest-exit",
         stdout=pattern(VOLUME), stderr=f"{VOLUME}\n$"),
    Case("binary input piped through cat", ["/bin/cat"], 0, "guest-exit", stdin=BINARY, stdout=BINARY),
    Case("a module with its dependencies", ["/bin/grep", "-c", "^virtio_net ", "/proc/modules"], 0, "guest-exit",
         flags=["--module=virtio_net"], stdout=b"1\n"),
    Case("a file of the host's at another path", ["/bin/cat", "/etc/given"], 0, "guest-exit",
         flags=["--file=/etc/debian_version:/etc/given"], stdout=Path("/etc/debian_version").read_bytes()),
    acts("time-out", "die", "19", code=124, outcome="timeout", flags=["--timeout=20s", "--on-panic=exit"],
         stderr="time-out after"),
    Case("missing program", ["/nowhere/program"], stderr="/nowhere/program: there is no such program", **NOT_STARTED),
    Case("missing program, by PATH", ["no-such-program"], stderr="no program of that name", **NOT_STARTED),
    Case("not executable", ["not-executable"], stderr="is not executable", **NOT_STARTED),
    Case("not executable, shell", ["not-executable"], stderr="is not executable",
         flags=["--exit-status=shell"], **dict(NOT_STARTED, code=126)),
    Case("wrong processor", ["for-arm64"], stderr="arm64", **NOT_STARTED),
    Case("missing library", ["lacks-library"], stderr="lacks-library needs the library libgone.so", **NOT_STARTED),
]  # fmt: skip


class Runner:
    def __init__(self, vmm: Path, kernel: Path, programs: Path, scratch: Path) -> None:
        self._vmm = Path(shutil.copy(vmm, scratch / "vmm"))
        self._kernel = Path(shutil.copy(kernel / "vmlinuz", scratch / "vmlinuz"))
        self._modules = next(kernel.glob("lib/modules/*"))
        self._programs = programs
        self._scratch = scratch

    def run(self, case: Case, tally: Tally) -> None:
        folder = self._scratch / re.sub(r"\W+", "-", case.name)
        folder.mkdir()
        program, *arguments = case.words
        if (self._programs / program).exists():
            program = str(self._programs / program)
        record_file = folder / "result.json"
        command = [self._vmm, f"--kernel={self._kernel}", f"--modules-dir={self._modules}", f"--timeout={TIMEOUT_S}s",
                   f"--result={record_file}", f"--dump-dir={folder}", f"--console={folder}/console", "--memory=256M",
                   *case.flags, "--", program, *arguments]  # fmt: skip
        ran = subprocess.run(command, input=case.stdin, capture_output=True)
        record = json.loads(record_file.read_text())
        err = ran.stderr.decode(errors="replace")
        console = (folder / "console").read_text(errors="replace")[-2000:] if case.boots else ""
        evidence = f"exit {ran.returncode}\n{json.dumps(record.get('program'))}\n{record['summary']}\n" \
                   f"stdout: {ran.stdout[:200]}\nstderr: {err[:1500]}\nconsole: {console}"  # fmt: skip
        streams = case.stdout is None or ran.stdout == case.stdout
        says = not err if case.stderr is None else re.search(case.stderr, err) is not None
        right = (ran.returncode == case.code == record["exit_code"] and record["outcome"] == case.outcome
                 and streams and says and case.holds(record, ran.stdout, ran.stderr, folder))  # fmt: skip
        seconds = record["seconds"]["run"]
        tally.check(f"{case.name}: {case.outcome}, exit {case.code} ({seconds:.1f} s)", right, evidence)
        shutil.rmtree(folder)


def main() -> int:
    vmm, kernel, programs, only = sys.argv[1:]
    tally = Tally()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as scratch:
        runner = Runner(Path(vmm), Path(kernel), Path(programs), Path(scratch))
        for case in CASES:
            if re.search(only, case.name):
                runner.run(case, tally)
    print(tally)
    return 1 if tally.failed else 0


sys.exit(main())
