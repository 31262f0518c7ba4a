"""What a shell offers as a flag's value: words, files or directories.

The words of a flag stand in its help as prose, so they are listed here; check() compares the list with the help."""

import re

from program_help import Flag

# Words for the whole value.
WORDS = {
    "boot": ["auto", "direct", "classic"],
    "kaslr": ["on", "off"],
    "exit-status": ["vmm", "shell"],
    "watchdog": ["ib700", "off"],
    "rng": ["on", "off"],
    "vmware-cpuid": ["first", "only"],
    "on-panic": ["dump", "exit", "pause"],
    "sandbox": ["on", "log", "off"],
    "dump-format": ["elf", "kdump-zlib", "kdump-zstd"],
    "dump-level": ["0", "1", "31"],
    "live-dump": ["auto", "stop"],
    "core-mappings": ["needed", "all"],
    "format": ["elf", "kdump-zlib", "kdump-zstd"],
}

# Words of which several may stand, with commas between.
LISTS = {
    "catch": ["auto", "off", "panic", "oops", "bug", "warn", "kasan"],
    "catch-console": [
        "off", "panic", "oops", "bug", "kasan", "warning", "soft-lockup", "hard-lockup", "rcu-stall", "hung-task",
        "lockdep", "memory-leak",
    ],  # fmt: skip
}

# Values that nothing can be offered for, though they are not numbers or texts by their name.
FREE = {"cpu-features", "dump", "net"}

FILES = {"FILE", "F", "PAGE"}
DIRECTORIES = {"DIR"}
# A word of which some flags know a fixed few, and not a number, a size, a time or a text.
CHOICES = {"HOW", "WHAT", "LIST", "WHERE", "FORMAT"}


def check(flags: list[Flag]) -> None:
    """Raises where a flag with a choice has no words here, or a word here does not stand in the flag's help."""
    for flag in flags:
        words = WORDS.get(flag.name) or LISTS.get(flag.name)
        choice = flag.value in CHOICES or "|" in flag.value
        if choice and not words and flag.name not in FREE:
            raise ValueError(f"{flag.spelled}: no words in ci/packages/values.py")
        for word in words or []:
            if not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", f"{flag.value} {flag.text}"):
                raise ValueError(f"--{flag.name}: its help does not have the word {word}")


def unknown(flags: list[Flag]) -> set[str]:
    """Names in the lists above that are no flags."""
    return (WORDS.keys() | LISTS.keys() | FREE) - {flag.name for flag in flags}
