#!/bin/bash
# Builds examples/harness as its user would, from a header and a library in a folder of their own, and runs it.
set -euo pipefail

if [[ ! -w /dev/kvm ]]; then
  echo "skipped: no /dev/kvm"
  exit 0
fi
work=$(mktemp -d "${TEST_TMPDIR:-/tmp}/harness-XXXXXX")
trap 'rm -rf "$work"' EXIT
install -D -m 644 vmm/lib/vmm_c.h "$work/prefix/include/vmm_c.h"
install -D -m 644 vmm/lib/libvmm.a "$work/prefix/lib/libvmm.a"
install -D -m 644 -t "$work/project" examples/harness/harness.c examples/harness/Makefile
make -C "$work/project" VMM="$work/prefix" CFLAGS='-O2 -Wall -Wextra -Werror'

run() { DUMP_DIR=$work "$work/project/harness" "$@"; }
expect() {
  grep -qE -- "$1" "$work/out" && return
  printf 'missing: %s\nin:\n' "$1" >&2
  cat "$work/out" >&2
  exit 1
}

run guest-tests/hello.elf guest-tests/pio_widths.elf >"$work/out" || { cat "$work/out"; exit 1; }
expect '^ok 1 - guest-tests/hello.elf # guest exit, status 0'
expect '^ok 2 - guest-tests/pio_widths.elf'
expect '^# .*: ok$'

if run guest-tests/exceptions.elf guest-tests/triple_fault.elf guest-tests/not_a_kernel.txt >"$work/out"; then
  echo "a triple fault passed" >&2
  exit 1
fi
expect '^1\.\.3$'
expect '^ok 1 - guest-tests/exceptions.elf'
expect '^not ok 2 - guest-tests/triple_fault.elf # triple fault'
expect '^not ok 3 - guest-tests/not_a_kernel.txt # no run: '
[[ -s $work/vmcore ]] || { echo "no vmcore" >&2; exit 1; }
echo "the harness was built and run"
