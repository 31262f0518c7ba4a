#!/usr/bin/env python3
"""make_tree.py FOLDER FILES: a tree of files with pseudo-random contents, the same in each run."""

import random
import sys
from pathlib import Path

folder, files = Path(sys.argv[1]), int(sys.argv[2])
dice = random.Random(7)
for number in range(files):
    file = folder / str(number % 20) / str(number // 20)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(dice.randbytes(dice.choice([0, 1, 4095, 4096, 4097, 20000, 70000])))
