"""Queries apt about this machine's own suites, or about a newer one. Never installs anything from a newer suite.

A newer suite keeps its lists and its one source under out/apt/SUITE; the machine's own stay unchanged. The source is
the machine's with the suite's name replaced: the same mirror, checked against Debian's own keys. Debian puts those into
its stable release before it signs a newer one with them.
"""

import functools
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab.host import OUT, progress

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class AptError(Exception):
    pass


@dataclass(frozen=True)
class Apt:
    """One view of apt, defined by its options."""

    options: tuple[str, ...] = ()
    owned: bool = False  # its lists are ours, not the machine's

    def update(self) -> None:
        """Renews the lists: old ones name packages that are gone, and a container image has none. Only root may renew the
        machine's."""
        if not self.owned and os.geteuid() != 0:
            return
        ran = subprocess.run(["apt-get", *self.options, "update", "-q=2"], stdout=subprocess.DEVNULL)
        if ran.returncode != 0:
            raise AptError(f"apt-get update ended with {ran.returncode}: see what it says above")

    def depends(self, package: str) -> list[str]:
        """Returns the packages that it depends on; empty if there is no such package."""
        return re.findall(r"^ *Depends: (\S+)", self._cache("depends", package), re.MULTILINE)

    def candidate(self, package: str) -> str:
        """Returns the version that would be installed."""
        return re.search(r"Candidate: (\S+)", self._cache("policy", package))[1]

    def plan(self, packages: list[str]) -> dict[str, str]:
        """Returns the packages that an installation would unpack and their versions, by apt's own plan for it, plus
        `packages` even if they are installed. For a newer suite that is everything they need, because nothing counts as
        installed there."""
        command = ["apt-get", *self.options, "install", "--simulate", "--reinstall", "--no-install-recommends", *packages]
        ran = subprocess.run(command, check=True, capture_output=True, text=True, env=dict(os.environ, LC_ALL="C"))
        # "Inst NAME [installed version] (version release [architecture]) ..."
        return dict(re.findall(r"^Inst (\S+) (?:\[\S+\] )?\((\S+) ", ran.stdout, re.MULTILINE))

    def download(self, packages: dict[str, str], folder: str) -> list[str]:
        """Downloads each package's .deb, in the given version, into the empty `folder`, and returns their paths."""
        wanted = [f"{package}={version}" for package, version in packages.items()]
        sizes = re.findall(r"^Size: (\d+)", self._cache("show", *wanted), re.MULTILINE)
        what = wanted[0] if len(wanted) == 1 else f"{len(wanted)} packages"
        progress(f"downloading {what}, {sum(map(int, sizes)) // 1_000_000} MB")
        # As root, apt would let its user _apt download, who cannot write here.
        options = ["-q=2", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3"]
        subprocess.run(["apt-get", *self.options, "download", *options, *wanted], cwd=folder, check=True)
        debs = sorted(map(str, Path(folder).glob("*.deb")))
        if len(debs) != len(wanted):
            raise AptError(f"apt-get download left {len(debs)} files for {' '.join(wanted)}")
        return debs

    def _cache(self, *words: str) -> str:
        command = ["apt-cache", *self.options, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


MACHINE = Apt()  # configured by /etc/apt


@functools.cache
def newer(suite: str) -> Apt:
    """`suite` as Debian's mirror names it, "sid"; or "-backports" of the release that this machine runs."""
    if not KEYRING.exists():
        raise AptError(f"there is no {KEYRING} to check a newer suite with; it is in the package debian-archive-keyring")
    mirror, codename = _own_release()
    name = codename + suite if suite.startswith("-") else suite
    state = OUT / "apt" / name
    for folder in ("lists/partial", "archives/partial"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    source = state / "sources.list"
    source.write_text(f"deb [signed-by={KEYRING}] {mirror} {name} main\n")
    (state / "status").touch()
    settings = {
        "Dir::State": state,
        "Dir::State::status": state / "status",
        "Dir::Cache": state,
        "Dir::Etc::SourceList": source,
        "Dir::Etc::SourceParts": "/dev/null",
        "APT::Default-Release": "",
        "APT::Sandbox::User": "root",  # apt's own user may not enter this folder
    }
    return Apt(tuple(word for key, value in settings.items() for word in ("-o", f"{key}={value}")), owned=True)


def _own_release() -> tuple[str, str]:
    """Returns the address of this machine's Debian mirror, and that release's name."""
    fields = "$(LABEL) $(COMPONENT) $(RELEASE) $(CODENAME) $(REPO_URI)"
    for attempt in (1, 2):
        ran = subprocess.run(["apt-get", "indextargets", "--format", fields], check=True, capture_output=True, text=True)
        for line in ran.stdout.splitlines():
            label, component, *rest = line.split()
            if (label, component) == ("Debian", "main") and len(rest) == 3 and "-" not in rest[1]:
                return rest[2], rest[1]
        if attempt == 1:
            MACHINE.update()  # the labels come from the lists
    raise AptError("apt has no source of Debian's main on this machine, from whose mirror a newer suite could come")
