"""Guests: C programs for a bare machine, linked with guest-tests/lib into an ELF that vmm boots.

Plain compiler calls build them, not cc_binary, because the options of the host's programs
(sanitizers, PIE, hardening) make no sense for them.
"""

_COMPILE = " ".join([
    "$(CC) -std=gnu11 -O2 -m64 -ffreestanding -nostdlib -static -no-pie -fno-pie -I. -I$(GENDIR)",
    # No instructions that an interrupt handler, or an emulating KVM, would have to handle.
    "-mgeneral-regs-only -mno-red-zone -fcf-protection=none",
    "-fno-stack-protector -fno-asynchronous-unwind-tables",
    "-Wall -Wextra -Werror",
])

def guest_library(name, srcs, hdrs):
    """All of guest-tests/lib as one archive."""
    native.genrule(
        name = name,
        srcs = srcs + hdrs,
        outs = [name + ".a"],
        cmd = "objects=$$(mktemp -d) && for f in %s; do %s -c $$f -o $$objects/$$(basename $$f).o || exit 1; done && " %
              (" ".join(["$(location %s)" % src for src in srcs]), _COMPILE) +
              "ar rcsD $@ $$objects/*.o && rm -r $$objects",
        toolchains = ["@bazel_tools//tools/cpp:current_cc_toolchain"],
    )

def guest(name, program = None, load_address = None, hdrs = []):
    """Builds guests/PROGRAM.c, by default NAME.c, into NAME.elf. `hdrs` are generated headers that it includes."""
    source = "guests/%s.c" % (program or name)
    native.genrule(
        name = name,
        srcs = [
            source,
            ":guest_lib",
            ":guest_headers",
            "lib/guest.lds",
        ] + hdrs,
        outs = [name + ".elf"],
        cmd = " ".join([
            _COMPILE,
            "-Wl,--defsym,load_address=%s" % load_address if load_address else "",  # before the script that uses it
            "-Wl,-T,$(location lib/guest.lds) -Wl,--build-id=none -Wl,-z,max-page-size=4096",
            "-Wl,--whole-archive $(location :guest_lib) -Wl,--no-whole-archive $(location %s) -o $@" % source,
        ]),
        toolchains = ["@bazel_tools//tools/cpp:current_cc_toolchain"],
    )
