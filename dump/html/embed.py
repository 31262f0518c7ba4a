#!/usr/bin/env python3
"""Prints the page's style sheet and script as C++ strings, each with the hash that the page's policy allows."""

import base64
import hashlib
import sys
from pathlib import Path

for name, file in zip(("kPageStyle", "kPageScript"), sys.argv[1:], strict=True):
    text = Path(file).read_text(encoding="ascii")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    print(f'inline constexpr std::string_view {name} = R"embedded({text})embedded";')
    print(f'inline constexpr std::string_view {name}Hash = "sha256-{digest}";')
