"""Run on a dump by Debian's python3, which has libkdumpfile: prints the kernel's release, read through its page
tables."""

import sys

from kdumpfile import kdumpfile

dump = kdumpfile(sys.argv[1])
dump.attr["addrxlat.ostype"] = "linux"
print("release", dump.attr["linux.uts.release"])
