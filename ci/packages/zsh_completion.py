"""Writes the zsh completion of vmm and vmcore: a table for _arguments."""

import values
from program_help import Command, Flag, Group


def quoted(text: str) -> str:
    """Inside single quotes of the shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def in_spec(text: str) -> str:
    """Inside an _arguments spec, where brackets and colons have a meaning."""
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")


def action(flag: Flag) -> str:
    if flag.name in values.WORDS:
        return f"({' '.join(values.WORDS[flag.name])})"
    if flag.name in values.LISTS:
        return f"_values -s , {flag.value} {' '.join(values.LISTS[flag.name])}"
    if flag.value in values.FILES:
        return "_files"
    if flag.value in values.DIRECTORIES:
        return "_files -/"
    return ""


def spec(flag: Flag) -> str:
    if flag.name == "help":
        return quoted("(- *)--help[" + in_spec(flag.summary) + "]")
    if flag.name == "version":
        return quoted("(- *)--version[" + in_spec(flag.summary) + "]")
    repeat = "*" if "repeatable" in flag.text else ""
    if not flag.value:
        return quoted(f"{repeat}--{flag.name}[{in_spec(flag.summary)}]")
    # "=-": the value stands in the same word, after "="; "::" it may be left out.
    form, colons = ("=-", "::") if flag.optional else ("=", ":")
    return quoted(f"{repeat}--{flag.name}{form}[{in_spec(flag.summary)}]{colons}{in_spec(flag.value)}:{action(flag)}")


def specs(flags: list[Flag], indent: str) -> str:
    lines = [spec(flag) for flag in flags]
    lines += [quoted(f"-o+[{in_spec(flag.summary)}]:{flag.value}:{action(flag)}") for flag in flags if flag.name == "output"]
    return "".join(f" \\\n{indent}{line}" for line in lines)


def vmm(groups: list[Group]) -> str:
    flags = [flag for group in groups for flag in group.flags]
    return f"#compdef vmm\n# zsh completion for vmm, made from its --help.\n\n_arguments -S{specs(flags, '  ')}\n"


def vmcore(commands: list[Command]) -> str:
    listed = "\n".join(f"  {quoted(f'{command.name}:{in_spec(command.summary)}')}" for command in commands)
    branches = "".join(
        f"  {command.name})\n    _arguments{specs(command.flags, '      ')} \\\n      '*:FILE:_files'\n    ;;\n" for command in commands
    )
    return f"""#compdef vmcore
# zsh completion for vmcore, made from its --help.

local -a commands
commands=(
{listed}
)

if ((CURRENT == 2)); then
  _describe -t commands command commands -- '(--help:"the commands" --version:"the version")'
  return
fi

shift words
((CURRENT--))
case $words[1] in
{branches}esac
"""
