"""Bochs as Debian's packages."""

import os
import subprocess
import sys

from lab.apt import MACHINE
from lab.host import progress

PACKAGES = ["bochs", "bochs-term", "bochsbios", "vgabios", "isolinux", "syslinux-common", "xorriso"]


def install() -> None:
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}\n", *PACKAGES]
    if subprocess.run(query, capture_output=True, text=True).stdout.split() == ["installed"] * len(PACKAGES):
        return
    if os.geteuid() != 0:
        sys.exit(f"this needs root: apt-get install --no-install-recommends {' '.join(PACKAGES)}")
    progress(f"installing {' '.join(PACKAGES)}")
    MACHINE.update()
    subprocess.run(
        ["apt-get", "install", "--yes", "--no-install-recommends", "-q=2", *PACKAGES],
        check=True, stdout=subprocess.DEVNULL, env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"),
    )  # fmt: skip
