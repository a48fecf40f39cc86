"""Doxygen's input filter: the header says once what an undescribed parameter `ctx` is, Doxygen wants it at each function."""

import pathlib
import re
import sys

FUNCTION = re.compile(r"/\*\*((?:(?!\*/).)*)\*/(\s*(?:DAMON_API|typedef) [^;{]*?\(([^;{]*)\);)", re.S)
CONTEXT = "@param ctx The context. "


def described(function: re.Match[str]) -> str:
    text, declaration, parameters = function.groups()
    if re.search(r"\bctx\b", parameters) and "@param ctx " not in text:
        at = re.search(r"@param|@return", text)
        text = text[: at.start()] + CONTEXT + text[at.start() :] if at else text.rstrip() + f" {CONTEXT}"
    return f"/**{text}*/{declaration}"


sys.stdout.write(FUNCTION.sub(described, pathlib.Path(sys.argv[1]).read_text()))
