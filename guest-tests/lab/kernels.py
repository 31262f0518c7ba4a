"""Stock Debian kernels, taken out of their packages. Nothing is installed and nothing needs root."""

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lab.host import OUT, progress

# What Debian calls them, and what makes each worth a test.
FLAVOURS = {
    "cloud": "linux-image-cloud-amd64",  # lz4 payload
    "amd64": "linux-image-amd64",  # xz payload; the only one with 9p, so the lab itself runs it
    "rt": "linux-image-rt-amd64",  # PREEMPT_RT
}


class KernelError(Exception):
    pass


@dataclass(frozen=True)
class Kernel:
    """An unpacked kernel package: out/kernels/FLAVOUR/."""

    root: Path
    release: str  # as uname -r says it
    version: str  # of the Debian package

    @property
    def vmlinuz(self) -> Path:
        return self.root / "vmlinuz"

    @property
    def vmlinux(self) -> Path:
        """With DWARF. There only if the kernel was fetched with its debug package."""
        return self.root / "vmlinux"


def fetch(flavour: str, debug: bool = False) -> Kernel:
    """Downloads and unpacks a kernel, and with `debug` also its vmlinux, unless that was done before."""
    root = OUT / "kernels" / flavour
    kernel = _unpacked(root)
    if kernel is None or (debug and not kernel.vmlinux.exists()):
        update_lists()
        package, version = _newest(flavour)
        if kernel is None or kernel.version != version:
            kernel = _fetch_image(root, package, version)
        if debug:
            _fetch_vmlinux(kernel, package)
    return kernel


def _unpacked(root: Path) -> Kernel | None:
    try:
        release, version = (root / "release").read_text().split()
    except FileNotFoundError:
        return None
    return Kernel(root, release, version)


def update_lists() -> None:
    """Old lists name packages that are gone, and a container image has none. Only root may get new ones."""
    if os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-q=2"], check=True, stdout=subprocess.DEVNULL)


def _newest(flavour: str) -> tuple[str, str]:
    """The versioned package behind Debian's unversioned name, and its version."""
    depends = _output("apt-cache", "depends", FLAVOURS[flavour])
    package = re.search(r"Depends: (linux-image-\d\S+)", depends)
    if not package:
        raise KernelError(f"apt knows no {FLAVOURS[flavour]}; does `apt-get update` help?")
    policy = _output("apt-cache", "policy", package[1])
    return package[1], re.search(r"Candidate: (\S+)", policy)[1]


def _fetch_image(root: Path, package: str, version: str) -> Kernel:
    release = package.removeprefix("linux-image-")
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=root) as folder:
        [deb] = download({package: version}, folder)
        subprocess.run(["dpkg-deb", "-x", deb, str(root)], check=True)
    subprocess.run(["/sbin/depmod", "--basedir", str(root), release], check=True)
    (root / "vmlinuz").symlink_to(f"boot/vmlinuz-{release}")
    (root / "release").write_text(f"{release} {version}\n")  # last: it says that all else is there
    return Kernel(root, release, version)


def _fetch_vmlinux(kernel: Kernel, package: str) -> None:
    """The debug package holds gigabytes of modules beside the one file wanted, so only that one is taken out."""
    inside = f"usr/lib/debug/boot/vmlinux-{kernel.release}"
    with tempfile.TemporaryDirectory(dir=kernel.root) as folder:
        [deb] = download({f"{package}-dbg": kernel.version}, folder)
        progress(f"unpacking vmlinux of {kernel.release}")
        pipe, none = subprocess.PIPE, subprocess.DEVNULL
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=pipe, stderr=none) as archive:
            # --occurrence ends the reading at the first match; dpkg-deb then complains of the closed pipe.
            extract = ["tar", "-x", "--occurrence", "-C", folder, f"./{inside}"]
            subprocess.run(extract, stdin=archive.stdout, check=True)
        (Path(folder) / inside).rename(kernel.vmlinux)


def download(packages: dict[str, str], folder: str) -> list[str]:
    """Gets the .deb of each package, of the version named, into `folder`, which is empty, and returns their paths."""
    wanted = [f"{package}={version}" for package, version in packages.items()]
    sizes = re.findall(r"^Size: (\d+)", _output("apt-cache", "show", *wanted), re.MULTILINE)
    what = wanted[0] if len(wanted) == 1 else f"{len(wanted)} packages"
    progress(f"downloading {what}, {sum(map(int, sizes)) // 1_000_000} MB")
    # As root, apt would hand the download to its user _apt, who cannot write here.
    options = ["-q=2", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3"]
    subprocess.run(["apt-get", "download", *options, *wanted], cwd=folder, check=True)
    debs = sorted(map(str, Path(folder).glob("*.deb")))
    if len(debs) != len(wanted):
        raise KernelError(f"apt-get download left {len(debs)} files for {' '.join(wanted)}")
    return debs


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
