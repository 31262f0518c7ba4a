"""A fuzz target: NAME_fuzz.cc beside the parser, with one function LLVMFuzzerTestOneInput.

    fuzz_target(name = "ktap", deps = [":ktap"])

makes three targets of it. `ktap_fuzz` is the function as a library, for a test that changes inputs by itself.
`ktap_replay` is a test that feeds it each file below fuzz/corpus/ktap, in every mode of a build. `ktap_fuzzer` is the
program that searches for new inputs by coverage; it needs Clang's libFuzzer, and is built by ci/fuzz alone.
"""

load("//:room.bzl", "TEST_COPTS")

def fuzz_target(name, deps, data = []):
    native.cc_library(
        name = name + "_fuzz",
        testonly = True,
        srcs = [name + "_fuzz.cc"],
        alwayslink = True,
        linkstatic = True,
        deps = deps + ["//fuzz:input"],
    )
    native.cc_test(
        name = name + "_replay",
        size = "medium",
        args = ["fuzz/corpus/" + name],
        copts = TEST_COPTS,
        data = data + ["//fuzz:corpus"],
        linkopts = ["-pthread"],
        deps = [
            ":" + name + "_fuzz",
            "//fuzz:replay",
        ],
    )
    native.cc_binary(
        name = name + "_fuzzer",
        testonly = True,
        data = data,
        linkopts = [
            "-fsanitize=fuzzer",
            "-pthread",
        ],
        tags = ["manual"],
        deps = [":" + name + "_fuzz"],
    )
