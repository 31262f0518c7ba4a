"""Debian's Xen hypervisor, extracted from its package."""

from pathlib import Path

from lab import apt, packages

# The unversioned package depends on the one with the hypervisor.
NAME = "xen-hypervisor"


def fetch() -> Path:
    """Downloads and unpacks it unless that was done before. Returns the image: gzipped ELF with a multiboot header."""
    apt.MACHINE.update()
    package = next(name for name in apt.MACHINE.depends("xen-system-amd64") if name.startswith(f"{NAME}-"))
    root = packages.fetch(NAME, [package])
    return next(root.glob("boot/xen-*.gz"))
