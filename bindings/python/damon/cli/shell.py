"""damon completion and damon manual: for the shell and for man, made from the options that there are."""

from __future__ import annotations

import argparse
import importlib
from typing import Any

from .command import Command, CommandError


def _needed(module: str, distribution: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise CommandError(f"this needs {distribution}: pip install {distribution}") from error


def _add_completion(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"), help="whose language the text is in")


def _completion(options: argparse.Namespace) -> int:
    shtab = _needed("shtab", "shtab")
    from . import parser

    print(shtab.complete(parser(), shell=options.shell))
    return 0


def _manual(options: argparse.Namespace) -> int:
    manpage = _needed("argparse_manpage.manpage", "argparse-manpage")
    from . import parser

    top = parser()
    top.man_short_description = "which memory of a program is hot, and which is idle"  # type: ignore[attr-defined]
    print(manpage.Manpage(top))
    return 0


COMMANDS = (
    Command("completion", "print what a shell needs to complete this command", _add_completion, _completion, has_json=False,
            epilog="bash: damon completion bash > ~/.local/share/bash-completion/completions/damon\n"
                   "zsh:  damon completion zsh > a folder of $fpath, as _damon"),
    Command("manual", "print the manual page", lambda parser: None, _manual, has_json=False,
            epilog="damon manual > ~/.local/share/man/man1/damon.1"),
)
