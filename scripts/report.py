"""Adds up the results that the parts of `./dev test` left: tells every skip with its reason, then what passed only in
a second run, then every failure, then what the tier leaves out, then one line 'N passed, N failed, N skipped'. A skip
that tests/skips.txt does not declare counts as a failure.

A part runs what failed once more, alone: many tests are about time, and a machine that was busy with something else says
nothing. Results of second runs lie in the folder again/, under the names of the first ones."""

import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

SKIPS = pathlib.Path(__file__).resolve().parents[1] / "tests" / "skips.txt"
SKIP = re.compile(r"SKIP ([a-z0-9-]+): ([^\n]*)")


def declared(text):
    return {line.split(": ")[0]: line.split(": ", 1)[1] for line in text.splitlines() if re.match(r"[a-z0-9-]+: ", line)}


def outcome(case, reasons):
    """('passed' | 'failed' | 'skipped', what to say) of one <testcase>, as ctest or pytest writes it."""
    failure = case.find("failure") if case.find("failure") is not None else case.find("error")
    if failure is not None or case.get("status") == "fail":
        said = (failure.get("message") or "") if failure is not None else ""
        return "failed", said.strip().replace("\n", "\n      ")
    skipped = case.find("skipped")
    if skipped is None and case.get("status") not in ("notrun", "disabled"):
        return "passed", ""
    text = "\n".join([skipped.get("message") or "" if skipped is not None else "", *case.itertext()])
    said = SKIP.search(text)
    if said is None:
        return "failed", "did not run, and declared no skip"
    if said.group(1) not in reasons:
        return "failed", f"skipped for '{said.group(1)}', which tests/skips.txt does not declare"
    return "skipped", f"{said.group(1)}: {said.group(2)}"


def read_results(folder, reasons):
    """[(part, test, outcome, what to say)]; a test that passed in a second run has what the first one said."""
    second = read_folder(folder / "again", reasons) if (folder / "again").is_dir() else []
    passed_alone = {row[:2] for row in second if row[2] == "passed"}
    return [
        (*row[:2], "passed", row[3] or "failed") if row[2] == "failed" and row[:2] in passed_alone else row
        for row in read_folder(folder, reasons)
    ]


def read_folder(folder, reasons):
    rows = []
    for path in sorted(folder.glob("*.xml")):
        for case in ElementTree.parse(path).iter("testcase"):
            suite = case.get("classname") or ""
            test = case.get("name").split("  # GetParam()")[0]
            name = test if suite in ("", case.get("name")) else f"{suite}.{test}"
            rows.append((path.stem, name, *outcome(case, reasons)))
    for path in sorted(folder.glob("*.txt")):
        if path.name == "parts.txt":
            continue
        for line in path.read_text().splitlines():  # "passed name", "failed name", "skipped name SKIP id: seen"
            kind, name, *rest = line.split(" ", 2)
            said = SKIP.search(rest[0]) if rest else None
            if kind == "skipped" and (said is None or said.group(1) not in reasons):
                kind = "failed"
            rows.append((path.stem, name, kind, rest[0] if rest and kind != "passed" else ""))
    return rows


def add_parts(folder, rows):
    """A part that failed without a failed test (a build, say) is a failure of its own, one without tests a pass."""
    lines = []
    for line in (folder / "parts.txt").read_text().splitlines():
        part, status, seconds = line.split()
        lines.append(f"{part}: {seconds} s" + ("" if status == "0" else f", exit status {status}"))
        own = [row for row in rows if row[0] == part or row[0].startswith(part + "-")]
        if status != "0" and not any(row[2] == "failed" for row in own):
            rows.append((part, "the part itself", "failed", f"exit status {status}"))
        elif not own:
            rows.append((part, "the part itself", "passed", ""))
    return lines


def tell(title, rows):
    """One paragraph for each thing that was said, with the tests that said it."""
    by_text = {}
    for part, name, _, text in rows:
        by_text.setdefault(text, []).append(f"{part} {name}")
    for text, names in by_text.items():
        print(f"\n{title}: {text}")
        print("\n".join(f"  {name}" for name in names))


def left_out(folder):
    """One line on the parts that the tier does not have."""
    listed = folder / "left-out"
    names = listed.read_text().split() if listed.exists() else []
    return f"\nleft out, part of ./dev test full: {', '.join(names)}" if names else ""


def main():
    folder = pathlib.Path(sys.argv[1])
    rows = read_results(folder, declared(SKIPS.read_text()))
    print("\n" + "\n".join(add_parts(folder, rows)))
    tell("skipped", [row for row in rows if row[2] == "skipped"])
    tell("PASSED ONLY WHEN RUN AGAIN, ALONE", [row for row in rows if row[2] == "passed" and row[3]])
    tell("FAILED", [row for row in rows if row[2] == "failed"])
    print(left_out(folder))
    count = {kind: sum(row[2] == kind for row in rows) for kind in ("passed", "failed", "skipped")}
    print(f"\n{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    sys.exit(1 if count["failed"] or not count["passed"] else 0)


if __name__ == "__main__":
    main()
