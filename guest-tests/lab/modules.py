"""Builds kernel modules of our own against the headers of a stock Debian kernel. Installs nothing."""

import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from lab.apt import MACHINE
from lab.host import OUT
from lab.kernels import Kernel, KernelError


def build(kernel: Kernel, source: Path) -> Path:
    """Returns the module from the folder `source` (a Kbuild and C files), without debug information. Built once."""
    files = sorted(file for file in source.iterdir() if file.is_file())
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
    target = OUT / "modules" / kernel.release / kernel.version / f"{source.name}-{digest}.ko"
    if target.exists():
        return target
    headers = _headers(kernel)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        for file in files:
            shutil.copy(file, folder)
        make = ["make", "-s", "-C", headers, f"M={folder}", f"KCFLAGS=-fmacro-prefix-map={folder}/=", "modules"]
        made = subprocess.run(make, capture_output=True, text=True)
        if made.returncode != 0:
            raise KernelError(f"{source}: {made.stdout}{made.stderr}")
        (module,) = Path(folder).glob("*.ko")
        subprocess.run(["strip", "--strip-debug", module], check=True)
        module.rename(target)
    return target


def _headers(kernel: Kernel) -> Path:
    """Returns the folder in which make runs: out/headers/VERSION/usr/src/linux-headers-RELEASE."""
    root = OUT / "headers" / kernel.version
    headers = root / "usr/src" / f"linux-headers-{kernel.release}"
    missing = [package for package in _packages(kernel.release) if not (root / f".{package}").exists()]
    if missing:
        MACHINE.update()
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root) as folder:
            for deb in MACHINE.download(dict.fromkeys(missing, kernel.version), folder):
                subprocess.run(["dpkg-deb", "-x", deb, root], check=True)
    for package in missing:
        (root / f".{package}").touch()
    # It refers to the common part by its path in an installation.
    makefile = headers / "Makefile"
    makefile.write_text(makefile.read_text().replace(" /usr/src/", f" {root}/usr/src/"))
    return headers


def _packages(release: str) -> list[str]:
    """For 6.1.0-56-rt-amd64: its own headers, those that all rt kernels share, and the build programs for them."""
    abi, series, rt = re.fullmatch(r"((\d+\.\d+)[\d.]*-\d+)(-rt)?.*", release).groups(default="")
    return [f"linux-headers-{release}", f"linux-headers-{abi}-common{rt}", f"linux-kbuild-{series}"]
