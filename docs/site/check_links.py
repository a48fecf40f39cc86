"""check_links.py FOLDER: every link inside of the site leads to a file, and to a place in it that exists."""

import html.parser
import pathlib
import sys
import urllib.parse

# Rustdoc checks its own links when it is made; only that links to its pages arrive is checked here.
NOT_READ = {"rust", "_static", "files"}


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.links, self.names = [], set()

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name == "id" or (tag == "a" and name == "name"):
                self.names.add(value)
            elif name in ("href", "src") and value:
                self.links.append(value)


def read(path):
    page = Page()
    page.feed(path.read_text(errors="replace"))
    return page


def problems_of(folder):
    """(what is wrong, how many links were looked at)"""
    folder = pathlib.Path(folder).resolve()
    pages, problems, looked_at = {}, [], 0
    for path in sorted(folder.rglob("*.html")):
        if path.relative_to(folder).parts[0] not in NOT_READ:
            pages[path] = read(path)
    for path, page in list(pages.items()):
        for link in page.links:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            looked_at += 1
            target = (path.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            if not target.exists():
                problems.append(f"{path.relative_to(folder)}: {link}: there is no such file")
            elif parts.fragment and target in pages and urllib.parse.unquote(parts.fragment) not in pages[target].names:
                problems.append(f"{path.relative_to(folder)}: {link}: there is no such place in that page")
    return problems, looked_at


def report(folder):
    problems, looked_at = problems_of(folder)
    for problem in problems:
        print(problem)
    print(f"{looked_at} links inside of the site, {len(problems)} of them broken")
    return 1 if problems or looked_at == 0 else 0


if __name__ == "__main__":
    sys.exit(report(sys.argv[1]))
