"""docs/terms.md has every function of damon_c.h, and each name in it is one of the header's, of Python's or of Rust's."""

import ast
import re

import repo

PAGE = repo.ROOT / "docs" / "terms.md"
HEADER = repo.ROOT / "include" / "damon_c.h"
PYTHON = repo.ROOT / "bindings" / "python" / "damon"
RUST = repo.ROOT / "bindings" / "rust" / "libdamon" / "src"
ROW = re.compile(r"^\| (-|`[^`|]+`) \| (-|`[^`|]+`) \| (-|`[^`|]+`) \|$")


def rows_of(page):
    """(line, C, Python, Rust) of each row; a name is empty where there is none. Lines that are no rows are told."""
    rows, problems = [], []
    for number, line in enumerate(page.splitlines(), 1):
        if not line.startswith("|") or line in ("| C | Python | Rust |", "| --- | --- | --- |"):
            continue
        found = ROW.match(line)
        if found:
            rows.append((number, *("" if name == "-" else name.strip("`") for name in found.groups())))
        else:
            problems.append(f"docs/terms.md:{number}: is no row of three names in backticks, or '-'")
    return rows, problems


def c_names(header):
    """Functions and constants of the header, and members as structure.member."""
    header = re.sub(r"/\*.*?\*/", "", header, flags=re.S)
    functions = set(re.findall(r"^DAMON_API [^(;]*?\b(damo[ns]\w*)\(", header, re.M))
    names = functions | set(re.findall(r"^ +(DAMO[NS]_\w+) = ", header, re.M))
    for structure, body in re.findall(r"^struct (\w+) \{(.*?)^\};", header, re.M | re.S):
        names |= {f"{structure}.{member}" for member in re.findall(r"\b(\w+)(?:\[\w+\])?;", body)}
    return functions, names


def python_names(sources):
    """Names of modules ({module: text}): functions, classes, their members, and those of the classes they inherit from."""
    names, bases = set(), {}
    for module, text in sources.items():
        prefix = f"{module}." if module == "sim" else ""
        for node in ast.parse(text).body:
            names |= {prefix + name for name in _defined(node)}
            if isinstance(node, ast.ClassDef):
                members = {name for inner in node.body for name in _defined(inner)}
                names |= {f"{prefix}{node.name}.{member}" for member in members}
                bases[prefix + node.name] = [base.id for base in node.bases if isinstance(base, ast.Name)]
    for _ in range(len(bases)):  # as often as classes can stand above each other
        for name, parents in bases.items():
            for parent in parents:
                names |= {name + inherited[len(parent):] for inherited in names if inherited.startswith(parent + ".")}
    return names


def _defined(node):
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return []


def rust_names(texts):
    """Public names of the crate: functions, types, Type::method and Type.field."""
    names = set()
    for text in texts:
        names |= set(re.findall(r"^pub (?:const )?fn (\w+)", text, re.M))
        names |= set(re.findall(r"^pub (?:struct|enum|trait) (\w+)", text, re.M))
        for kind, body in re.findall(r"^impl(?:<[^>{]*>)? (?:[\w:]+ for )?(\w+)[^{\n]*\{\n(.*?)^\}", text, re.M | re.S):
            names |= {f"{kind}::{method}" for method in re.findall(r"^    pub (?:const )?fn (\w+)", body, re.M)}
        for kind, body in re.findall(r"^pub struct (\w+)[^{;\n]*\{\n(.*?)^\}", text, re.M | re.S):
            names |= {f"{kind}.{field}" for field in re.findall(r"^    pub (\w+):", body, re.M)}
    return names


def problems_of(page, header, python, rust):
    rows, problems = rows_of(page)
    functions, c = c_names(header)
    listed = {row[1] for row in rows}
    for function in sorted(functions - listed):
        if not function.endswith("_init"):
            problems.append(f"docs/terms.md: has no row for {function}() of damon_c.h")
    known = (("damon_c.h", c), ("the Python package", python_names(python)), ("the Rust crate", rust_names(rust)))
    for number, *names in rows:
        for name, (where, there) in zip(names, known):
            if name and name not in there:
                problems.append(f"docs/terms.md:{number}: {name} is no name of {where}")
    return problems


def main():
    python = {path.stem: path.read_text() for path in sorted(PYTHON.glob("*.py"))}
    python.update((f"records.{path.stem}", path.read_text()) for path in sorted(PYTHON.glob("records/*.py")))
    python["_core"] = (PYTHON / "_core.pyi").read_text()
    rust = [path.read_text() for path in sorted(RUST.glob("*.rs"))]
    repo.finish(problems_of(PAGE.read_text(), HEADER.read_text(), python, rust), 3 + len(python) + len(rust))


if __name__ == "__main__":
    main()
