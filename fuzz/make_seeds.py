#!/usr/bin/env python3
"""Makes the first inputs of the fuzz targets: fuzz/corpus/TARGET/seed-*. They are in git; run this again if a target
takes its input in another form.

    fuzz/make_seeds.py
"""

import bz2
import gzip
import lzma
import struct
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "fuzz/corpus"


def put(target: str, name: str, *parts: bytes) -> None:
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"seed-{name}").write_bytes(b"".join(parts))


def note(name: bytes, kind: int, desc: bytes) -> bytes:
    def pad(data: bytes) -> bytes:
        return data + bytes(-len(data) % 4)

    return struct.pack("<III", len(name) + 1, len(desc), kind) + pad(name + b"\0") + pad(desc)


def ktap() -> None:
    plain = b"TAP version 13\n1..3\nok 1 a\nnot ok 2 b # exit=1\n  ---\n  duration_ms: 3\n  ...\nok 3 c # SKIP no tty\n"
    nested = b"[    1.500000] KTAP version 1\n1..1\n  KTAP version 1\n  # Subtest: u\n  1..2\n  ok 1 x\\#y\n  ok 2 z # XFAIL w\nok 1 u\n"
    put("ktap", "plain", b"\x00", plain)
    put("ktap", "dies", b"\x0f", plain[:60])
    put("ktap", "nested", b"\x10", nested)
    put("ktap", "kselftest", b"\x02", b"# selftests: a: b\n#  RUN           s.t ...\n#            OK  s.t\nBail out! h\n")


def console() -> None:
    lines = [
        b"[    1.000000] Kernel panic - not syncing: Fatal exception",
        b"BUG: unable to handle page fault for address: ffffb0d2c0a6d000",
        b"kernel BUG at fs/ext4/inode.c:2721!",
        b"BUG: KASAN: use-after-free in f+0x1/0x2",
        b"WARNING: CPU: 0 PID: 1 at kernel/x.c:1 f+0x1/0x2",
        b"watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [sh:1]",
        b"rcu: INFO: rcu_preempt self-detected stall on CPU",
        b"INFO: task kworker/0:1:12 blocked for more than 120 seconds.",
        b"WARNING: possible circular locking dependency detected",
        b"unreferenced object 0xffff888107a6c000 (size 8):",
    ]
    put("console_scanner", "signs", b"\x06", b"\r\n".join(lines))
    put("console_scanner", "long", b"\xff", b"x" * 900 + lines[0] + b"\r" + lines[1] + b"\x1b[m\xff\n")
    log = (ROOT / "dump/console/testdata/reports.txt").read_bytes()
    for number in range(4):
        start = log.find(b"\n", len(log) * number // 4) + 1
        put("console_reader", str(number), bytes([number]), log[start:][:2000])


def json_stream() -> None:
    commands = b'{"execute": "qmp_capabilities"}\n{"execute":"x-dump","arguments":{"a":[1,{"b":"\\u0041\\""}]}}'
    put("json_stream", "commands", b"\x03", commands)
    put("json_stream", "quotes", b"\x00", b"{'execute': 'a\"b\\'c'} x {}{\xff{\"a\":1}")


def backdoor() -> None:
    def step(kind: int, ebx: int) -> bytes:
        return bytes([0, kind]) + struct.pack("<I", ebx)

    def request(text: bytes) -> bytes:
        words = text + bytes(-len(text) % 4)
        payload = b"".join(step(2, word) for (word,) in struct.iter_unpack("<I", words))
        reply = step(3, 0) + step(4, 1) * 3 + step(5, 1)
        return step(0, 0xC9435052) + step(1, len(text)) + payload + reply + step(6, 0)

    put("backdoor", "get", request(b"info-get guestinfo.a"))
    put("backdoor", "set", request(b"info-set guestinfo.b value") + request(b"log a line"))
    put("backdoor", "tools", request(b"reset") + b"\x70\x10" + step(0, 0x4F4C4354) + step(3, 0))


def ports() -> None:
    def out(port: int, value: int) -> bytes:
        return bytes([1, port, value])

    put("ports", "serial", out(3, 0x80), out(0, 1), out(3, 3), out(1, 15), b"".join(out(0, c) for c in b"hello"), bytes([0, 5]))
    put("ports", "cmos", out(16, 10), bytes([0, 17]), out(16, 0x8F), out(17, 5))
    # fw_cfg, the last of the devices: a transfer by DMA of the item with the list of files
    put(
        "ports",
        "fw_cfg",
        bytes([3, 0, 1]),
        struct.pack(">IIQ", 0x19 << 16 | 10, 32, 0x200),
        bytes(16),
        bytes([9, 0xB8]),
        struct.pack(">I", 0x100),
    )


def elf_kernel() -> bytes:
    code = b"\x90" * 256
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 62, 1, 0xFFFFFFFF81000000, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0x1000, 0xFFFFFFFF81000000, 0x1000000, len(code), 0x1000, 0x200000)
    return (header + load).ljust(0x1000, b"\0") + code


def image() -> None:
    head = bytearray(3 * 512)
    struct.pack_into("<BHIH", head, 0x1F1, 2, 0, 0x20, 0)
    head[0x1FE:0x206] = b"\x55\xaa\xeb\x66HdrS"
    struct.pack_into("<H", head, 0x206, 0x20F)
    struct.pack_into("<IB", head, 0x230, 0x200000, 1)  # kernel_alignment, relocatable_kernel
    struct.pack_into("<H", head, 0x236, 1)  # xloadflags
    struct.pack_into("<II", head, 0x248, 0x10, 0x80)  # payload
    put("image", "bzimage", b"\x00", bytes(head), bytes(512))
    relocations = struct.pack("<IIII", 0, 0x81000010, 0, 0x81000020)
    put("image", "elf", b"\x01", struct.pack("<Q", 0x200000), elf_kernel(), relocations)
    text = b"the quick brown fox jumps over the lazy dog. " * 20

    def tool(*command: str) -> bytes:
        return subprocess.run(command, input=text, capture_output=True, check=True).stdout

    streams = [
        gzip.compress(text, mtime=0),
        bz2.compress(text),
        lzma.compress(text, lzma.FORMAT_ALONE),
        lzma.compress(text, lzma.FORMAT_XZ, check=lzma.CHECK_CRC32),
        tool("lzop", "-c"),
        tool("lz4", "-l", "-c"),
        tool("zstd", "-c"),
        tool("lz4", "-c"),
    ]
    for number, stream in enumerate(streams):
        put("image", f"codec-{number}", bytes([4 * number + 2 + number % 2]), stream)


def btf() -> None:
    strings = b"\0u64\0outer\0first\0in\0second\0many\0"

    def at(name: bytes) -> int:
        return strings.index(b"\0" + name + b"\0") + 1

    def kind(name: int, number: int, count: int, size: int) -> bytes:
        return struct.pack("<III", name, number << 24 | count, size)

    def member(name: bytes, of: int, bits: int) -> bytes:
        return struct.pack("<III", at(name), of, bits)

    types = kind(at(b"u64"), 1, 0, 8) + struct.pack("<I", 64)
    types += kind(0, 4, 1, 16) + member(b"second", 1, 64)
    types += kind(0, 3, 0, 0) + struct.pack("<III", 1, 1, 3)
    types += kind(at(b"outer"), 4, 3, 64) + member(b"first", 1, 0) + member(b"in", 2, 64) + member(b"many", 3, 256)
    header = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(types), len(types), len(strings))
    put("btf", "structs", header, types, strings)


def notes() -> None:
    info = b"OSRELEASE=6.1.0\nPAGESIZE=4096\nSYMBOL(swapper_pg_dir)=ffffffff82a10000\nOFFSET(uts_namespace.name)=0\n"
    info += b"NUMBER(phys_base)=-526385152\nKERNELOFFSET=31000000\n"
    put("notes", "elf", b"\x00", note(b"CORE", 1, bytes(range(256)) + bytes(80)), note(b"VMCOREINFO", 0, info))
    put("notes", "vmcoreinfo", b"\x01", info)
    put("host_page", "unknown", note(b"VMM-FLIGHT", 0, bytes(96)), note(b"VMM-SCHED", 0, bytes(64)), note(b"VMM-CONSOLE", 0, b"<fuzz>" * 9))


def nested_state() -> None:
    data = ROOT / "dump/nested/testdata"
    put("nested_state", "svm", b"\x00", (data / "svm-L2-49.bin").read_bytes()[:4800])
    put("nested_state", "fresh", b"\x00", (data / "vmx-plain-0-fresh.bin").read_bytes()[:4800])
    vmx = (data / "vmx-plain-F1-inL2.bin").read_bytes()
    put("nested_state", "vmx", b"\x00", struct.pack("<HHI", *struct.unpack_from("<HH", vmx), 4224), vmx[8:4224])
    put("nested_state", "page", b"\x01", struct.pack("<QB", 0x681E, 1), vmx[128:4224])


def kdump() -> None:
    """A small ELF core, converted by the tool itself: bazel build -c opt //dump:vmcore."""
    tool = ROOT / "bazel-bin/dump/tool/vmcore"
    ram = [bytes(4096), b"text " * 800 + bytes(96), bytes(4096), bytes(range(256)) * 16]
    start = 64 + 2 * 56
    elf_note = note(b"CORE", 1, bytes(336)) + note(b"VMCOREINFO", 0, b"OSRELEASE=6.1.0\nPAGESIZE=4096\n")
    core = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 4, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    core += struct.pack("<IIQQQQQQ", 4, 0, start, 0, 0, len(elf_note), 0, 0)
    core += struct.pack("<IIQQQQQQ", 1, 7, 4096, 0, 0, 4 * 4096, 4 * 4096, 0)
    core = (core + elf_note).ljust(4096, b"\0") + b"".join(ram)
    source, made = CORPUS / "core", CORPUS / "made"
    source.write_bytes(core)
    for name in ("zlib", "zstd"):
        made.unlink(missing_ok=True)
        subprocess.run([tool, "convert", source, made, f"--format=kdump-{name}"], check=True, capture_output=True)
        put("kdump", name, b"\x00", made.read_bytes())
        if name == "zlib":
            flat = struct.pack(">16sqq", b"makedumpfile", 1, 1).ljust(4096, b"\0")
            flat += struct.pack(">qq", 0, made.stat().st_size) + made.read_bytes() + struct.pack(">qq", -1, -1)
            put("kdump", "flattened", b"\x00", flat)
    source.unlink()
    made.unlink()
    for flag in range(6):
        put("kdump", f"page-{flag}", bytes([4 * flag + 3]), gzip.compress(ram[1], mtime=0)[10:-8])


def main() -> None:
    for make in (ktap, console, json_stream, backdoor, ports, image, btf, notes, nested_state, kdump):
        make()


if __name__ == "__main__":
    main()
