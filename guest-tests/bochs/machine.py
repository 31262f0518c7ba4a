"""A PC that Bochs emulates, with Intel's VMX or AMD's SVM. It has only a CD, two serial ports and, if wanted, a
disk."""

import os
import pty
import re
import shutil
import subprocess
import threading
import time
from pathlib import Path

# Bochs' names for them. We also tried others: `ryzen` stalls early in the kernel, `phenom_8650_toliman` never gets
# through it.
CPU_MODELS = {"vmx": "corei7_skylake_x", "svm": "trinity_apu"}

ISOLINUX = Path("/usr/lib/ISOLINUX/isolinux.bin")
LDLINUX = Path("/usr/lib/syslinux/modules/bios/ldlinux.c32")

_CONFIG = """\
cpu: model={model}, count=1, ips=100000000, reset_on_triple_fault=0
memory: guest={memory_mib}, host={memory_mib}
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata0-master: type=cdrom, path={iso}, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev={folder}/console
com2: enabled=1, mode=file, dev={folder}/sent
clock: sync=none
display_library: term
{disk}log: {folder}/bochs.log
panic: action=report
error: action=report
info: action=ignore
debug: action=ignore
"""

# Bochs derives the number of cylinders from the file's size.
_DISK = "ata0-slave: type=disk, path={path}, mode=flat, cylinders=0, heads=16, spt=63\n"

_ISOLINUX_CONFIG = """\
DEFAULT linux
LABEL linux
KERNEL vmlinuz
APPEND initrd=initrd {append}
"""


class MachineError(Exception):
    pass


def make_linux_iso(folder: Path, kernel: Path, initrd: Path, append: str) -> Path:
    """Makes a CD that boots `kernel`."""
    root = folder / "cd"
    (root / "isolinux").mkdir(parents=True)
    shutil.copy(ISOLINUX, root / "isolinux")
    shutil.copy(LDLINUX, root / "isolinux")
    shutil.copy(kernel, root / "isolinux" / "vmlinuz")
    shutil.copy(initrd, root / "isolinux" / "initrd")
    (root / "isolinux" / "isolinux.cfg").write_text(_ISOLINUX_CONFIG.format(append=append))
    return _make_iso(folder, root, "isolinux/isolinux.bin", ["-boot-load-size", "4", "-boot-info-table"])


def make_raw_iso(folder: Path, image: Path) -> Path:
    """Makes a CD whose boot sector and all sectors after it are `image`: the BIOS loads it to 0x7c00 and jumps
    there."""
    root = folder / "cd"
    root.mkdir(parents=True)
    shutil.copy(image, root / "boot.bin")
    sectors = -(-image.stat().st_size // 512)
    return _make_iso(folder, root, "boot.bin", ["-boot-load-size", str(sectors)])


def _make_iso(folder: Path, root: Path, boot: str, options: list[str]) -> Path:
    iso = folder / "boot.iso"
    command = ["xorriso", "-as", "mkisofs", "-quiet", "-o", str(iso), "-b", boot, "-c", "boot.cat"]
    subprocess.run([*command, "-no-emul-boot", *options, str(root)], check=True, stderr=subprocess.DEVNULL)
    shutil.rmtree(root)
    return iso


def make_disk(folder: Path, size_mib: int) -> Path:
    """Makes an empty disk. Its file takes no room until the machine writes to it."""
    disk = folder / "disk"
    with disk.open("wb") as file:
        file.truncate(size_mib << 20)
    return disk


def run(
    folder: Path, cpu: str, iso: Path, end: bytes, timeout_s: float, watch=lambda text: None,
    memory_mib: int = 1024, disk: Path | None = None,
) -> float:  # fmt: skip
    """Runs the machine until its first serial port has printed `end`; returns the seconds that took.

    `folder` then holds the ports' output: console, sent. `watch` gets each new piece of the console.
    """
    disk_line = _DISK.format(path=disk) if disk else ""
    config = _CONFIG.format(model=CPU_MODELS[cpu], iso=iso, folder=folder, memory_mib=memory_mib, disk=disk_line)
    (folder / "bochsrc").write_text(config)
    (folder / "rc").write_text("c\n")  # Debian's Bochs starts in its debugger
    console = folder / "console"
    ours, theirs = pty.openpty()  # its display; nobody looks at it
    threading.Thread(target=_drain, args=(ours,), daemon=True).start()
    start = time.monotonic()
    # `setpriv --pdeathsig`: Bochs ends with this program, however that ends. When killed, it leaves boot.iso.lock, in
    # our folder.
    command = ["setpriv", "--pdeathsig=KILL", "bochs-bin", "-q", "-f", "bochsrc", "-rc", "rc"]
    environment = dict(os.environ, TERM="xterm")
    with subprocess.Popen(command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as bochs:
        os.close(theirs)
        seen = 0
        try:
            while True:
                ended = bochs.poll() is not None
                said = console.read_bytes() if console.exists() else b""
                watch(said[seen:])
                seen = len(said)
                if end in said:
                    return time.monotonic() - start
                if ended:
                    raise MachineError(f"Bochs ended early; the end of its console:\n{_tail(said)}")
                if time.monotonic() - start > timeout_s:
                    raise MachineError(f"no end after {timeout_s:.0f} s; the end of the console:\n{_tail(said)}")
                time.sleep(0.5)
        finally:
            bochs.kill()


def _tail(said: bytes) -> str:
    return said.decode(errors="replace")[-2000:]


def _drain(terminal: int) -> None:
    """Reads Bochs' display output, so that it never waits for a reader.

    Its debugger takes the given terminal. Its screen takes another one, and prints that one's name on the first.
    """
    said, screen = b"", None
    try:
        while chunk := os.read(terminal, 65536):
            if screen is None and (name := re.search(rb"/dev/pts/\d+", said := said + chunk)):
                screen = os.open(name[0], os.O_RDONLY | os.O_NOCTTY)
                threading.Thread(target=_drain, args=(screen,), daemon=True).start()
    except OSError:  # the other end is closed
        pass
    os.close(terminal)
