"""A room is a folder: one library of all its sources, which other folders name by the folder alone.

The includes between folders form no cycle (ci/folder_rules), so a folder needs no finer targets. Tests of one folder are
linked into few programs, because linking and starting a program costs more than most of them do.
"""

# Test code is compiled without optimization and without UBSan: that halves the time of a build, and what the tests call is
# compiled as ever.
TEST_COPTS = [
    "-O0",
    "-U_FORTIFY_SOURCE",
    "-fno-sanitize=undefined",
]

def room(deps = [], exclude = [], generated = [], textual_hdrs = [], data = [], testonly = False, visibility = None):
    """The library of a folder, named like the folder: every .cc and .h but tests, fuzz targets and `exclude`."""
    native.cc_library(
        name = native.package_name().split("/")[-1],
        testonly = testonly,
        linkstatic = True,
        srcs = native.glob(["*.cc"], exclude = ["*_test.cc", "*_fuzz.cc"] + exclude) + generated,
        hdrs = native.glob(["*.h"]),
        textual_hdrs = textual_hdrs,
        data = data,
        deps = deps,
        visibility = visibility,
    )

def room_test(name, srcs, deps, size = "medium", linkopts = [], **kwargs):
    """Tests of a folder as one program."""
    native.cc_test(
        name = name,
        size = size,
        srcs = srcs,
        copts = TEST_COPTS,
        linkopts = ["-pthread"] + linkopts,
        deps = deps + ["//third_party:gtest_main"],
        **kwargs
    )
