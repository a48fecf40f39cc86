"""Pages of the Python package: its public names by subject, documented by Sphinx's autodoc where it is installed."""

import enum
import inspect

HEAD = (
    "# The Python package\n\n"
    "The [guide](python-guide.md) shows each part in a small program; here is every class and function of `import damon`, by "
    "subject. [](terms.md) has the names in C and Rust.\n\n"
)
NOT_BUILT = HEAD + "The package is not installed where this page was made, so that it could not be documented.\n"

# (page, title, modules of the package); a name of another module comes under the first.
SUBJECTS = (
    ("py-watching", "Watching", ("", "context", "watching", "waiting", "visibility", "arrays")),
    ("py-parameters", "Parameters", ("params", "policies", "options")),
    ("py-results", "Snapshots and memory", ("_core",)),
    ("py-operations", "Custom operations", ("operations",)),
    ("py-recordings", "Recordings", ("record", "records.recorder", "profiling", "live")),
    ("py-errors", "Errors", ("errors",)),
    ("py-enums", "Constants", ("enums",)),
)


def subject_of(thing):
    module = getattr(thing, "__module__", "damon").partition("damon")[2].lstrip(".")
    return next((page for page, _, modules in SUBJECTS if module in modules), SUBJECTS[0][0])


def directive_of(name, thing):
    if not inspect.isclass(thing):
        return f".. autofunction:: {name}\n" if callable(thing) else ""
    options = ":members:\n   :undoc-members:" if issubclass(thing, enum.Enum) else ":members:"
    if name == "damon.Context":
        options += "\n   :inherited-members:"
    return f".. autoclass:: {name}\n   {options}\n"


def page_of(title, names):
    body = "\n".join(filter(None, (directive_of(name, thing) for name, thing in names)))
    return f"# {title}\n\n```{{eval-rst}}\n.. py:currentmodule:: damon\n\n{body}```\n"


def pages():
    """{file name: text}"""
    try:
        import damon
        import damon.sim
    except ImportError:
        return {"python.md": NOT_BUILT}
    found = {page: [] for page, _, _ in SUBJECTS}
    for name in damon.__all__:
        thing = getattr(damon, name)
        if not inspect.ismodule(thing):
            found[subject_of(thing)].append((f"damon.{name}", thing))
    made = {f"{page}.md": page_of(title, found[page]) for page, title, _ in SUBJECTS}
    simulated = [
        (f"damon.sim.{name}", thing)
        for name, thing in vars(damon.sim).items()
        if inspect.isclass(thing) and thing.__module__ == "damon.sim" and not name.startswith("_")
    ]
    made["py-sim.md"] = page_of("Simulation", simulated)
    subjects = [(page, title) for page, title, _ in SUBJECTS] + [("py-sim", "Simulation")]
    rows = "".join(
        f"| [{title}]({page}.md) | {', '.join(f'`{n.rpartition(chr(46))[2]}`' for n, _ in (found.get(page) or simulated))} |\n"
        for page, title in subjects
    )
    tree = "\n".join(page for page, _ in subjects)
    made["python.md"] = HEAD + f"| | |\n| --- | --- |\n{rows}\n```{{toctree}}\n:hidden:\n\n{tree}\n```\n"
    return made
