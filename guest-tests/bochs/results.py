"""What came out of Bochs: what pack_files.cc wrote, as gzip streams out of a serial port or as it is on a disk."""

import io
import zlib
from pathlib import Path
from typing import BinaryIO

MAX_LINE = 4096
CHUNK = 1 << 20


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
    return unpack_files(io.BytesIO(_inflate(sent)), folder)


def unpack_files(packed: BinaryIO, folder: Path) -> list[str]:
    """The same of what is not compressed. It ends with the stream, or where an empty disk goes on with zeros."""
    cases: dict[str, None] = {}
    while (line := packed.readline(MAX_LINE)) and line[0] != 0:
        name, *numbers = line.decode().rsplit(" ", 3)
        size, offset, length = map(int, numbers)
        path = folder / name
        if ".." in path.parts:
            raise ValueError(f"a file named {name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "r+b" if path.exists() else "w+b") as file:
            file.truncate(size)
            file.seek(offset)
            while length > 0:
                chunk = packed.read(min(length, CHUNK))
                if not chunk:
                    raise ValueError(f"{name} is cut off")
                file.write(chunk)
                length -= len(chunk)
        cases[name.split("/")[0]] = None
    return list(cases)
