"""Debian packages for the tests' programs, unpacked but not installed: nothing is configured or started."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from lab.apt import MACHINE, Apt
from lab.host import OUT

LOADER, LIBRARIES = "usr/lib64/ld-linux-x86-64.so.2", "usr/lib/x86_64-linux-gnu"


def fetch(name: str, packages: list[str], source: Apt = MACHINE) -> Path:
    """Returns the folder into which `packages` are unpacked, together with those dependencies that this machine has not
    installed. Packages of a newer suite come with all dependencies, down to the C library.

    The folder is out/packages/NAME, and is filled only once.
    """
    root = OUT / "packages" / name
    done = root / ".complete"
    if done.exists() and done.read_text().split() == packages:
        return root
    source.update()
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=root) as folder:
        for deb in source.download(source.plan(packages), folder):
            subprocess.run(["dpkg-deb", "-x", deb, str(root)], check=True)
    done.write_text(" ".join(packages) + "\n")
    return root


def command(root: Path, program: str, *arguments: str) -> list[str]:
    """Returns the command that runs a program of a newer suite, unpacked in `root`, with the C library and other
    libraries of that suite."""
    return [str(root / LOADER), "--library-path", str(root / LIBRARIES), str(root / program), *arguments]
