"""Sphinx extension: `drawn`, a figure that exists for light and for dark pages.

    ```{drawn} regions
    What the picture shows, in words.
    ```
"""

import pathlib

from docutils import nodes
from docutils.parsers.rst import Directive


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


def setup(app):
    app.add_directive("drawn", Drawn)
    return {"parallel_read_safe": True}
