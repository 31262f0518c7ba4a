#!/bin/bash
# Runs one guest as a test of Bazel's: rules/guest_test.bzl fills in the words between the @ signs.
set -uo pipefail

expect=@EXPECT@
out=${TEST_UNDECLARED_OUTPUTS_DIR:-$(mktemp -d)}
record=$out/result.json
# A death that the test wants would stand in test.xml as an error; then Bazel writes that file.
case $expect in
  guest-exit | power-off) junit=${XML_OUTPUT_FILE:-$out/test.xml} ;;
  *) junit=$out/junit.xml ;;
esac
flags=(
  @FLAGS@
  --result="$record" --junit="$junit" --console="$out/console.log" --dump-dir="$out"
)
# Bazel kills a test that takes too long, and then there is neither a record nor a vmcore: so vmm ends it a little sooner.
[[ -z ${TEST_TIMEOUT:-} ]] || flags+=(--timeout="$((TEST_TIMEOUT * 9 / 10))s")
program=(@PROGRAM@)
if ((${#program[@]} > 0)); then
  for name in TEST_TOTAL_SHARDS TEST_SHARD_INDEX TESTBRIDGE_TEST_ONLY GTEST_TOTAL_SHARDS GTEST_SHARD_INDEX; do
    [[ -z ${!name+set} ]] || flags+=(--env="$name=${!name}")
  done
  # The program may know its shard; whether it does, nobody outside can see.
  [[ -z ${TEST_SHARD_STATUS_FILE:-} ]] || touch "$TEST_SHARD_STATUS_FILE"
fi

@VMM@ "${flags[@]}" "${program[@]:+--}" "${program[@]}"
status=$?
((${#program[@]} > 0)) || tail -n 100 "$out/console.log" 2>/dev/null

# A record is JSON, in which a guest's text has no line breaks: such lines are only vmm's own.
outcome=$(sed -n 's/^  "outcome": "\(.*\)",$/\1/p' "$record" 2>/dev/null)
passed=$(sed -n '/^  "tests": {$/,/^  }/ s/^    "passed": \([a-z]*\),$/\1/p' "$record" 2>/dev/null)
for core in "$out"/vmcore*; do
  [[ ! -f $core || $core == *.gdb ]] || @VMCORE@ report "$core" >"$out/${core##*/}.report.txt" 2>&1
done

if [[ $outcome != "$expect" ]]; then
  echo "FAILED: the guest should end as $expect, and ended as ${outcome:-nothing known}" >&2
  exit $((status == 0 ? 1 : status))
fi
if [[ $outcome == guest-exit ]] && ((status != 0)); then
  echo "FAILED: the guest ended with status $status" >&2
  exit "$status"
fi
if [[ ${passed:-true} != true && $expect != panic && $expect != hang ]]; then
  echo "FAILED: not every test in the guest passed: see test.xml" >&2
  exit 1
fi
