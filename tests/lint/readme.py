"""The program in README.md compiles without a warning as C99, links with libdamon alone, runs, and says something."""

import pathlib
import re
import subprocess
import sys
import tempfile

import repo


def program(text):
    return re.search(r"^```c\n(.*?)^```$", text, flags=re.M | re.S).group(1)


def main():
    library = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        source, binary = pathlib.Path(folder, "first.c"), pathlib.Path(folder, "first")
        source.write_text(program((repo.ROOT / "README.md").read_text()))
        command = ["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", f"-I{repo.ROOT}/include", source, "-o", binary]
        built = subprocess.run([*command, library, f"-Wl,-rpath,{library.parent}"], capture_output=True, text=True)
        if built.returncode:
            repo.finish([built.stderr], 1)
        ran = subprocess.run([binary], capture_output=True, text=True, timeout=120)
    print(ran.stdout)
    lines = re.findall(r"MiB, accessed in +\d+ of 20 samples", ran.stdout)
    repo.finish([f"exit status {ran.returncode}: {ran.stderr}"] if ran.returncode else [], len(lines))


if __name__ == "__main__":
    main()
