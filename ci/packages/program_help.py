"""The flags of vmm and the commands of vmcore, read from their own --help: the one source of man pages and completions."""

import re
import subprocess
from dataclasses import dataclass, field

# A flag, then what it does: "  --boot=HOW    auto, direct or classic [auto]"; "[=TIME]" is a value that may be left out.
FLAG = re.compile(r"^  --(?P<name>[a-z][a-z0-9-]*)(?:(?P<open>\[)?=(?P<value>[^\s\]]+)\]?)?(?:\s+(?P<text>\S.*))?$")
# A further line of the same flag.
MORE = re.compile(r"^ {20,}(?P<text>\S.*)$")
# A line of `vmcore --help`, in columns: "  compare  A B          whether ...".
COMMAND = re.compile(r"^  (?=[a-z]{1,8} +)(?P<name>.{9})(?P<operands>\S.{11}) (?P<summary>\S.*)$")


@dataclass
class Flag:
    name: str  # without its dashes
    value: str  # what stands for its value, "FILE"; empty: it takes none
    optional: bool  # the value may be left out
    text: str  # what it does, in one line

    @property
    def spelled(self) -> str:
        if not self.value:
            return f"--{self.name}"
        return f"--{self.name}[={self.value}]" if self.optional else f"--{self.name}={self.value}"

    @property
    def summary(self) -> str:
        """The text up to its first semicolon or bracket: what a list of completions has room for."""
        return re.split(r"; | \[", self.text)[0].rstrip(":,")


@dataclass
class Group:
    title: str
    flags: list[Flag] = field(default_factory=list)


@dataclass
class Command:
    name: str
    operands: str
    summary: str
    details: str  # paragraphs between the summary and the options, as they stand
    flags: list[Flag]


class HelpError(Exception):
    """A line of --help that is none of the known forms: better no package than one that lacks a flag."""


def parse_flags(lines: list[str]) -> list[Flag]:
    flags = []
    for line in lines:
        if match := FLAG.match(line):
            text = match["text"] or ""
            flags.append(Flag(match["name"], match["value"] or "", bool(match["open"]), text))
        elif (match := MORE.match(line)) and flags:
            # After a default in brackets a new sentence begins.
            joint = "; " if flags[-1].text.endswith("]") else " "
            flags[-1].text = f"{flags[-1].text}{joint}{match['text']}".strip()
        else:
            raise HelpError(f"neither a flag nor the rest of one: {line!r}")
    return flags


def parse_vmm(text: str) -> list[Group]:
    """The groups of `vmm --help`: each a title, and flags up to an empty line. The paragraphs before the first are skipped."""
    groups = []
    for paragraph in text.strip("\n").split("\n\n"):
        title, *lines = paragraph.split("\n")
        if lines and FLAG.match(lines[0]):
            groups.append(Group(title, parse_flags(lines)))
        elif groups:
            raise HelpError(f"no group of flags: {title!r}")
    spelled = {name for name in re.findall(r"^ +--([a-z][a-z0-9-]*)", text, flags=re.M)}
    missing = spelled - {flag.name for group in groups for flag in group.flags}
    if not groups or missing:
        raise HelpError(f"flags that stand in no group: {', '.join(sorted(missing)) or 'all'}")
    return groups


def parse_commands(text: str) -> list[Command]:
    """The commands of `vmcore --help`, without details and flags."""
    commands = []
    for line in text.split("\n"):
        if not line.startswith("  "):
            continue
        match = COMMAND.match(line)
        if not match:
            raise HelpError(f"no command: {line!r}")
        commands.append(Command(match["name"].strip(), match["operands"].strip(), match["summary"], "", []))
    if not commands:
        raise HelpError("no commands")
    return commands


def parse_command(command: Command, text: str) -> Command:
    """Adds what `vmcore COMMAND --help` says: usage, summary, details, flags, with an empty line after each."""
    paragraphs = text.strip("\n").split("\n\n")
    command.flags = parse_flags(paragraphs[-1].split("\n"))
    command.details = "\n\n".join(paragraphs[2:-1])
    return command


def run(program: str, *arguments: str) -> str:
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True, timeout=60).stdout


def vmm(program: str) -> list[Group]:
    return parse_vmm(run(program, "--help"))


def vmcore(program: str) -> list[Command]:
    return [parse_command(command, run(program, command.name, "--help")) for command in parse_commands(run(program, "--help"))]
