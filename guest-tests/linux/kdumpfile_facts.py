"""Run on a vmcore by Debian's python3, which has libkdumpfile: prints the facts that ./checks.py needs.

Reads pages by physical and by kernel-virtual address, and compares them with the file's own bytes.
"""

import os
import random
import struct
import sys

from kdumpfile import KDUMP_KPHYSADDR, KDUMP_KVADDR, kdumpfile

PAGE = 4096
SAMPLES = 500

dump = kdumpfile(sys.argv[1])
dump.attr["addrxlat.ostype"] = "linux"
print("release", dump.attr["linux.uts.release"])
print("cpus", dump.attr["cpu.number"])

file = os.open(sys.argv[1], os.O_RDONLY)
(count,) = struct.unpack("<H", os.pread(file, 2, 56))
headers = [struct.unpack("<IIQQQQQQ", os.pread(file, 56, 64 + 56 * i)) for i in range(1, count)]
distance = headers[-1][3] - headers[-1][4]  # the last ones are RAM at the direct map
blocks = [header for header in headers if header[3] - header[4] == distance]

chance = random.Random(1)
wrong = 0
for _ in range(SAMPLES):
    _, _, offset, vaddr, paddr, size, _, _ = chance.choice(blocks)
    at = chance.randrange(size // PAGE) * PAGE
    page = os.pread(file, PAGE, offset + at)
    wrong += dump.read(KDUMP_KPHYSADDR, paddr + at, PAGE) != page
print("physical", SAMPLES, "pages,", wrong, "wrong")

# The image's first header covers text and data; the page tables map both.
_, _, offset, vaddr, _, size, _, _ = headers[0]
wrong = 0
for at in range(0, 64 * PAGE, PAGE):
    wrong += dump.read(KDUMP_KVADDR, vaddr + at, PAGE) != os.pread(file, PAGE, offset + at)
print("virtual", 64, "pages,", wrong, "wrong")
