"""Makes the initial RAM file systems of the guests that talk to the backdoor: busybox, other people's clients,
./guest/init."""

import gzip
import os
import re
import subprocess
from pathlib import Path

from lab.initramfs import BUSYBOX, Entry, directory, newc, program

HERE = Path(__file__).resolve().parent

# Values that pass in and out again: "printable" covers every size, "all" is a value that no command line could hold.
PRINTABLE = bytes(ord("!") + (n * 7 + n // 90) % 90 for n in range(65000))
ALL_BYTES = bytes(range(1, 256))


def initrd(where: Path, name: str, clients: Path, own: list[Path], with_tools: bool) -> Path:
    """Writes `where`/NAME, with vmware-rpctool and, if asked for, with vmtoolsd and its power plugin."""
    programs = ["usr/bin/vmware-rpctool"]
    plugins, scripts = [], []
    if with_tools:
        programs.append("usr/bin/vmtoolsd")
        plugins.append("usr/lib/x86_64-linux-gnu/open-vm-tools/plugins/vmsvc/libpowerOps.so")
        # The script that the plugin runs first, and the file that it reads. Without them no guest can be halted.
        scripts = ["etc/vmware-tools/poweroff-vm-default", "etc/vmware-tools/statechange.subr"]
    folders = ["bin", "sbin", "dev", "proc", "sys", "tmp", "usr", "usr/bin", "lib", "lib64", "lib/x86_64-linux-gnu",
               "var", "etc", "etc/vmware-tools",
               "etc/vmware-tools/scripts", "etc/vmware-tools/scripts/vmware", "plugins"]  # fmt: skip
    entries = [directory(path) for path in folders]
    entries += [program("bin/busybox", BUSYBOX.read_bytes()), program("init", (HERE / "guest/init").read_bytes())]
    entries += [program(f"bin/{file.name}", file.read_bytes()) for file in own]
    entries.append(program("sbin/shutdown", (HERE / "guest/shutdown").read_bytes()))
    entries += [Entry("value", 0o100644, PRINTABLE), Entry("bytes", 0o100644, ALL_BYTES + b"\n")]
    entries += [program(path, (clients / path).read_bytes()) for path in programs + scripts]
    entries += [program(f"plugins/{Path(path).name}", (clients / path).read_bytes()) for path in plugins]
    libraries = {library for path in programs + plugins for library in _libraries(clients, clients / path)}
    entries += [program(f"lib/x86_64-linux-gnu/{library.name}", library.read_bytes()) for library in sorted(libraries)]
    loader = Path("/lib64/ld-linux-x86-64.so.2")
    entries.append(program(str(loader).lstrip("/"), loader.read_bytes()))

    where.mkdir(parents=True, exist_ok=True)
    target = where / name
    target.write_bytes(gzip.compress(newc(entries), compresslevel=3, mtime=0))
    return target


def _libraries(clients: Path, program_file: Path) -> set[Path]:
    """Returns the libraries that the dynamic loader would load, from the clients' own packages or from this machine."""
    folders = [clients / "usr/lib/x86_64-linux-gnu", clients / "lib/x86_64-linux-gnu"]
    environment = dict(os.environ, LD_LIBRARY_PATH=":".join(map(str, folders)))
    listing = subprocess.run(["ldd", str(program_file)], check=True, capture_output=True, text=True, env=environment)
    return {Path(path) for path in re.findall(r"=> (/\S+)", listing.stdout)}
