"""The table of ./run: stock kernels use the machine's virtio devices.

A case is a script that busybox's sh runs in the guest, as root, after its modules are loaded. It passes if every command
that the script does not expect to fail succeeds. `expect`: what the console must show besides.
"""

from dataclasses import dataclass, field

from virtio import share_cases


@dataclass(frozen=True)
class Case:
    name: str
    script: str
    modules: tuple[str, ...] = ()  # with all that they depend on
    flags: tuple[str, ...] = ()  # of vmm; {scratch} is an empty folder of this case
    kernels: tuple[str, ...] = ("cloud", "amd64")
    prepare: str = ""  # a shell script that runs before the guest starts, in {scratch}
    after: str = ""  # the same after the guest has ended; its status counts
    expect: tuple[str, ...] = field(default=())


CASES = [
    Case(
        name="rng",
        modules=("virtio_mmio", "virtio-rng"),
        script="""
            test "$(cat /sys/class/misc/hw_random/rng_current)" = virtio_rng.0
            dd if=/dev/hwrng of=/tmp/a bs=4096 count=16 iflag=fullblock
            dd if=/dev/hwrng of=/tmp/b bs=4096 count=16 iflag=fullblock
            test "$(wc -c </tmp/a)" = 65536
            ! cmp -s /tmp/a /tmp/b
            grep virtio /proc/interrupts
            cat /sys/bus/virtio/devices/virtio0/features
        """,
    ),
    Case(
        name="rng-off",
        modules=("virtio_mmio", "virtio-rng"),
        flags=("--rng=off",),
        script="test ! -e /sys/bus/virtio/devices/virtio0",
        kernels=("cloud",),
    ),
    *(Case(**fields) for fields in share_cases.FIELDS),
]
