"""Gives the programs every value that the completions offer, and asks whether they take it.

usage: values_check.py VMM VMCORE"""

import subprocess
import sys

import program_help
import values


def complaints(command: list[str], flag: str) -> list[str]:
    """What the program says against the flag. It ends there or, if the flag is right, soon after: the file is missing."""
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    lines = ended.stderr.splitlines()
    return [line for line in lines if f"--{flag}" in line or "no option" in line or "no such flag" in line]


def main() -> None:
    vmm, vmcore = sys.argv[1:]
    flags = [([vmm, "--kernel=/none"], flag) for group in program_help.vmm(vmm) for flag in group.flags]
    for command in program_help.vmcore(vmcore):
        flags += [([vmcore, command.name, "/none", "/none/out"], flag) for flag in command.flags]
    failed = tried = 0
    for command, flag in flags:
        words = values.WORDS.get(flag.name) or values.LISTS.get(flag.name) or []
        for word in words:
            tried += 1
            if said := complaints([*command, f"--{flag.name}={word}"], flag.name):
                failed += 1
                print(f"--{flag.name}={word}: {said[0]}")
        # And that a wrong one is refused, or the test above would show nothing.
        if words and not complaints([*command, f"--{flag.name}=wrong-word"], flag.name):
            failed += 1
            print(f"--{flag.name}=wrong-word is taken")
    print(f"{tried} values")
    sys.exit(1 if failed or not tried else 0)


main()
