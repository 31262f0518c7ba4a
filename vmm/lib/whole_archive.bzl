"""One static library out of many: what a build without Bazel links."""

def _archives_and_flags(library):
    archives = []
    flags = []
    for linker_input in library[CcInfo].linking_context.linker_inputs.to_list():
        archives += [one.static_library or one.pic_static_library for one in linker_input.libraries]
        flags += [flag for flag in linker_input.user_link_flags if flag.startswith("-l") and flag not in flags]
    return archives, flags

def _whole_archive_impl(ctx):
    archives, flags = _archives_and_flags(ctx.attr.library)
    out = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.run_shell(
        inputs = archives,
        outputs = [out],
        mnemonic = "WholeArchive",
        # Linked into one object, in which only the wanted names stay visible: a program may have its own copy of any
        # library in it, of another version. Groups are given up, because a local symbol in one would be lost if the
        # program has the same group. The C++ library and the C library are not in it.
        command = """
            set -e
            object=$(mktemp -d)/%s.o
            ld -r -S -static --force-group-allocation -o "$object" %s -L/usr/lib/x86_64-linux-gnu \\
              --start-group %s %s --end-group
            objcopy --wildcard --keep-global-symbol='%s' "$object"
            rm -f %s
            ar rcsD %s "$object"
            rm -r "${object%%/*}"
        """ % (
            ctx.attr.object_name,
            " ".join(["-u " + symbol for symbol in ctx.attr.roots]),
            " ".join([archive.path for archive in archives]),
            " ".join(flags),
            ctx.attr.keep,
            out.path,
            out.path,
        ),
        use_default_shell_env = True,
    )
    return [DefaultInfo(files = depset([out]), runfiles = ctx.runfiles([out]))]

whole_archive = rule(
    implementation = _whole_archive_impl,
    doc = "The file `name`: a static library of all that `roots` need, third-party libraries too.",
    attrs = {
        "library": attr.label(providers = [CcInfo], mandatory = True),
        "object_name": attr.string(mandatory = True),
        "roots": attr.string_list(mandatory = True, doc = "symbols to begin with"),
        "keep": attr.string(mandatory = True, doc = "the symbols that stay visible, as a pattern"),
    },
)
