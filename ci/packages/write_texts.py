#!/usr/bin/env python3
"""Writes man pages and completions of the given programs into a folder that is laid out like /usr/share.

usage: write_texts.py VMM VMCORE VERSION EPOCH FOLDER"""

import sys
from pathlib import Path

import bash_completion
import man_page
import program_help
import values
import zsh_completion

MAN = Path(__file__).resolve().parents[2] / "docs" / "man"


def main() -> None:
    vmm_program, vmcore_program, version, epoch, folder = sys.argv[1:]
    groups = program_help.vmm(vmm_program)
    commands = program_help.vmcore(vmcore_program)
    flags = [flag for part in [*groups, *commands] for flag in part.flags]
    values.check(flags)
    if unknown := values.unknown(flags):
        sys.exit(f"ci/packages/values.py has words for flags that there are not: {', '.join(sorted(unknown))}")
    texts = {
        "man/man1/vmm.1": man_page.page(MAN / "vmm.1.in", man_page.flags_of_vmm(groups), version, int(epoch)),
        "man/man1/vmcore.1": man_page.page(MAN / "vmcore.1.in", man_page.commands_of_vmcore(commands), version, int(epoch)),
        "bash-completion/completions/vmm": bash_completion.vmm(groups),
        "bash-completion/completions/vmcore": bash_completion.vmcore(commands),
        "zsh/vendor-completions/_vmm": zsh_completion.vmm(groups),
        "zsh/vendor-completions/_vmcore": zsh_completion.vmcore(commands),
    }
    for name, text in texts.items():
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


main()
