"""damon export: a record for other tools."""

from __future__ import annotations

import argparse
import os

from ..views import size_text
from .command import Command, CommandError, Progress, show_json


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a record")
    parser.add_argument("--to", required=True, choices=("damo", "parquet"),
                        help="damo: a file that damo's reports read; parquet: a data set, a row for each region and window")
    parser.add_argument("-o", "--output", metavar="PATH",
                        help="the file, or the folder of the data set (default: damon.data, or parquet)")


def _run(options: argparse.Namespace) -> int:
    try:
        from ..records import damo, parquet
        from ..records.loading import load

        progress = Progress("reading: {} windows ")
        found = load(options.file, progress)
        progress.end()
        if options.to == "damo":
            output = options.output or "damon.data"
            hidden = damo.save(found, output)
            facts = {"output": output, "nr_windows": len(found.windows), "bytes": os.path.getsize(output), "left_out_bytes": hidden}
            words = f"{len(found.windows)} windows in {output}; damo report heatmap --input {output} shows them"
            if hidden:
                mean = size_text(hidden // len(found.windows))
                words += f"\nleft out: {mean} a window that could not be looked at; damo would take it for idle"
        else:
            folder = options.output or "parquet"
            paths, rows = parquet.save(found, folder)
            size = sum(os.path.getsize(path) for path in paths)
            facts = {"output": folder, "files": paths, "nr_rows": rows, "bytes": size}
            words = f"{rows} rows in {len(paths)} files of {folder}, {size_text(size)}"
    except ImportError as error:
        missing = str(error.name).partition(".")[0]
        raise CommandError(f"this needs {missing}: pip install {missing}") from error
    except ValueError as error:
        raise CommandError(str(error)) from error
    if options.json:
        show_json(facts)
    else:
        print(words)
    return 0


COMMANDS = (Command("export", "write a record for damo, or as Parquet for data tools", _add_options, _run),)
