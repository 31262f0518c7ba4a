"""Reads the output of Bochs: pack_files.cc wrote it, as gzip streams out of a serial port or uncompressed on a disk."""

import io
import zlib
from pathlib import Path
from typing import BinaryIO

MAX_LINE = 4096
CHUNK = 1 << 20


def _inflate(sent: bytes) -> bytes:
    """Returns all complete streams, one after the other; leaves out a stream that a hang cut off."""
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
    """Makes the files under `folder`, with their holes, and returns the names of the cases that arrived."""
    return unpack_files(io.BytesIO(_inflate(sent)), folder)


def unpack_files(packed: BinaryIO, folder: Path) -> list[str]:
    """The same for uncompressed input. It ends with the stream, or at the zeros after it on an empty disk."""
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
