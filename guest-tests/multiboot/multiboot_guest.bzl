"""32-bit guests that start by a multiboot 1 header, in the forms that a loader meets."""

_COMPILE = " ".join([
    "$(CC) -std=gnu11 -O2 -m32 -march=i686 -ffreestanding -nostdlib -static -no-pie -fno-pie -I.",
    "-mgeneral-regs-only -fcf-protection=none -fno-stack-protector -fno-asynchronous-unwind-tables",
    "-fno-tree-loop-distribute-patterns",  # no calls of a memcpy that is not there
    "-Wall -Wextra -Werror",
])

def multiboot_guest(name, program = None, load_address = None, own_addresses = False, convert = None):
    """Builds PROGRAM.c, by default NAME.c, into NAME.elf.

    Args:
      own_addresses: the header has its address fields, and the file is flat.
      convert: an output format of objcopy.
    """
    source = (program or name) + ".c"
    output = "elf64-x86-64" if convert == "elf64" else "binary" if own_addresses else None
    native.genrule(
        name = name,
        srcs = [source, "start.S", "guest.c", "guest.h", "multiboot.lds"],
        outs = [name + ".elf"],
        cmd = " ".join([
            _COMPILE,
            "-DOWN_ADDRESSES" if own_addresses else "",
            "-Wl,--defsym,load_address=%s" % load_address if load_address else "",
            "-Wl,-T,$(location multiboot.lds) -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-melf_i386",
            "-Wl,--no-warn-rwx-segments",
            "$(location start.S) $(location guest.c) $(location %s) -o $@" % source,
            "&& objcopy -O %s $@ $@" % output if output else "",
        ]),
        toolchains = ["@bazel_tools//tools/cpp:current_cc_toolchain"],
    )
