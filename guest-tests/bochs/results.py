"""What /init under Bochs sent: gzip streams of what pack_files.cc wrote."""

import zlib
from pathlib import Path


def _inflate(sent: bytes) -> bytes:
    """All streams that are whole, one behind the other; what a hang cut off is left out."""
    files = b""
    while sent:
        stream = zlib.decompressobj(wbits=31)
        try:
            content = stream.decompress(sent)
        except zlib.error:
            break
        if not stream.eof:
            break
        files += content
        sent = stream.unused_data
    return files


def unpack(sent: bytes, folder: Path) -> list[str]:
    """Makes the files under `folder`, with their holes, and returns the names of the cases that came."""
    files = _inflate(sent)
    cases: dict[str, None] = {}
    at = 0
    while at < len(files):
        end = files.index(b"\n", at)
        name, *numbers = files[at:end].decode().rsplit(" ", 3)
        size, offset, length = map(int, numbers)
        path = folder / name
        if ".." in path.parts:
            raise ValueError(f"a file named {name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "r+b" if path.exists() else "w+b") as file:
            file.truncate(size)
            file.seek(offset)
            file.write(files[end + 1 : end + 1 + length])
        cases[name.split("/")[0]] = None
        at = end + 1 + length
    return list(cases)
