"""Rules of docs/damon-semantics.md can be linked to by their numbers, and are listed with their differences from Linux."""

import re

RULE = re.compile(r"^(- )?\*\*([A-Z]-\d+[a-z]?)\*\* ", re.M)
QUIRK = re.compile(r"^\| ((?:Q-\d+(?:, )?)+) \| (.*?) \| (.*?) \|$", re.M)
MENTION = re.compile(r"\b([COMLASPRKIQN]-\d+)\b")


def anchor(number):
    return number.lower()


def with_anchors(text):
    """The page, with a target at each rule and each row of the table of quirks."""
    text = RULE.sub(lambda m: f'{m.group(1) or ""}<span id="{anchor(m.group(2))}"></span>**{m.group(2)}** ', text)

    def row(match):
        marks = "".join(f'<span id="{anchor(number)}"></span>' for number in match.group(1).split(", "))
        return f"| {marks}{match.group(1)} | {match.group(2)} | {match.group(3)} |"

    return QUIRK.sub(row, text)


def rules_of(text):
    """[(section, number, first sentence)] in the order of the page."""
    found, section = [], ""
    for line in text.splitlines():
        heading = re.match(r"#+ (\d[\d.]*\.? .*)", line)
        if heading:
            section = heading.group(1)
        rule = RULE.match(line)
        if rule:
            found.append((section, rule.group(2), line[rule.end() :]))
    return found


def linked(text):
    return MENTION.sub(lambda m: f"[{m.group(1)}](place:damon-semantics.html#{anchor(m.group(1))})", text)


def index_page(text):
    """Each rule by number; for those that the library changes, how."""
    fixes = {}
    quirks = QUIRK.findall(text)
    for numbers, behaviour, advice in quirks:
        for rule in MENTION.findall(behaviour + " " + advice):
            if not rule.startswith("Q"):
                fixes.setdefault(rule, []).append(numbers)
    reproduced = sum(advice.startswith("reproduce") for _, _, advice in quirks)
    rules = rules_of(text)
    lines = [
        "# Rules, and what is different from Linux",
        "",
        "Behaviour is written down as numbered rules in [](damon-semantics.md), after what DAMON of Linux 7.3 does; tests and",
        "code cite the numbers. Where the library deliberately differs, a row here says so: "
        f"{len(rules)} rules, {len(quirks)} known quirks of Linux, of which {reproduced} are reproduced.",
        "",
        "## Differences",
        "",
        "| | Linux | here |",
        "| --- | --- | --- |",
    ]
    for numbers, behaviour, advice in quirks:
        if not advice.startswith("reproduce"):
            lines.append(f"| {linked(numbers)} | {linked(behaviour)} | {linked(advice)} |")
    lines += ["", "## Reproduced on purpose", "", "| | Linux, and here | why |", "| --- | --- | --- |"]
    for numbers, behaviour, advice in quirks:
        if advice.startswith("reproduce"):
            lines.append(f"| {linked(numbers)} | {linked(behaviour)} | {linked(advice)} |")
    lines += ["", "## All rules", "", "| rule | section | changed by |", "| --- | --- | --- |"]
    for section, number, _ in rules:
        changed = ", ".join(linked(q) for q in fixes.get(number, []))
        lines.append(f"| {linked(number)} | {section} | {changed} |")
    return "\n".join(lines) + "\n"
