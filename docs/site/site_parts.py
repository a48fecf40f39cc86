"""Sphinx extension: members of inner structures show whose they are; `drawn`, a figure for light and for dark pages.

    ```{drawn} regions
    What the picture shows, in words.
    ```
"""

import pathlib
import re

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx import addnodes

INNER = re.compile(r"c\.\w+\.(\w+)\.\w+$")


class Drawn(Directive):
    required_arguments = 1
    has_content = True

    def run(self):
        name = self.arguments[0]
        environment = self.state.document.settings.env
        words = " ".join(self.content)
        figure = nodes.figure(classes=["drawn"])
        for theme in ("light", "dark"):
            file = f"figures/{name}-{theme}.svg"
            if not pathlib.Path(environment.srcdir, file).exists():
                figure += nodes.legend("", nodes.paragraph(text=f"(The figure {name} was not drawn where this page was made.)"))
                break
            figure += nodes.image(uri=file, alt=words, classes=[f"only-{theme}"])
        caption = nodes.caption()
        parsed, _ = self.state.inline_text(words, self.lineno)
        caption += parsed
        figure += caption
        return [figure]


def show_inner_structures(app, doctree):
    """Breathe drops the inner structure's name from the line of its member; the structure itself has no name."""
    for line in doctree.findall(addnodes.desc_signature):
        inner = next(filter(None, (INNER.match(place) for place in line["ids"])), None)
        name = line.next_node(addnodes.desc_name)
        if inner and name:
            name.parent.insert(name.parent.index(name), addnodes.desc_addname("", f"{inner.group(1)}."))
    for text in list(doctree.findall(nodes.Text)):
        if text.astext() == "[anonymous]" or text.astext().endswith(".[anonymous]"):
            text.parent.replace(text, nodes.Text("{...}"))


def setup(app):
    app.connect("doctree-read", show_inner_structures)
    app.add_directive("drawn", Drawn)
    return {"parallel_read_safe": True}
