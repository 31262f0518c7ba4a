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
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from campaign.tally import Tally  # noqa: E402
from harness.on_terminal import OnTerminal  # noqa: E402

TIMEOUT_S = 150
VOLUME = 1 << 20
FLOOD = 64 << 20
BINARY = bytes(n * n >> 3 & 0xFF for n in range(100_000))
WORDS = ["", "two words", "'\"$x\\", "line\nbreak", "\u00e4"]


def pattern(size: int) -> bytes:
    """The bytes of acts.c's write_pattern()."""
    period = bytes(((n * 2654435761) & 0xFFFFFFFFFFFFFFFF) >> 13 & 0xFF for n in range(min(size, 1 << 21)))
    return period * -(-size // len(period))


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


def kernel_printed(record: dict, out: bytes, err: bytes, folder: Path) -> bool:
    return f"flood: {FLOOD}" in (folder / "console").read_text(errors="replace")


def make_tree(tree: Path, programs: Path) -> None:
    """A root for guests: busybox, a static program of ours, and what the cases look for."""
    for name in ("bin", "dev", "etc", "lib/modules/0.0-other", "proc", "run", "srv", "sys", "tmp", "var/tmp"):
        (tree / name).mkdir(parents=True)
    busybox = shutil.copy("/bin/busybox", tree / "bin")
    subprocess.run([busybox, "--install", "-s", tree / "bin"], check=True)
    for link in (tree / "bin").iterdir():
        if link.is_symlink():
            link.unlink()
            link.symlink_to("busybox")
    (tree / "etc/old").write_text("old\n")
    (tree / "tmp/theirs").write_text("in the tree's own /tmp\n")
    shutil.copy(programs / "script", tree / "tmp/script")


def tree_of(folder: Path) -> Path:
    return folder.parent / "tree"


def tree_is_untouched(record: dict, out: bytes, err: bytes, folder: Path) -> bool:
    tree = tree_of(folder)
    return (tree / "etc/old").read_text() == "old\n" and not (tree / "etc/new").exists() and not (tree / "srv/x").exists()


def tree_was_changed(record: dict, out: bytes, err: bytes, folder: Path) -> bool:
    made = tree_of(folder) / "srv/made"
    text = made.read_text()
    made.unlink()
    return text == "by the guest\n"


MOUNTS = "devtmpfs /dev|proc /proc|sysfs /sys|devpts /dev/pts|tmpfs /dev/shm|debugfs /sys/kernel/debug|" \
         "tracefs /sys/kernel/tracing|cgroup2 /sys/fs/cgroup|bpf /sys/fs/bpf|tmpfs /run|tmpfs /tmp"  # fmt: skip
USE_OVERLAY = """
    test "$(pwd)" = / && test "$(cat etc/old)" = old
    echo new >etc/new && mv etc/old srv/x && mkdir srv/deep
    test -e srv/x && test ! -e etc/old && test -z "$(ls lib/modules)" && test ! -e tmp/theirs
    echo "$MOUNTS" | tr '|' '\n' | while read type at; do
      grep -q "^[^ ]* $at $type " /proc/mounts || echo "$type is not at $at"
    done
    touch /tmp/x /run/x /dev/shm/x
    test "$COLOUR" = blue && echo whole
"""
USE_READ_ONLY = """
    touch srv/x 2>/dev/null && echo written
    mount -o remount,rw / 2>/dev/null; touch srv/x 2>/dev/null && echo written after a remount
    touch /tmp/x /var/tmp/x /run/x && echo whole
"""
MAKEFILE = "run_tests:\n\t@uname -s\n\t@echo made by $(MAKE_COMMAND) in $(CURDIR) >made\n\t@cat made\n\t@exit 3\n"


def made_in_the_guest(record: dict, out: bytes, err: bytes, folder: Path) -> bool:
    return out.decode() == f"Linux\nmade by make in {folder.parent}/project\n" and not (folder.parent / "project/made").exists()


ROOT_CASES = [
    Case("a root, changes in memory", ["sh", "-ec", USE_OVERLAY], 0, "guest-exit", stdout=b"whole\n",
         stderr="", flags=["--rootfs={tree}", "--env=COLOUR=blue", f"--env=MOUNTS={MOUNTS}"], holds=tree_is_untouched),
    Case("a root, read-only", ["sh", "-c", USE_READ_ONLY], 0, "guest-exit", stdout=b"whole\n",
         stderr="", flags=["--rootfs={tree},ro"], holds=tree_is_untouched),
    Case("a root, changed on the host", ["sh", "-c", "echo by the guest >/srv/made; exit 4"], 4, "guest-exit",
         stderr="", flags=["--rootfs={tree},rw"], holds=tree_was_changed),
    Case("a root's own /tmp, if the program is there", ["/tmp/script", "word"], 5, "guest-exit",
         stderr="", stdout=b"from a script: word\n", flags=["--rootfs={tree}"]),
    Case("no such program in the root", ["no-such-program"], 127, "no-program", flags=["--rootfs={tree}"],
         stderr="could not execute the program: No such file"),
    Case("the host's root", ["make", "-s", "run_tests"], 2, "guest-exit", stdout=None,
         flags=["--rootfs=/", "--memory=512M", "--cwd={scratch}/project"], stderr="Error 3", holds=made_in_the_guest),
]  # fmt: skip

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
    acts("64 MiB, while standard error is written and the kernel prints", "flood", str(FLOOD), code=0, outcome="guest-exit",
         flags=["--append=ignore_loglevel printk.devkmsg=on"], stdout=pattern(FLOOD), stderr=f"{FLOOD}\n$", holds=kernel_printed),
    acts("a mebibyte, while standard error is written", "pattern", str(VOLUME), code=0, outcome="guest-exit",
         stdout=pattern(VOLUME), stderr=f"{VOLUME}\n$"),
    Case("binary input piped through cat", ["/bin/cat"], 0, "guest-exit", stdin=BINARY, stdout=BINARY),
    Case("a module with its dependencies", ["/bin/grep", "-c", "^virtio_net ", "/proc/modules"], 0, "guest-exit",
         flags=["--module=virtio_net"], stdout=b"1\n"),
    Case("a file of the host's at another path", ["/bin/cat", "/etc/given"], 0, "guest-exit",
         flags=["--file=/etc/debian_version:/etc/given"], stdout=Path("/etc/debian_version").read_bytes()),
    acts("time-out", "die", "19", code=124, outcome="timeout", flags=["--timeout=20s", "--on-panic=exit"],
         stderr="time-out after"),
    acts("silent, and then a status", "sleep", "8", code=0, outcome="guest-exit"),
    acts("slow", "compute", "25", code=0, outcome="guest-exit", flags=["--hang-after=5s"]),
    acts("words are no hang", "tick", "12", code=0, outcome="guest-exit", flags=["--hang-after=4s"],
         stdout=b"tick\n" * 12),
    acts("hang", "sleep", "1000", code=122, outcome="hang", flags=["--hang-after=5s", "--on-panic=exit"], stderr="hang: "),
    acts("init killed", "kill-init", code=120, outcome="panic", flags=["--on-panic=exit"], stderr="Attempted to kill init"),
    Case("the kernel forbids /dev/mem", ["/bin/true"], 127, "no-program", flags=["--append=lockdown=confidentiality"],
         stderr="the kernel forbids /dev/mem: boot it without lockdown"),
    *ROOT_CASES,
    Case("missing program", ["/nowhere/program"], stderr="/nowhere/program: there is no such program", **NOT_STARTED),
    Case("missing program, by PATH", ["no-such-program"], stderr="no program of that name", **NOT_STARTED),
    Case("not executable", ["not-executable"], stderr="is not executable", **NOT_STARTED),
    Case("not executable, shell", ["not-executable"], stderr="is not executable",
         flags=["--exit-status=shell"], **dict(NOT_STARTED, code=126)),
    Case("wrong processor", ["for-arm64"], stderr="arm64", **NOT_STARTED),
    Case("missing library", ["lacks-library"], stderr="lacks-library needs the library libgone.so", **NOT_STARTED),
]  # fmt: skip


def use_shell(terminal: OnTerminal) -> list[str]:
    """Plays a user of --shell. Returns the steps that failed."""
    steps = [
        ("a prompt", lambda: terminal.wait_for("# ")),
        ("raw mode", terminal.is_raw),
        ("the window's size", lambda: terminal.type("stty size\n") or terminal.wait_for("33 101")),
        ("a new size", lambda: terminal.resize(40, 90) or time.sleep(2) or terminal.type("stty size\n")
         or terminal.wait_for("40 90")),
        ("Ctrl-C", lambda: terminal.type("sleep 1000; echo status $?.\n") or terminal.wait_for("status")
         and not time.sleep(2) and not terminal.type("\x03") and terminal.wait_for("# ")),
        ("its status", lambda: terminal.type("exit 7\n") or terminal.end() == 7),
        ("the mode restored", terminal.mode_is_restored),
    ]  # fmt: skip
    return [name for name, step in steps if not step()]


def quit_program(terminal: OnTerminal) -> list[str]:
    steps = [
        ("a prompt", lambda: terminal.wait_for("# ")),
        ("Ctrl-A x", lambda: terminal.type("\x01x") or terminal.end() == 130),
        ("the mode restored", terminal.mode_is_restored),
    ]
    return [name for name, step in steps if not step()]


ON_TERMINAL = {"a shell on a terminal": use_shell, "Ctrl-A x on a terminal": quit_program}


class Runner:
    def __init__(self, vmm: Path, kernel: Path, programs: Path, scratch: Path) -> None:
        self._vmm = Path(shutil.copy(vmm, scratch / "vmm"))
        self._kernel = Path(shutil.copy(kernel / "vmlinuz", scratch / "vmlinuz"))
        self._modules = next(kernel.glob("lib/modules/*"))
        self._programs = programs
        self._scratch = scratch
        make_tree(scratch / "tree", programs)
        (scratch / "project").mkdir()
        (scratch / "project/Makefile").write_text(MAKEFILE)

    def _filled(self, text: str) -> str:
        return text.replace("{tree}", str(self._scratch / "tree")).replace("{scratch}", str(self._scratch))

    def run(self, case: Case, tally: Tally) -> None:
        folder = self._scratch / re.sub(r"\W+", "-", case.name)
        folder.mkdir()
        program, *arguments = case.words
        if (self._programs / program).exists():
            program = str(self._programs / program)
        record_file = folder / "result.json"
        command = [self._vmm, f"--kernel={self._kernel}", f"--modules-dir={self._modules}", f"--timeout={TIMEOUT_S}s",
                   f"--result={record_file}", f"--dump-dir={folder}", f"--console={folder}/console", "--memory=256M",
                   *map(self._filled, case.flags), "--", program, *map(self._filled, arguments)]  # fmt: skip
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

    def run_on_terminal(self, name: str, use: Callable[[OnTerminal], list[str]], tally: Tally) -> None:
        command = [self._vmm, f"--kernel={self._kernel}", f"--modules-dir={self._modules}", "--memory=256M",
                   f"--rootfs={self._scratch}/tree", "--shell"]  # fmt: skip
        terminal = OnTerminal([str(word) for word in command], 33, 101)
        failed = use(terminal)
        if failed:
            terminal.end(0)
        tally.check(name, not failed, f"failed: {failed}\n{terminal.seen!r}")


def main() -> int:
    vmm, kernel, programs, only = sys.argv[1:]
    tally = Tally()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as scratch:
        runner = Runner(Path(vmm), Path(kernel), Path(programs), Path(scratch))
        for case in CASES:
            if re.search(only, case.name):
                runner.run(case, tally)
        for name, use in ON_TERMINAL.items():
            if re.search(only, name):
                runner.run_on_terminal(name, use, tally)
    print(tally)
    return 1 if tally.failed else 0


sys.exit(main())
