"""A stock kernel's bzImage with its payload compressed as little as can be.

An emulated machine takes ten seconds to unpack xz. When it is unpacked the payload is the same, byte for byte, and
nothing else is touched: it still can be placed anywhere (KASLR), which an ELF file cannot. It is for direct boot only:
the decompressor that the image has would not know what to do with it.
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
    """The file, made once. Of a kernel whose payload is quick to unpack anyway, or unknown to us, its own."""
    target = kernel.root / f"vmlinuz-{kernel.version}-stored"
    if target.exists():
        return target
    image = bytearray(kernel.vmlinuz.read_bytes())
    protected = (image[SETUP_SECTS] + 1) * 512
    offset, length = struct.unpack_from("<II", image, PAYLOAD_OFFSET)
    packed = image[protected + offset : protected + offset + length]
    if not packed.startswith(XZ):
        return kernel.vmlinuz
    # Behind the xz stream is the length of what is in it, as gzip has it, too.
    stored = zlib.compress(lzma.LZMADecompressor().decompress(packed), level=0, wbits=31)
    image[protected + offset :] = stored + b"\0" * (-(offset + len(stored)) % 16)
    struct.pack_into("<I", image, PAYLOAD_LENGTH, len(stored))
    struct.pack_into("<I", image, SYSSIZE, (len(image) - protected) // 16)
    partial = target.with_suffix(".partial")
    partial.write_bytes(image)
    partial.rename(target)
    return target
