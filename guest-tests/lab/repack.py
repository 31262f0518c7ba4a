"""Repacks a stock kernel's bzImage with its payload compressed as little as possible.

An emulated machine takes ten seconds to unpack xz. The unpacked payload is the same, byte for byte, and nothing else
changes: the kernel can still be placed anywhere (KASLR), which an ELF file cannot. This is for direct boot only,
because the image's own decompressor could not handle the new payload.
"""

import lzma
import struct
import zlib
from pathlib import Path

from lab.kernels import Kernel

# The setup header, Documentation/arch/x86/boot.rst.
SETUP_SECTS, SYSSIZE, PAYLOAD_OFFSET, PAYLOAD_LENGTH = 0x1F1, 0x1F4, 0x248, 0x24C
XZ = b"\xfd7zXZ\0"


def bzimage(kernel: Kernel) -> Path:
    """Returns the file, made once. If the payload is quick to unpack anyway, or of an unknown kind, returns the
    kernel's own file."""
    target = kernel.root / f"vmlinuz-{kernel.version}-stored"
    if target.exists():
        return target
    image = bytearray(kernel.vmlinuz.read_bytes())
    protected = (image[SETUP_SECTS] + 1) * 512
    offset, length = struct.unpack_from("<II", image, PAYLOAD_OFFSET)
    packed = image[protected + offset : protected + offset + length]
    if not packed.startswith(XZ):
        return kernel.vmlinuz
    # The xz stream is followed by the length of its contents, as in gzip.
    stored = zlib.compress(lzma.LZMADecompressor().decompress(packed), level=0, wbits=31)
    image[protected + offset :] = stored + b"\0" * (-(offset + len(stored)) % 16)
    struct.pack_into("<I", image, PAYLOAD_LENGTH, len(stored))
    struct.pack_into("<I", image, SYSSIZE, (len(image) - protected) // 16)
    partial = target.with_suffix(".partial")
    partial.write_bytes(image)
    partial.rename(target)
    return target
