"""Writes the bash completion of vmm and vmcore."""

import values
from program_help import Command, Flag, Group

HEADER = """# bash completion for {program}, made from its --help.
# shellcheck shell=bash
"""

# Bash breaks words at "=" if COMP_WORDBREAKS has one, which is so by default; either way is understood.
SPLIT = """
# Sets flag and cur: the flag whose value is completed, or none, and what is typed of the value; prefix goes before
# each reply.
_{program}_split() {{
  local before=''
  cur=${{COMP_WORDS[COMP_CWORD]}} flag='' prefix=''
  ((COMP_CWORD == 0)) || before=${{COMP_WORDS[COMP_CWORD - 1]}}
  if [[ $cur == = ]]; then
    flag=$before cur=''
  elif [[ $before == = ]] && ((COMP_CWORD > 1)); then
    flag=${{COMP_WORDS[COMP_CWORD - 2]}}
  elif [[ $cur == --*=* ]]; then
    flag=${{cur%%=*}} prefix=${{cur%%=*}}= cur=${{cur#*=}}
  elif [[ $before == -* ]]; then
    flag=$before
  fi
}}

# _{program}_offer ARGUMENTS...: takes what `compgen ARGUMENTS` finds for cur.
_{program}_offer() {{
  local reply
  while IFS= read -r reply; do COMPREPLY+=("$prefix$reply"); done < <(compgen "$@" -- "$cur")
}}

# The same with words that a comma may follow.
_{program}_offer_list() {{
  if [[ $cur == *,* ]]; then
    prefix+=${{cur%,*}},
    cur=${{cur##*,}}
  fi
  _{program}_offer -W "$1"
}}

# What follows is a flag: no space after one that takes a value.
_{program}_offer_flags() {{
  _{program}_offer -W "$1"
  if [[ ${{#COMPREPLY[@]}} -eq 1 && ${{COMPREPLY[0]}} == *= ]]; then compopt -o nospace 2>/dev/null; fi
}}

_{program}_offer_files() {{
  compopt -o filenames 2>/dev/null
  _{program}_offer "$1"
}}
"""


def spelled(flag: Flag) -> str:
    return f"--{flag.name}=" if flag.value and not flag.optional else f"--{flag.name}"


def action(program: str, flag: Flag) -> str:
    if flag.name in values.WORDS:
        return f"_{program}_offer -W '{' '.join(values.WORDS[flag.name])}'"
    if flag.name in values.LISTS:
        return f"_{program}_offer_list '{' '.join(values.LISTS[flag.name])}'"
    if flag.value in values.FILES:
        return f"_{program}_offer_files -f"
    if flag.value in values.DIRECTORIES:
        return f"_{program}_offer_files -d"
    return ":"


def cases(program: str, flags: list[Flag], indent: str) -> str:
    """The cases of `case $flag in` for flags with a value. One whose value may be left out has it only after "=",
    so that a word after it is the next flag."""
    text = ""
    for flag in (flag for flag in flags if flag.value and not flag.optional):
        pattern = f"--{flag.name} | -o" if flag.name == "output" else f"--{flag.name}"
        text += f"{indent}{pattern})\n{indent}  {action(program, flag)}\n{indent}  return\n{indent}  ;;\n"
    for flag in (flag for flag in flags if flag.optional):
        text += f"{indent}--{flag.name})\n"
        text += f"{indent}  if [[ ${{COMP_WORDS[*]:COMP_CWORD-1:2}} == *=* ]]; then\n"
        text += f"{indent}    {action(program, flag)}\n{indent}    return\n{indent}  fi\n{indent}  ;;\n"
    return text


def vmm(groups: list[Group]) -> str:
    flags = [flag for group in groups for flag in group.flags]
    words = "\n".join(f"    {spelled(flag)}" for flag in flags)
    return (
        HEADER.format(program="vmm")
        + SPLIT.format(program="vmm")
        + f"""
_vmm() {{
  local cur flag prefix
  COMPREPLY=()
  _vmm_split
  case $flag in
{cases("vmm", flags, "    ")}  esac
  _vmm_offer_flags '
{words}
  '
}}

complete -F _vmm vmm
"""
    )


def vmcore(commands: list[Command]) -> str:
    names = " ".join(command.name for command in commands)
    branches = ""
    for command in commands:
        words = " ".join(spelled(flag) for flag in command.flags)
        branches += f"    {command.name})\n      flags='{words}'\n"
        if takes := cases("vmcore", command.flags, "        "):
            branches += f"      case $flag in\n{takes}      esac\n"
        branches += "      ;;\n"
    return (
        HEADER.format(program="vmcore")
        + SPLIT.format(program="vmcore")
        + f"""
_vmcore() {{
  local cur flag prefix flags=''
  COMPREPLY=()
  _vmcore_split
  if ((COMP_CWORD == 1)); then
    _vmcore_offer -W '{names} --help --version'
    return
  fi
  case ${{COMP_WORDS[1]}} in
{branches}  esac
  if [[ $cur == -* ]]; then
    _vmcore_offer_flags "$flags"
  else
    _vmcore_offer_files -f
  fi
}}

complete -F _vmcore vmcore
"""
    )
