"""Debian packages whose programs the tests run, unpacked and not installed: nothing is configured and nothing started."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from lab.host import OUT
from lab.kernels import download, update_lists


def fetch(name: str, packages: list[str]) -> Path:
    """The folder into which `packages` are unpacked, together with what they depend on and this machine has not installed.

    It is out/packages/NAME, and is filled only once.
    """
    root = OUT / "packages" / name
    done = root / ".complete"
    if done.exists() and done.read_text().split() == packages:
        return root
    update_lists()
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=root) as folder:
        for deb in download(_versions(packages), folder):
            subprocess.run(["dpkg-deb", "-x", deb, str(root)], check=True)
    done.write_text(" ".join(packages) + "\n")
    return root


def _versions(packages: list[str]) -> dict[str, str]:
    """What an installation would unpack, by apt's own plan for it; and `packages`, also where they are installed."""
    command = ["apt-get", "install", "--simulate", "--reinstall", "--no-install-recommends", *packages]
    plan = subprocess.run(command, check=True, capture_output=True, text=True, env=dict(os.environ, LC_ALL="C")).stdout
    # "Inst NAME [installed version] (version release [architecture]) ..."
    return dict(re.findall(r"^Inst (\S+) (?:\[\S+\] )?\((\S+) ", plan, re.MULTILINE))
