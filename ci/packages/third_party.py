#!/usr/bin/env python3
"""The libraries that vmm and vmcore are linked with, statically, and their licences.

usage: third_party.py check UNSTRIPPED_PROGRAM...  compares the table below with the libraries in the link and the headers
                                                   in the debug information of each program
       third_party.py write                        prints THIRD_PARTY_LICENSES
       third_party.py built-using                  prints the value of Debian's field Built-Using
       third_party.py texts                        prints the names of the common licences that go with a tarball"""

import re
import subprocess
import sys
from pathlib import Path

# Debian package -> licence of what is linked, and the project's name for it.
LIBRARIES = {
    "libabsl-dev": ("Apache-2.0", "Abseil"),
    "libbz2-dev": ("bzip2-1.0.6", "bzip2"),
    "libc6-dev": ("LGPL-2.1-or-later", "GNU C library"),
    "libcapstone-dev": ("BSD-3-Clause AND NCSA", "Capstone"),
    "libdeflate-dev": ("MIT", "libdeflate"),
    "libelf-dev": ("LGPL-3.0-or-later OR GPL-2.0-or-later", "libelf of elfutils"),
    "libfmt-dev": ("MIT", "{fmt}"),
    "libgcc-12-dev": ("GPL-3.0-or-later WITH GCC-exception-3.1", "libgcc"),
    "liblz4-dev": ("BSD-2-Clause", "LZ4"),
    "liblzma-dev": ("public domain", "liblzma of XZ Utils"),
    "liblzo2-dev": ("GPL-2.0-or-later", "LZO"),
    "libsnappy-dev": ("BSD-3-Clause", "Snappy"),
    "libspdlog-dev": ("MIT", "spdlog"),
    "libstdc++-12-dev": ("GPL-3.0-or-later WITH GCC-exception-3.1", "GNU C++ library"),
    "libzstd-dev": ("BSD-3-Clause OR GPL-2.0-only", "Zstandard"),
    "linux-libc-dev": ("GPL-2.0-only WITH Linux-syscall-note", "Linux headers for user space"),
    "nlohmann-json3-dev": ("MIT", "JSON for Modern C++"),
    "zlib1g-dev": ("Zlib", "zlib"),
}

# What g++ adds to a static link by itself.
IMPLIED = ["stdc++", "m", "gcc", "gcc_eh", "c"]

INTRODUCTION = """\
The programs vmm and vmcore are linked statically with the libraries below. The sources of vmm and vmcore themselves are
under the Apache License 2.0 (LICENSE). LZO is under the GNU General Public License, version 2 or later, and the Apache
License 2.0 goes together with version 3 of it, not with version 2: the two programs as they are distributed are
therefore, as a whole, under the GNU General Public License, version 3.

Their complete source is that of vmm, at the tag of this version, and the Debian source packages below:

    apt-get source PACKAGE=VERSION

which Debian's snapshot archive keeps after Debian has newer ones. `ci/release` of vmm's source links the programs
anew, also with a changed library.
"""


def dpkg(*arguments: str) -> str:
    return subprocess.run(["dpkg-query", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def owners(paths: set[str]) -> set[str]:
    """The Debian packages of these files and folders. A folder that several have, as /usr/include, says nothing."""
    packages = set()
    for line in dpkg("--search", *sorted(paths)).splitlines():
        names = {name.split(":")[0] for name in line.rsplit(": ", 1)[0].split(", ")}
        packages |= names if len(names) == 1 else set()
    return packages


def archive(name: str, folders: list[str]) -> Path:
    for folder in folders:
        if (path := Path(folder, f"lib{name}.a")).exists():
            return path
    sys.exit(f"-l{name} is in the link, and g++ has no lib{name}.a")


def libraries_in_link(program: Path) -> set[str]:
    """The packages of the archives that Bazel gave the linker."""
    words = program.with_name(f"{program.name}-2.params").read_text(encoding="utf-8").split()
    names = [word[2:] for word in words if word.startswith("-l")] + IMPLIED
    search = subprocess.run(["g++", "-print-search-dirs"], check=True, capture_output=True, text=True).stdout
    folders = next(line.split("=", 1)[1] for line in search.splitlines() if line.startswith("libraries:")).split(":")
    archives = {archive(name, folders).resolve() for name in names}
    return owners({str(path) for path in archives})


def headers_in(program: Path) -> set[str]:
    """The packages of the headers that have code in the program, by its debug information."""
    command = ["readelf", "--string-dump=.debug_line_str", "--wide", str(program)]
    text = subprocess.run(command, check=True, capture_output=True, text=True, errors="replace").stdout
    folders = {re.sub(r"/[^/]*\.\./.*", "", path) for path in re.findall(r"/usr/(?:include|lib)/[\w./+-]+", text)}
    return owners({folder for folder in folders if folder.startswith("/usr/include/") and Path(folder).exists()})


def check(programs: list[Path]) -> None:
    linked = set().union(*map(libraries_in_link, programs))
    # The kernel's headers give types and numbers, and no code that would be seen.
    found = linked.union(*map(headers_in, programs)) | {"linux-libc-dev"}
    if missing := found - LIBRARIES.keys():
        sys.exit(f"linked, and not in ci/packages/third_party.py: {', '.join(sorted(missing))}")
    if gone := LIBRARIES.keys() - found:
        sys.exit(f"in ci/packages/third_party.py, and not linked: {', '.join(sorted(gone))}")


def source(package: str) -> tuple[str, str]:
    return tuple(dpkg("--show", "--showformat=${source:Package} ${source:Version}", package).split())


def write() -> None:
    print(INTRODUCTION)
    print(f"{'library':<32}{'licence':<44}source package in Debian")
    for package, (licence, name) in LIBRARIES.items():
        print(f"{name:<32}{licence:<44}{'='.join(source(package))}")
    done = set()
    for package in LIBRARIES:
        if source(package) in done:
            continue
        done.add(source(package))
        text = Path("/usr/share/doc", package, "copyright").read_text(encoding="utf-8", errors="replace")
        print(f"\n\n{'=' * 80}\n{'='.join(source(package))}: Debian's file of its copyrights and licences\n{'=' * 80}\n")
        print(text.strip())


def main() -> None:
    match sys.argv[1:]:
        case ["check", *programs] if programs:
            check([Path(program) for program in programs])
        case ["write"]:
            write()
        case ["built-using"]:
            print(", ".join(sorted({f"{name} (= {version})" for name, version in map(source, LIBRARIES)})))
        case ["texts"]:
            print("Apache-2.0 GPL-2 GPL-3 LGPL-2.1 LGPL-3")
        case _:
            sys.exit(__doc__)


main()
