"""Adds the functions of damon_c.h that no node of damon.map has yet to its last node: run it after adding one."""

import library
import symbols


def with_new_names(script, declared):
    nodes = symbols.version_script(script)
    new = declared - set().union(*nodes.values())
    last = list(nodes)[-1]
    listed = "\n".join(f"        {name};" for name in sorted(nodes[last] & declared | new))
    start = script.index("global:", script.index(last)) + len("global:")
    end = script.index("    local:", start)
    return f"{script[:start]}\n{listed}\n{script[end:]}"


if __name__ == "__main__":
    declared_now = symbols.declared_functions(library.HEADER.read_text())
    library.MAP.write_text(with_new_names(library.MAP.read_text(), declared_now))
