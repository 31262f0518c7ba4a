"""Makes initial RAM file systems without root and without a mount: a busybox, some modules, an /init."""

import gzip
import hashlib
import lzma
import subprocess
from dataclasses import dataclass
from pathlib import Path

BUSYBOX = Path("/bin/busybox")  # Debian's busybox-static
FOLDERS = ("bin", "dev", "proc", "sys", "tmp", "host", "modules")


@dataclass(frozen=True)
class Entry:
    path: str
    mode: int  # as in stat.st_mode
    data: bytes = b""


def directory(path: str) -> Entry:
    return Entry(path, 0o040755)


def program(path: str, data: bytes) -> Entry:
    return Entry(path, 0o100755, data)


def newc(entries: list[Entry]) -> bytes:
    """The "newc" cpio archive that the kernel unpacks (Documentation/driver-api/early-userspace/buffer-format.rst)."""

    def record(inode: int, entry: Entry) -> bytes:
        name = entry.path.encode() + b"\0"
        fields = (inode, entry.mode, 0, 0, 1, 0, len(entry.data), 0, 0, 0, 0, len(name), 0)
        head = b"070701" + b"".join(b"%08x" % field for field in fields) + name
        return _padded(head) + _padded(entry.data)

    entries = [*entries, Entry("TRAILER!!!", 0)]
    return b"".join(record(inode, entry) for inode, entry in enumerate(entries, start=1))


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


def module_files(root: Path, release: str, modules: list[str]) -> list[Path]:
    """Returns the files of `modules` and of all their dependencies, in the order in which they must be loaded.

    `root` holds an unpacked kernel package; depmod must have run on it.
    """
    files: dict[Path, None] = {}  # a set that keeps its order
    for module in modules:
        command = ["/sbin/modprobe", "--show-depends", "--dirname", str(root), "--set-version", release, module]
        listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        for line in listing.splitlines():  # "insmod FILE", or "builtin NAME"
            action, _, file = line.strip().partition(" ")
            if action == "insmod":
                files[Path(file.split()[0])] = None
    return list(files)


def build(where: Path, init: Path, modules: list[Path], more: dict[str, bytes] | None = None) -> Path:
    """Writes an initramfs whose /init is `init`, and whose /modules/NN-name.ko load in the order of their names.

    `more`: further files, executable, by their path. The file goes into the folder `where`, is named after its
    contents, and is made only once.
    """
    folders = dict.fromkeys([*FOLDERS, *(str(Path(path).parent) for path in more or {})])
    entries = [directory(path) for path in folders if path != "."]
    entries += [program("bin/busybox", BUSYBOX.read_bytes()), program("init", init.read_bytes())]
    entries += [program(f"modules/{n:02}-{file.name.removesuffix('.xz')}", _module(file)) for n, file in enumerate(modules)]
    entries += [program(path, data) for path, data in (more or {}).items()]
    archive = newc(entries)

    target = where / f"initramfs-{hashlib.sha256(archive).hexdigest()[:12]}.cpio.gz"
    if not target.exists():
        where.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".partial")
        partial.write_bytes(gzip.compress(archive, mtime=0))
        partial.rename(target)
    return target


def _module(file: Path) -> bytes:
    """Returns the module as insmod needs it, because Debian 13's are compressed."""
    return lzma.decompress(file.read_bytes()) if file.suffix == ".xz" else file.read_bytes()
