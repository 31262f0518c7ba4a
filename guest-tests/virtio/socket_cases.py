"""Cases for cases.py: named ports and sockets.

A port that is a file has what the guest wrote, byte for byte; one that is a socket of the host's carries 1 MiB there and
back. By vsock, 100 connections of the host's are open at once, and one of the guest's carries 4 MiB there and back.
"""

import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENDS = f"{HERE}/socket_ends.py"

JUDGE = f"""
    for i in $(seq 30); do test -s verdict && break; sleep 1; done
    cat ends.log
    python3 {ENDS} --judge {{scratch}}
"""

USE_PORTS = """
    # The driver makes the ports one by one, in the background.
    for name in log echo; do
      until folder=$(grep -lx "$name" /sys/class/virtio-ports/*/name 2>/dev/null); do sleep 0.1; done
      folder=${folder%/name}
      ln -s "/dev/${folder##*/}" "/tmp/$name"
    done
    yes 'words of the guest' | head -c 4194304 >/tmp/log
    exec 3<>/tmp/echo
    head -c 1048576 <&3 >/tmp/got
    cat /tmp/got >&3
    exec 3>&-
"""

USE_VSOCK = """
    /bin/vsock_ends listen 100
    /bin/vsock_ends connect 4194304
"""


def vsock_ends() -> bytes:
    """The guest's end, as a static program."""
    program = HERE.parents[1] / "out/virtio/vsock_ends"
    program.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["gcc", "-O2", "-static", "-o", program, HERE / "vsock_ends.c"], check=True)
    return program.read_bytes()


FIELDS = [
    {
        "name": "ports",
        "modules": ("virtio_mmio", "virtio_console"),
        "flags": ("--virtio-port=log={scratch}/log", "--virtio-port=echo=unix:{scratch}/echo"),
        "prepare": f"setsid python3 {ENDS} port {{scratch}} >ends.log 2>&1 &",
        "script": USE_PORTS,
        "after": f"yes 'words of the guest' | head -c 4194304 | cmp - log\n{JUDGE}",
    },
    {
        "name": "vsock",
        "modules": ("virtio_mmio", "vmw_vsock_virtio_transport"),
        "flags": ("--vsock={scratch}/vsock",),
        "prepare": f"setsid python3 {ENDS} vsock {{scratch}} >ends.log 2>&1 &",
        "script": USE_VSOCK,
        "after": JUDGE,
        "programs": {"bin/vsock_ends": vsock_ends},
        "expect": ("vsock_ends: 100 connections at once",),
    },
]
