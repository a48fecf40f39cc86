"""Sphinx extension: docstrings of the Python package are plain sentences with indented examples; makes them reStructuredText."""

import re


def as_literal_blocks(lines):
    """Indented lines become literal blocks; `names` stay as they are, and nothing else is markup."""
    made, in_block = [], False
    for line in lines:
        indented = line.startswith("    ") and line.strip() != ""
        if indented and not in_block:
            if made and made[-1].strip():
                made.append("")
            made += ["::", ""]
        elif in_block and not indented and line.strip():
            made.append("")
        if line.strip():
            in_block = indented
        made.append(line if indented else re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", line))
    return made


def on_docstring(app, what, name, obj, options, lines):
    lines[:] = [] if lines and lines[0].startswith("Alias for field number") else as_literal_blocks(lines)


def setup(app):
    app.connect("autodoc-process-docstring", on_docstring)
    return {"parallel_read_safe": True}
