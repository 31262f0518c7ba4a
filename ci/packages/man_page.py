"""Writes vmm(1) and vmcore(1): the pages of docs/man, with the flags and commands of --help in place of one line."""

import itertools
import re
import time
from pathlib import Path

from program_help import Command, Flag, Group

FLAGS_LINE = '.\\" @FLAGS@\n'


def roff(text: str) -> str:
    """Text as roff prints it: a backslash and a dash as they are, no line that reads as a request."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return "\n".join("\\&" + line if line.startswith((".", "\\(aq")) else line for line in text.split("\n"))


def flag_item(flag: Flag) -> str:
    name = f"\\fB\\-\\-{roff(flag.name)}\\fR"
    value = re.sub(r"[A-Za-z]+", lambda word: f"\\fI{word[0]}\\fR" if word[0].isupper() else word[0], flag.value)
    if flag.optional:
        name += f"[=\\,{value}]"
    elif flag.value:
        name += f"=\\,{value}"
    if flag.name == "output":
        name += ", \\fB\\-o\\fR \\fI" + flag.value + "\\fR"
    return f".TP\n{name}\n{roff(flag.text)}\n"


def flags_of_vmm(groups: list[Group]) -> str:
    return "".join(f'.SS "{roff(group.title)}"\n' + "".join(flag_item(flag) for flag in group.flags) for group in groups)


def prose(paragraph: str) -> str:
    """A paragraph of the help, in which indented lines are a table: that keeps its lines."""
    text = ""
    for indented, lines in itertools.groupby(paragraph.split("\n"), lambda line: line.startswith("  ")):
        block = roff("\n".join(lines))
        text += f".nf\n{block}\n.fi\n" if indented else f"{block}\n"
    return text


def commands_of_vmcore(commands: list[Command]) -> str:
    text = ""
    for command in commands:
        operands = re.sub(r"[A-Z]+", lambda word: f"\\fI{word[0]}\\fR", command.operands)
        text += f'.SS "{command.name} \\fR{operands}"\n{roff(command.summary[0].upper() + command.summary[1:])}.\n'
        for paragraph in filter(None, command.details.split("\n\n")):
            text += ".PP\n" + prose(paragraph)
        text += "".join(flag_item(flag) for flag in command.flags)
    return text


def page(source: Path, flags: str, version: str, epoch: int) -> str:
    """The page `source` with its version, the day of `epoch` (UTC) and `flags` filled in."""
    text = source.read_text(encoding="utf-8")
    if text.count(FLAGS_LINE) != 1:
        raise ValueError(f"{source}: must have one line {FLAGS_LINE!r}")
    day = time.strftime("%Y-%m-%d", time.gmtime(epoch))
    return text.replace(FLAGS_LINE, flags).replace("@VERSION@", version).replace("@DATE@", day)
