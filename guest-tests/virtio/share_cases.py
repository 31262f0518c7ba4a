"""Cases for cases.py: folders of the host by virtio-fs and by 9P, and its network by passt.

A tree of 1000 files is read and compared by checksum, also after a second mount; a read-only one refuses writes even
after the guest has mounted it writable. 16 MiB go down and up by TCP, and in by a forwarded port.
"""

import hashlib
from pathlib import Path

from virtio.tcp_ends import bytes_to_send

HERE = Path(__file__).resolve().parent

SUMS = "find . -type f | sort | xargs sha256sum | sha256sum"

MAKE_TREE = f"""
    python3 {HERE}/make_tree.py share 1000
    mkdir out
    (cd share && export LC_ALL=C && {SUMS}) >out/sum
"""

# MOUNT stands for the command up to the tag.
USE_FOLDERS = f"""
    mkdir /share /out
    MOUNT share /share
    MOUNT out /out
    test "$(find /share -type f | wc -l)" = 1000
    (cd /share && {SUMS}) >/tmp/sum
    cmp /tmp/sum /out/sum
    if touch /share/new; then exit 1; fi
    mount -o remount,rw /share || true
    if rm /share/0/0; then exit 1; fi
    if sh -c 'echo changed >/share/0/1'; then exit 1; fi
    cp -r /share/0 /out/copy
    umount /share
    MOUNT share /share
    (cd /share && {SUMS}) | cmp - /out/sum
    umount /share /out
"""

COMPARE = """
    diff -r share/0 out/copy
    test ! -e share/new
    (cd share && export LC_ALL=C && find . -type f | sort | xargs sha256sum | sha256sum) | cmp - out/sum
"""

VIRTIOFS = "mount -t virtiofs"
NINE_P = "mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144"

# passt wants a default route. The lab has no network, so it gets a card that leads nowhere.
MAKE_ROUTE = f"""
    if test -z "$(ip route show default)"; then
      insmod "$(find {HERE.parents[1]}/out/kernels/amd64 -name dummy.ko)" || true
      ip link set lo up
      ip link add card type dummy
      ip link set card up
      ip addr add 192.0.2.15/24 dev card
      ip route add default via 192.0.2.2
    fi
"""

# udhcpc calls this script with a lease. Debian 12's passt repeats what it sends for ever if the guest has ended its own
# direction before, as nc does at the end of its input: so nc's input does not end.
USE_NETWORK = """
    cat >/bin/lease <<'END'
#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr add "$ip/$mask" dev "$interface"
ip link set "$interface" mtu "${mtu:-1500}"
ip route add default via "$router" dev "$interface"
END
    chmod +x /bin/lease
    test "$(cat /sys/class/net/eth0/address)" = 02:00:00:00:00:07
    ip link set lo up
    ip link set eth0 up
    udhcpc -i eth0 -n -q -s /bin/lease
    df /tmp
    ip addr show eth0
    router=$(ip route | sed -n 's/^default via \\([^ ]*\\).*/\\1/p')
    mkfifo /tmp/never
    nc -w 60 "$router" 7001 <>/tmp/never >/tmp/data
    echo "SUM  /tmp/data" | sha256sum -c
    nc -w 60 "$router" 7002 </tmp/data
    nc -l -p 80 -w 100 <>/tmp/never >/tmp/more
    echo "SUM  /tmp/more" | sha256sum -c
""".replace(
    "SUM", hashlib.sha256(bytes_to_send()).hexdigest()
)

FIELDS = [
    {
        "name": "fs",
        "modules": ("virtio_mmio", "virtiofs"),
        "flags": ("--share={scratch}/share,ro", "--share={scratch}/out:out"),
        "prepare": MAKE_TREE,
        "script": USE_FOLDERS.replace("MOUNT", VIRTIOFS),
        "after": COMPARE,
    },
    {
        "name": "9p",
        "modules": ("virtio_mmio", "9pnet_virtio", "9p"),
        "flags": ("--share={scratch}/share,ro,9p", "--share={scratch}/out:out,9p"),
        "kernels": ("amd64",),
        "prepare": MAKE_TREE,
        "script": USE_FOLDERS.replace("MOUNT", NINE_P),
        "after": COMPARE,
    },
    {
        "name": "net",
        "modules": ("virtio_mmio", "virtio_net", "af_packet"),
        "flags": ("--net=user,port=7003:80,mac=02:00:00:00:00:07",),
        "prepare": f"{MAKE_ROUTE}\n    setsid python3 {HERE}/tcp_ends.py {{scratch}} >tcp.log 2>&1 &",
        "script": USE_NETWORK,
        "after": f"cat tcp.log; python3 {HERE}/tcp_ends.py --judge {{scratch}}",
    },
]
