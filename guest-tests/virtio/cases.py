"""The table of ./run: stock kernels use the machine's virtio devices.

A case is a script that busybox's sh runs in the guest, as root, after its modules are loaded. It passes if every command
that the script does not expect to fail succeeds. `expect`: what the console must show besides.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from virtio import share_cases, socket_cases


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
    programs: dict[str, Callable[[], bytes]] = field(default_factory=dict, hash=False)  # more files of the initramfs


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
    Case(
        name="disk",
        modules=("virtio_mmio", "virtio_blk", "ext4"),
        flags=("--disk={scratch}/disk.img", "--disk={scratch}/still.img,ro", "--disk={scratch}/base.img,overlay"),
        prepare="""
            truncate -s 256M disk.img && mkfs.ext4 -q -F disk.img
            yes still | head -c 1M >still.img
            yes below | head -c 1M >base.img
        """,
        script="""
            mkdir -p /mnt
            mount -t ext4 /dev/vda /mnt
            for i in $(seq 200); do echo "$i" >"/mnt/$i"; done
            dd if=/dev/urandom of=/mnt/big bs=1M count=32
            (cd /mnt && sha256sum big >sum)
            umount /mnt
            test "$(cat /sys/block/vdb/ro)" = 1
            ! dd if=/dev/zero of=/dev/vdb bs=512 count=1 conv=fsync
            test "$(head -c 5 /dev/vdb)" = still
            dd if=/dev/zero of=/dev/vdc bs=4096 count=4 conv=fsync
            echo 3 >/proc/sys/vm/drop_caches
            dd if=/dev/vdc bs=4096 count=4 2>/dev/null | cmp - /dev/zero 2>&1 | grep EOF
            cat /sys/block/vda/serial | grep disk.img
        """,
        after="""
            fsck.ext4 -fn disk.img
            debugfs -R 'dump /big big' disk.img 2>/dev/null
            debugfs -R 'dump /sum sum' disk.img 2>/dev/null
            sha256sum -c sum
            test "$(debugfs -R 'cat /200' disk.img 2>/dev/null)" = 200
            yes still | head -c 1M | cmp - still.img
            yes below | head -c 1M | cmp - base.img
        """,
    ),
    *(Case(**fields) for fields in share_cases.FIELDS + socket_cases.FIELDS),
]
