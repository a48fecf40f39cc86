"""How Sphinx makes the site of docs/: run by `./dev docs`, from the top of the repository."""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "docs"

project = "libdamon"
author = "the libdamon authors"
copyright = "the libdamon authors, MIT license"  # noqa: A001  (Sphinx's name)
_header = (ROOT / "include" / "damon_c.h").read_text()
release = ".".join(
    line.split()[2] for line in _header.splitlines() if line.startswith("#define DAMON_VERSION_")
)

extensions = [
    "myst_parser",
    "breathe",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
    "site_parts",  # the files beside this one
    "site_docstrings",
]
try:
    import damon  # noqa: F401  (documented where it is installed)
except ImportError:
    tags.add("no_python")  # noqa: F821  (Sphinx's)
root_doc = "index"
exclude_patterns = ["extra"]
html_extra_path = [str(BUILD / "source" / "extra")]
nitpicky = False
suppress_warnings = ["misc.highlighting_failure"]
myst_enable_extensions = ["colon_fence", "deflist", "attrs_inline"]
myst_heading_anchors = 4
# What is no page of Sphinx's: rustdoc and copied files ("site:"), and places that pages mark themselves ("place:").
myst_url_schemes = {
    "http": None,
    "https": None,
    "mailto": None,
    "site": {"url": "{{path}}"},
    "place": {"url": "{{path}}#{{fragment}}", "classes": ["place"]},
}
highlight_language = "none"
smartquotes = False

breathe_projects = {"damon": str(BUILD / "xml")}
breathe_default_project = "damon"
breathe_domain_by_extension = {"h": "c"}
breathe_default_members = ("members",)
breathe_show_include = False
breathe_order_parameters_first = True

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_class_signature = "mixed"
autodoc_preserve_defaults = True

html_theme = "furo"
html_title = f"libdamon {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}
pygments_style = "friendly"
pygments_dark_style = "monokai"
