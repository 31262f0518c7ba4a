"""Tests that run in a guest of their own: guest_test for a program, kernel_test for a kernel that tests itself.

    load("@vmm//rules:guest_test.bzl", "guest_test", "kernel_test")

    guest_test(
        name = "my_driver_test",
        kernel = ":bzImage",
        program = ":my_driver_test_program",
        files = {":my_firmware": "/lib/firmware/my_firmware"},
        shard_count = 4,
    )

    kernel_test(
        name = "kunit_test",
        kernel = ":bzImage_with_kunit",
        append = "kunit.filter_glob=list*",
    )

A test passes if its guest ended as `expect` says, with status 0 where it has one, and no result that it printed (KTAP or
TAP) is a failure. test.xml has each of its results. The console, vmm's record, and after a death the vmcore and its
report are undeclared outputs. Each test needs /dev/kvm, and so it has the tag "kvm"; its memory and CPUs are given to
Bazel as resources, so that no more run at once than the machine holds.
"""

def _quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"

def _guest_test_impl(ctx):
    flags = ["--kernel=" + ctx.file.kernel.short_path]
    runfiles = ctx.runfiles([ctx.file.kernel, ctx.executable.vmm, ctx.executable.vmcore])
    runfiles = runfiles.merge(ctx.attr.vmm[DefaultInfo].default_runfiles)
    if ctx.file.initrd:
        flags.append("--initrd=" + ctx.file.initrd.short_path)
        runfiles = runfiles.merge(ctx.runfiles([ctx.file.initrd]))
    if ctx.attr.append:
        flags.append("--append=" + ctx.attr.append)
    flags += ["--memory=%dM" % ctx.attr.memory_mib, "--cpus=%d" % ctx.attr.cpus]
    words = []
    if ctx.executable.program:
        words = [ctx.executable.program.short_path] + [ctx.expand_location(arg, ctx.attr.data) for arg in ctx.attr.args_in_guest]
        runfiles = runfiles.merge(ctx.attr.program[DefaultInfo].default_runfiles)
    for target, place in ctx.attr.files.items():
        files = target.files.to_list()
        if len(files) != 1:
            fail("files: %s is %d files; it must be one file, or one folder" % (target.label, len(files)))
        flags.append("--file=%s:%s" % (files[0].short_path, place))
        runfiles = runfiles.merge(ctx.runfiles(files))
    for name, value in ctx.attr.env_in_guest.items():
        flags.append("--env=%s=%s" % (name, value))
    flags += ["--module=" + module for module in ctx.attr.modules]
    flags += ctx.attr.flags
    runfiles = runfiles.merge(ctx.runfiles(ctx.files.data))

    launcher = ctx.actions.declare_file(ctx.label.name + ".sh")
    ctx.actions.expand_template(
        template = ctx.file._launcher,
        output = launcher,
        is_executable = True,
        substitutions = {
            "@VMM@": _quoted(ctx.executable.vmm.short_path),
            "@VMCORE@": _quoted(ctx.executable.vmcore.short_path),
            "@EXPECT@": _quoted(ctx.attr.expect),
            "@FLAGS@": " ".join([_quoted(flag) for flag in flags]),
            "@PROGRAM@": " ".join([_quoted(word) for word in words]),
        },
    )
    return [DefaultInfo(executable = launcher, runfiles = runfiles)]

_guest_test = rule(
    implementation = _guest_test_impl,
    test = True,
    attrs = {
        "kernel": attr.label(allow_single_file = True, mandatory = True),
        "initrd": attr.label(allow_single_file = True),
        "append": attr.string(),
        "program": attr.label(executable = True, cfg = "target"),
        "args_in_guest": attr.string_list(),
        "files": attr.label_keyed_string_dict(allow_files = True),
        "env_in_guest": attr.string_dict(),
        "modules": attr.string_list(),
        "memory_mib": attr.int(default = 512),
        "cpus": attr.int(default = 1),
        "expect": attr.string(default = "guest-exit"),
        "flags": attr.string_list(),
        "data": attr.label_list(allow_files = True),
        "vmm": attr.label(executable = True, cfg = "target", default = "//vmm:vmm"),
        "vmcore": attr.label(executable = True, cfg = "target", default = "//dump:vmcore"),
        "_launcher": attr.label(allow_single_file = True, default = "//rules:run_guest_test.sh"),
    },
)

def _tags(tags, cpus, kvm):
    return tags + [tag for tag in (["kvm"] if kvm else []) + ["cpu:%d" % cpus] if tag not in tags]

def guest_test(name, kernel, program, args = [], files = {}, env = {}, modules = [], append = "", memory_mib = 512, cpus = 1, flags = [], tags = [], kvm = True, **kwargs):
    """Runs `program`, of this build, in a guest under `kernel`. It passes if the program ends with 0.

    Args:
      name: of the test
      kernel: a bzImage or vmlinux
      program: an executable target; its shared libraries go with it, its runfiles do not: see `files`
      args: words for the program
      files: more files or folders: label -> path in the guest
      env: variables for the program. TEST_TOTAL_SHARDS, TEST_SHARD_INDEX and TESTBRIDGE_TEST_ONLY are there, too, and
        GoogleTest's own names for them, so that a program that knows them may have a shard_count
      modules: names of kernel modules to load first
      append: the kernel's command line
      memory_mib: the guest's memory
      cpus: its vCPUs; Bazel keeps as many CPUs for the test
      flags: more flags of vmm
      tags: more tags than "kvm"
      kvm: False if `vmm` is a program that needs no /dev/kvm; the tag is then missing
      **kwargs: of any test: size, timeout, shard_count, flaky, data, visibility, ...; vmm and vmcore replace ours
    """
    _guest_test(
        name = name,
        kernel = kernel,
        program = program,
        args_in_guest = args,
        files = files,
        env_in_guest = env,
        modules = modules,
        append = append,
        memory_mib = memory_mib,
        cpus = cpus,
        flags = flags,
        tags = _tags(tags, cpus, kvm),
        **kwargs
    )

def kernel_test(name, kernel, initrd = None, append = "", expect = "guest-exit", memory_mib = 512, cpus = 1, flags = [], tags = [], kvm = True, **kwargs):
    """Boots `kernel`, which tests itself or has its tests in `initrd`, and judges by its end and by what it printed.

    Args:
      name: of the test
      kernel: a bzImage, a vmlinux, or another ELF program for a bare machine
      initrd: an initramfs
      append: the kernel's command line
      expect: the outcome that passes, a word of docs/result-json.md: "guest-exit" (with status 0), "power-off", "panic"
      memory_mib: the guest's memory
      cpus: its vCPUs; Bazel keeps as many CPUs for the test
      flags: more flags of vmm
      tags: more tags than "kvm"
      kvm: False if `vmm` is a program that needs no /dev/kvm; the tag is then missing
      **kwargs: of any test, but shard_count: a kernel cannot run a part of itself
    """
    if "shard_count" in kwargs:
        fail("kernel_test(%s): a kernel does not know which shard it is: make a test of each part, by `append`" % name)
    _guest_test(
        name = name,
        kernel = kernel,
        initrd = initrd,
        append = append,
        expect = expect,
        memory_mib = memory_mib,
        cpus = cpus,
        flags = flags,
        tags = _tags(tags, cpus, kvm),
        **kwargs
    )
