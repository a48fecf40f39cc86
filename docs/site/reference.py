"""Pages of the C interface: one for each group of include/damon_c.h, from Doxygen's XML."""

import re
import shutil
import xml.etree.ElementTree as ET

# In the order in which a reader meets them. A group that is not here comes last.
ORDER = (
    "contexts targets ranges running control results queries saved schemes presets probes access_checks custom_operations "
    "simulator version"
).split()

SECTIONS = (
    ("typedef", "Types", "doxygentypedef"),
    ("function", "Functions", "doxygenfunction"),
    ("struct", "Structures", "doxygenstruct"),
    ("enum", "Constants", "doxygenenum"),
    ("define", "Macros", "doxygendefine"),
)
MEMBER = re.compile(r'<memberdef kind="function".*?</memberdef>', re.S)
PAGE = (
    '<doxygen version="1.9.4"><compounddef id="{name}" kind="page"><compoundname>{name}</compoundname><title></title>'
    "<briefdescription></briefdescription>{text}<location file=\"damon_c.h\"/></compounddef></doxygen>"
)
SINCE = re.compile(r'<simplesect kind="since"><para>([^<]*)</para>\s*</simplesect>')
END = re.compile(r"\s*</detaileddescription>")
FIRST_RELEASE = "0.1"  # of what does not say otherwise, as the header's main page has it
THREAD = re.compile(r"\s*Thread: ((?:(?!</para>).)*)</para>", re.S)


def groups_of(folder):
    """(name, title, one sentence, things) of each group, in reading order."""
    found = {}
    for path in sorted(folder.glob("group__*.xml")):
        group = ET.parse(path).getroot().find("compounddef")
        text = " ".join("".join(group.find("detaileddescription").itertext()).split())
        brief = " ".join("".join(group.find("briefdescription").itertext()).split())
        sentence = (brief or text).split(". ")[0].rstrip(".") + "."
        found[group.findtext("compoundname")] = (group.findtext("title"), sentence, things_in(group))
    if not found:
        raise SystemExit(f"{folder} has no groups: run doxygen docs/Doxyfile before")
    names = [name for name in ORDER if name in found] + sorted(set(found) - set(ORDER))
    return [(name, *found[name]) for name in names]


def things_in(group):
    """{kind: names in the order of the header}"""
    things = {"struct": [inner.text for inner in group.iter("innerclass")]}
    for member in group.iter("memberdef"):
        things.setdefault(member.get("kind"), []).append(member.findtext("name"))
    return things


def nested_members(header):
    """{(structure, member): 'inner.member'} of structures inside of structures, which Doxygen makes flat."""
    found = {}
    for structure, body in re.findall(r"^struct (\w+) \{(.*?)^\};", header, re.M | re.S):
        for inside, inner in re.findall(r"^    struct \{(.*?)^    \} (\w+);", body, re.M | re.S):
            for member in re.findall(r"^        \w[^;/]*?\b(\w+);", inside, re.M):
                found[structure, member] = f"{inner}.{member}"
    return found


def with_nested_names(text, structure, nested):
    for (parent, member), name in nested.items():
        if parent == structure:
            for before, after in ((">", "</name>"), ("::", "</qualifiedname>"), ("::", "</definition>")):
                text = text.replace(f"{before}{member}{after}", f"{before}{name}{after}")
    return text


def polished(folder, target, header):
    """A copy of the XML in which each function's thread and release are one line of their own, members of inner structures
    have the inner one's name in front, and each group's description is a page of Doxygen's as well: its members are on
    our page one by one, in sections."""
    nested = nested_members(header)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for path in folder.glob("*.xml"):
        text = MEMBER.sub(lambda m: with_thread_line(m.group()), path.read_text())
        if path.name.startswith("struct"):
            structure = ET.fromstring(text).find("compounddef").findtext("compoundname")
            text = with_nested_names(text, structure, nested)
        (target / path.name).write_text(text)
    index, pages = (target / "index.xml").read_text(), ""
    for path in folder.glob("group__*.xml"):
        group = ET.parse(path).getroot().find("compounddef")
        name = description_of(group.findtext("compoundname"))
        description = group.find("detaileddescription")
        description[:0] = list(group.find("briefdescription"))
        text = ET.tostring(description, encoding="unicode")
        (target / f"{name}.xml").write_text(PAGE.format(name=name, text=text))
        pages += f'<compound refid="{name}" kind="page"><name>{name}</name></compound>'
    (target / "index.xml").write_text(index.replace("</doxygenindex>", f"{pages}</doxygenindex>"))


def description_of(group):
    return f"description_of_{group}"


def with_thread_line(member):
    since = SINCE.search(member)
    thread = THREAD.search(member)
    words = f"Thread: {' '.join(thread.group(1).split()).rstrip('.')}. " if thread else ""
    line = f"<emphasis>{words}Since {since.group(1).strip() if since else FIRST_RELEASE}.</emphasis>"
    if thread:
        member = THREAD.sub("</para>", member, count=1)
    if since:
        return SINCE.sub(lambda _: line, member, count=1)
    return END.sub(lambda found: f"<para>{line}</para>{found.group()}", member, count=1)


def page_name(group):
    return f"c-{group.replace('_', '-')}"


def group_page(name, title, things):
    parts = [f"# {title}\n\n```{{doxygenpage}} {description_of(name)}\n:content-only:\n```\n"]
    for kind, heading, directive in SECTIONS:
        if things.get(kind):
            parts.append(f"## {heading}\n")
            members = ":members:\n" if kind == "struct" else ""
            parts += [f"```{{{directive}}} {thing}\n{members}```\n" for thing in things[kind]]
    return "\n".join(parts)


def pages_of(folder):
    """{file name: text} of the reference's pages."""
    groups = groups_of(folder)
    pages = {}
    for name, title, _, things in groups:
        pages[page_name(name) + ".md"] = group_page(name, title, things)
    table = "".join(f"| [{title}]({page_name(name)}.md) | {sentence} |\n" for name, title, sentence, _ in groups)
    tree = "\n".join(page_name(group[0]) for group in groups)
    pages["reference.md"] = (
        "# The C interface\n\n"
        "`include/damon_c.h` is the only public header. Everything in it, by subject; in the words of the header.\n\n"
        f"| | |\n| --- | --- |\n{table}\n```{{toctree}}\n:hidden:\n\n{tree}\n```\n\n"
        "```{doxygenpage} index\n:content-only:\n```\n"
    )
    return pages
