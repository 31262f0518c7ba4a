"""Stock Debian kernels, extracted from their packages. Installs nothing and needs no root."""

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lab import apt
from lab.apt import Apt, AptError
from lab.host import OUT, progress

# Debian's names for them, and the reason to test each.
FLAVOURS = {
    "cloud": "linux-image-cloud-amd64",  # lz4 payload
    "amd64": "linux-image-amd64",  # xz payload; the only one with 9p, so the lab itself runs it
    "rt": "linux-image-rt-amd64",  # PREEMPT_RT
}


@dataclass(frozen=True)
class Newer:
    """A kernel from a suite that is newer than this machine's release."""

    package: str
    suite: str  # as for lab.apt.newer()


NEWER = {
    "backports": Newer("linux-image-cloud-amd64", "-backports"),  # from the next release: 6.12 on Debian 12
    "sid": Newer("linux-image-cloud-amd64", "sid"),  # Debian's newest
}


class KernelError(Exception):
    pass


@dataclass(frozen=True)
class Kernel:
    """An unpacked kernel package: out/kernels/FLAVOUR/."""

    root: Path
    release: str  # as in uname -r
    version: str  # the Debian package's version

    @property
    def flavour(self) -> str:
        return self.root.name

    @property
    def vmlinuz(self) -> Path:
        return self.root / "vmlinuz"

    @property
    def vmlinux(self) -> Path:
        """The kernel with DWARF. Exists only if the kernel was fetched with its debug package."""
        return self.root / "vmlinux"


def fetch(flavour: str, debug: bool = False) -> Kernel:
    """Downloads and unpacks a kernel from FLAVOURS or NEWER, with `debug` also its vmlinux, unless that was done
    before."""
    root = OUT / "kernels" / flavour
    kernel = _unpacked(root)
    if kernel is None or (debug and not kernel.vmlinux.exists()):
        try:
            source = apt.newer(NEWER[flavour].suite) if flavour in NEWER else apt.MACHINE
            source.update()
            package = _newest(source, NEWER[flavour].package if flavour in NEWER else FLAVOURS[flavour])
            version = source.candidate(package)
            if kernel is None or kernel.version != version:
                kernel = _fetch_image(source, root, package, version)
            if debug:
                _fetch_vmlinux(source, kernel, package)
        except AptError as error:
            raise KernelError(str(error)) from error
    return kernel


def _unpacked(root: Path) -> Kernel | None:
    try:
        release, version = (root / "release").read_text().split()
    except FileNotFoundError:
        return None
    return Kernel(root, release, version)


def _newest(source: Apt, name: str) -> str:
    """Returns the versioned package to which Debian's unversioned name leads."""
    for package in source.depends(name):
        if re.match(r"linux-image-\d", package):
            return package
    raise KernelError(f"apt knows no {name}; does `apt-get update` help?")


def _fetch_image(source: Apt, root: Path, package: str, version: str) -> Kernel:
    release = package.removeprefix("linux-image-")
    # Since Debian 14 the image's package is empty, and its parts are in packages of their own.
    kinds = {f"linux-{kind}-{release}" for kind in ("base", "binary", "modules")}
    parts = [part for part in source.depends(package) if part in kinds]
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=root) as folder:
        for deb in source.download(dict.fromkeys([package, *parts], version), folder):
            subprocess.run(["dpkg-deb", "-x", deb, str(root)], check=True)
    if not (root / "lib").exists():
        (root / "lib").symlink_to("usr/lib")  # depmod and modprobe look there
    subprocess.run(["/sbin/depmod", "--basedir", str(root), release], check=True)
    images = [f"boot/vmlinuz-{release}", f"usr/lib/modules/{release}/vmlinuz"]
    (root / "vmlinuz").symlink_to(next(image for image in images if (root / image).exists()))
    (root / "release").write_text(f"{release} {version}\n")  # written last: it marks everything else as complete
    return Kernel(root, release, version)


def _fetch_vmlinux(source: Apt, kernel: Kernel, package: str) -> None:
    """Extracts only the one file that is wanted: the debug package also holds gigabytes of modules."""
    # Since Debian 14 the first is a link to the second.
    places = [f"usr/lib/debug/boot/vmlinux-{kernel.release}", f"usr/lib/debug/lib/modules/{kernel.release}/vmlinux"]
    with tempfile.TemporaryDirectory(dir=kernel.root) as folder:
        [deb] = source.download({f"{package}-dbg": kernel.version}, folder)
        progress(f"unpacking vmlinux of {kernel.release}")
        for inside in (Path(folder) / place for place in places):
            _take_out(deb, str(inside.relative_to(folder)), folder)
            if not inside.is_symlink():
                inside.rename(kernel.vmlinux)
                return
    raise KernelError(f"{package}-dbg has no vmlinux at {' or '.join(places)}")


def _take_out(deb: str, file: str, folder: str) -> None:
    pipe, none = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=pipe, stderr=none) as archive:
        # --occurrence stops the reading at the first match; dpkg-deb then complains about the closed pipe.
        extract = ["tar", "-x", "--occurrence", "-C", folder, f"./{file}"]
        subprocess.run(extract, stdin=archive.stdout, check=True)
