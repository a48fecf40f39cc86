"""Fetches a Debian cloud kernel, its modules and a static busybox without installing them.

The mirror is the one that this machine's own apt uses: the suite alone is replaced, in a private apt root, so that
proxies and credentials of the machine's configuration apply and packages are verified with Debian's archive keys.
"""

import dataclasses
import pathlib
import re
import shutil
import subprocess

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SUITES = ("trixie-backports", "bookworm")


@dataclasses.dataclass(frozen=True)
class Kernel:
    """Debian's packages of a kernel."""

    image: str  # what the name of the image's package looks like
    modules: str | None  # the modules' package, {} is the release; None: they are in the image's
    machine: str = "x86_64"  # what programs are built for


ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}  # Debian's names
KERNELS = {
    "current": Kernel(r"linux-binary-unsigned-([0-9][^ ]*)-cloud-amd64", "linux-modules-{}-cloud-amd64"),
    "6.1": Kernel(r"linux-image-(6\.1\.[^ ]*)-cloud-amd64-unsigned", None),
    "arm64": Kernel(r"linux-binary-unsigned-([0-9][^ ]*)-cloud-arm64", "linux-modules-{}-cloud-arm64", "aarch64"),
    "arm64-16k": Kernel(r"linux-binary-unsigned-([0-9][^ ]*)-arm64-16k", "linux-modules-{}-arm64-16k", "aarch64"),
}


def for_machine(machine):
    """Names of the kernels that run programs for `machine`."""
    return [name for name, kernel in KERNELS.items() if kernel.machine == machine]


class Unavailable(Exception):
    """This machine cannot get the kernel; the text says why."""


def run(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, **more)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no output"]
        raise Unavailable(f"{pathlib.Path(command[0]).name} failed: {re.sub('[a-z]+://[^ ]+', 'the mirror', last[0])}")
    return done.stdout


def debian_mirror():
    """Where this machine gets Debian's main archive from."""
    if not shutil.which("apt-get"):
        raise Unavailable("no apt-get")
    said = run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN) $(RELEASE)", "Created-By: Packages"])
    for line in said.splitlines():
        uri, _, release = line.split(" ", 2)
        if uri.rstrip("/").endswith("/debian") and "security" not in release:
            return uri
    raise Unavailable("this machine's apt has no Debian archive configured")


class Apt:
    """A private apt root below `folder` for SUITES and Debian's `architecture`."""

    def __init__(self, folder, architecture):
        self.folder = folder / f"apt-{architecture}"
        self.debs = self.folder / "debs"
        for part in ("lists/partial", "cache/archives/partial", "state", "debs"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        (self.folder / "state" / "status").touch()
        source = f"deb [arch={architecture} signed-by={KEYRING}] {debian_mirror()}"
        (self.folder / "sources.list").write_text("".join(f"{source} {suite} main\n" for suite in SUITES))
        settings = {
            "Dir::Etc::SourceList": self.folder / "sources.list",
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::Etc::PreferencesParts": "/dev/null",
            "Dir::State": self.folder / "state",
            "Dir::State::Status": self.folder / "state" / "status",
            "Dir::State::Lists": self.folder / "lists",
            "Dir::Cache": self.folder / "cache",
            "Acquire::Languages": "none",
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
            "APT::Architecture": architecture,
            "APT::Sandbox::User": "",
        }
        self.options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]

    def update(self):
        run(["apt-get", "-q", *self.options, "update"])

    def packages(self):
        return run(["apt-cache", *self.options, "pkgnames"]).split()

    def unpack(self, package, where):
        run(["apt-get", "-q", *self.options, "download", package], cwd=self.debs)
        deb = next(self.debs.glob(package + "_*.deb"))
        where.mkdir(parents=True, exist_ok=True)
        run(["dpkg", "-x", str(deb), str(where)])
        deb.unlink()


def newest(names, pattern):
    def version(name):
        return [int(part) for part in re.findall(r"\d+", re.fullmatch(pattern, name).group(1))]

    found = sorted((name for name in names if re.fullmatch(pattern, name)), key=version)
    if not found:
        raise Unavailable(f"the mirror has no package like {pattern}")
    return found[-1], re.fullmatch(pattern, found[-1]).group(1)


def fetch(name, cache):
    """Folder with the unpacked kernel `name` of KERNELS; fetched once, then kept below `cache`."""
    kernel = KERNELS[name]
    where = cache / name
    if not (where / "complete").exists():
        apt = Apt(cache, ARCHITECTURES[kernel.machine])
        apt.update()
        package, release = newest(apt.packages(), kernel.image)
        shutil.rmtree(where, ignore_errors=True)
        for wanted in [package, "busybox-static", *([kernel.modules.format(release)] if kernel.modules else [])]:
            apt.unpack(wanted, where)
        (where / "complete").touch()
    return where


def image(folder):
    return next(path for path in sorted(folder.rglob("vmlinuz*")) if path.is_file())


def module_file(folder, module):
    names = {f"{module}.ko", f"{module}.ko.xz", f"{module}.ko.zst"}
    return next((path for path in folder.rglob("*.ko*") if path.name.replace("-", "_") in names), None)
