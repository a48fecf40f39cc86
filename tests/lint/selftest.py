"""The checks of this folder find what they are there to find."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

import abi
import atomics
import docs
import exports
import format as formatting
import hardening
import includes
import library
import package_names
import purity
import repo
import shell
import sizes
import skips
import symbols
import terms
import units
import words

sys.path.append(str(repo.ROOT / "scripts"))
import report  # noqa: E402

sys.path.append(str(repo.ROOT / "scripts" / "release"))
import facts  # noqa: E402
import sbom  # noqa: E402

sys.path.append(str(repo.ROOT / "docs" / "site"))
import check_links  # noqa: E402
import rules  # noqa: E402
import toc  # noqa: E402


class Abi(unittest.TestCase):
    HEADER = (
        "DAMON_API int damon_a(struct a *a);\n"
        "struct a {\n    uint32_t size;\n    uint32_t reserved;\n    struct {\n        int x;\n    } in;\n    int (*fn)(void *p);\n};\n"
        "struct b {\n    uint64_t start[2];\n};\nenum e {\n    DAMON_E = 1 /**< One. */\n};\n"
    )

    def test_functions_members_values_and_frozen_sizes_are_facts(self):
        self.assertEqual(abi.declarations(self.HEADER), ["function int damon_a(struct a *a)"])
        probe = abi.probe_of(self.HEADER)
        for fact in ("a.size at", "a.in.x at", "a.fn at", "b.start at", "frozen b", "DAMON_E %ld"):
            self.assertIn(fact, probe)
        for nothing in ("reserved", "frozen a", "a.in at"):
            self.assertNotIn(nothing, probe)


class Docs(unittest.TestCase):
    def test_a_function_outside_of_all_groups_is_found(self):
        inside = "/** @addtogroup a\n * @{ */\nDAMON_API int damon_a(void);\n/** @} */\n"
        self.assertEqual(docs.functions_without_group(inside), [])
        self.assertEqual(docs.functions_without_group(inside + "DAMON_API int damon_b(void);\n"), ["damon_b"])

    def test_links_to_missing_files_and_missing_figures_are_found(self):
        pages = {"docs/actions.md": "actions.md"}
        self.assertEqual(docs.problems_of("docs/a.md", "[a](actions.md#b) [c](https://d.e)\n", pages), [])
        self.assertEqual(len(docs.problems_of("docs/a.md", "[a](no_such_file.md)\n\n```{drawn} nothing\n```\n", pages)), 2)
        self.assertEqual(docs.problems_of("docs/a.md", "```c\nint x[](no_such_file);\n```\n", pages), [])

    def test_broken_links_of_the_built_site_are_found(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "a.html").write_text('<p id="x"><a href="a.html#x"><a href="#y"><a href="b.html"><a href="https://c.d">')
            problems, looked_at = check_links.problems_of(folder)
        self.assertEqual((len(problems), looked_at), (2, 3))

    def test_a_page_that_no_list_names_is_listed(self):
        listed = "```{toctree}\na\nThe b <b>\n```\n"
        self.assertIn("\nc\n", toc.with_leftovers({"index.md": listed + toc.PLACE + "\n", "a.md": "", "b.md": "", "c.md": ""}))

    def test_rules_get_anchors_and_quirks_are_told_apart(self):
        text = "## 1. A\n- **M-1** x\n| Q-1 | breaks M-1 | fix: y |\n| Q-2, Q-3 | z | reproduce |\n"
        self.assertIn('<span id="m-1"></span>**M-1** x', rules.with_anchors(text))
        self.assertIn('<span id="q-2"></span><span id="q-3"></span>Q-2, Q-3', rules.with_anchors(text))
        page = rules.index_page(text)
        self.assertIn("1 rules, 2 known quirks of Linux, of which 1 are reproduced", page)


class Terms(unittest.TestCase):
    HEADER = "DAMON_API int damon_a(void);\nDAMON_API void damon_a_init(void);\n"
    PYTHON = {"m": "class A:\n    def a(self): ...\nclass B(A):\n    x: int = 0\n"}
    RUST = ["pub struct A {\n    pub x: u32,\n}\nimpl A {\n    pub fn a(&self) {}\n}\n"]

    def problems(self, *rows):
        page = "| C | Python | Rust |\n| --- | --- | --- |\n" + "".join(row + "\n" for row in rows)
        return terms.problems_of(page, self.HEADER, self.PYTHON, self.RUST)

    def test_names_that_are_there_pass(self):
        self.assertEqual(self.problems("| `damon_a` | `A.a` | `A::a` |", "| - | `B.a` | `A.x` |"), [])

    def test_names_that_are_not_there_are_found(self):
        self.assertEqual(len(self.problems("| `damon_a` | `A.x` | `A::x` |", "| `damon_b` | - | - |")), 3)

    def test_a_function_without_a_row_and_a_broken_row_are_found(self):
        self.assertEqual(len(self.problems("| damon_a | `A.a` | `A::a` |")), 2)


class Hardening(unittest.TestCase):
    GOOD = "  LOAD 0x0 0x0 0x0 0x1 0x1 R E 0x1000\n  GNU_STACK 0x0 0x0 0x0 0x0 0x0 RW  0x10\n  GNU_RELRO 0x1\n"

    def test_writable_code_an_executable_stack_and_no_relro_are_found(self):
        self.assertEqual(hardening.segment_problems(self.GOOD), [])
        self.assertEqual(len(hardening.segment_problems(self.GOOD.replace("R E", "RWE"))), 1)
        self.assertEqual(len(hardening.segment_problems(self.GOOD.replace("RW ", "RWE"))), 1)
        self.assertEqual(len(hardening.segment_problems(self.GOOD.replace("GNU_STACK", "x"))), 1)
        self.assertEqual(len(hardening.segment_problems(self.GOOD.replace("GNU_RELRO", "x"))), 1)

    def test_lazy_binding_and_unchecked_calls_are_found(self):
        self.assertEqual(hardening.dynamic_problems("(FLAGS) BIND_NOW"), [])
        self.assertEqual(len(hardening.dynamic_problems("(FLAGS) SYMBOLIC")), 1)
        self.assertEqual(hardening.call_problems({"__stack_chk_fail", "__memcpy_chk"}, True), [])
        self.assertEqual(hardening.call_problems({"__stack_chk_fail"}, False), [])
        self.assertEqual(len(hardening.call_problems({"memcpy", "__stack_chk_fail"}, True)), 1)
        self.assertEqual(len(hardening.call_problems({"__memcpy_chk"}, True)), 1)


class Atomics(unittest.TestCase):
    def test_small_ones_that_are_changed_in_one_step_are_found(self):
        header = "std::atomic<bool> open_{false};\nstd::atomic<uint32_t> users_{0};\n"
        code = "if (open_.exchange(true)) return;\nusers_.fetch_add(1);\nopen_ = false;\nown->open_.compare_exchange_strong(a, b);\n"
        self.assertEqual(atomics.changes({"a/x.h": header, "a/x.cc": code}), [("a/x.cc", "open_")] * 2)
        self.assertEqual(atomics.changes({"a/x.h": header, "b/y.cc": code}), [])


class Units(unittest.TestCase):
    ONE = "namespace {\nconstexpr uint64_t kRestUs = 20;\nclass Turn {\n};\n}\n"

    def test_a_name_that_stands_twice_in_a_folder_is_found(self):
        other = "namespace {\n    constexpr int kInside = 1;\nconstexpr char kRestUs[] = \"\";\nclass Turn final {\n};\nclass Ahead;\n}\n"
        texts = {"a/one.cc": self.ONE, "a/two.cc": other, "b/three.cc": self.ONE}
        self.assertEqual([name for _, name, _ in units.clashes(texts, [])], ["Turn", "kRestUs"])
        self.assertFalse(units.clashes(texts, ["a/t*.cc"]))

    def test_the_files_that_compile_alone_are_read_from_the_build(self):
        text = "file(GLOB own_units RELATIVE ${X} a/*.cc)\nlist(APPEND own_units b/c.cc\n    d.cc)\n"
        self.assertEqual(units.own_units(text), ["a/*.cc", "b/c.cc", "d.cc"])


class Includes(unittest.TestCase):
    def problems(self, path, text):
        return includes.problems_of_library_file(path, text)

    def test_upward_and_sideways_includes_are_found(self):
        self.assertTrue(self.problems("model/a.h", '#include "engine/engine.h"\n'))
        self.assertTrue(self.problems("engine/a.h", '#include "ops/ops.h"\n'))
        self.assertTrue(self.problems("ops/linux/a.cc", '  #  include "engine/engine.h"\n'))
        self.assertTrue(self.problems("kdamond/a.cc", '#include "damon_c.h"\n'))
        self.assertFalse(self.problems("kdamond/a.cc", '#include "engine/engine.h"\n#include "ops/ops.h"\n'))

    def test_threads_stay_in_the_worker(self):
        self.assertTrue(self.problems("ops/a.cc", "#include <pthread.h>\n"))
        self.assertTrue(self.problems("kdamond/a.cc", "#include <thread>\n"))
        self.assertFalse(self.problems("kdamond/a.cc", "#include <pthread.h>\n"))

    def test_a_path_that_does_not_start_at_lib_is_found(self):
        self.assertTrue(self.problems("base/a.cc", '#include "status.h"\n'))

    def test_what_walks_the_table_of_access_checks_names_none(self):
        self.assertTrue(self.problems("ops/linux/access/access_checker.cc", "if (way == AccessCheck::kZap) return;\n"))
        self.assertTrue(self.problems("ops/linux/vaddr.cc", '#include "ops/linux/access/checks/zap.h"\n'))
        self.assertFalse(self.problems("ops/linux/access/checks/zap.cc", "use(AccessCheck::kZap);\n"))
        self.assertFalse(self.problems("ops/linux/vaddr.cc", "use(AccessCheck::kAuto);\n"))

    def test_examples_see_the_c_header_alone(self):
        self.assertTrue(includes.problems_of_outside_file("examples/a.c", '#include "engine/engine.h"\n'))
        self.assertFalse(includes.problems_of_outside_file("examples/a.c", '#include "damon_c.h"\n'))

    def test_macros_of_googletest_in_what_fuzz_targets_use_are_found(self):
        self.assertTrue(includes.problems_of_fuzzed_file("tests/support/a.cc", "EXPECT_TRUE(x);\n"))
        self.assertFalse(includes.problems_of_fuzzed_file("tests/support/sim_run.cc", "FAIL();\n"))
        self.assertFalse(includes.problems_of_fuzzed_file("tests/fuzz/a.cc", "expect(x);\n"))


class Sizes(unittest.TestCase):
    def test_a_long_function_is_found_and_named(self):
        text = "namespace a {\nstruct B {\n    int c(int d) const {\n" + "        d++;\n" * 70 + "    }\n};\n}\n"
        self.assertEqual(sizes.functions(text), [("c", 3, 72)])
        self.assertEqual(len(sizes.problems_of("lib/base/a.h", text)), 1)

    def test_braces_in_text_comments_and_initialisers_do_not_count(self):
        text = "int a[] = {1, 2};\nvoid f() {\n  // }\n  g(\"}\", '}');\n  auto h = [](int x) { return x; };\n}\n"
        self.assertEqual(sizes.functions(text), [("f", 2, 5)])

    def test_templates_constructors_and_wrapped_signatures_count_from_their_first_line(self):
        text = "template <class T>\nA::A(T t,\n     int b)\n    : t_(t) {\n}\nenum class E : int { x };\n"
        self.assertEqual([(name, line) for name, line, _ in sizes.functions(text)], [("A::A", 1)])

    def test_floating_point_in_the_engine_is_found(self):
        self.assertTrue(sizes.problems_of("lib/engine/a.cc", "double x;\n"))
        self.assertFalse(sizes.problems_of("lib/engine/a.cc", "// a double window\n"))

    def test_a_folder_with_more_than_20_rooms_is_found(self):
        twenty = [pathlib.Path(f"lib/a/r{number}{ending}") for number in range(20) for ending in (".h", ".cc")]
        self.assertEqual(sizes.crowded(twenty), [])
        found = sizes.crowded([*twenty, pathlib.Path("lib/a/alone.h"), pathlib.Path("lib/a/b/alone.h")])
        self.assertEqual(len(found), 1)
        self.assertIn("lib/a/ holds 21 rooms", found[0])


class Words(unittest.TestCase):
    def test_hosts_and_machine_paths_are_found(self):
        self.assertTrue(words.problems_of("a", "see " + words.HOSTS[0]))
        self.assertTrue(words.problems_of("a", "cd /" + "root/x"))
        self.assertTrue(words.problems_of("a", "cd /" + "home/somebody"))
        self.assertFalse(words.problems_of("a", "$prefix/home/x http://example.com/" + "root/x ./" + "work/y"))


class PackageNames(unittest.TestCase):
    def problems(self, text):
        return package_names.text_problems("a", text)

    def test_commands_that_install_strangers_packages_are_found(self):
        for text in (
            "pip install damon",
            "python3 -m pip install -q 'damon[plot]'",
            'run "pip install damon>=0.1" first',
            "cargo add damon",
            "cargo add damon-sys --features vendored",
            "uv add damon",
        ):
            self.assertTrue(self.problems(text), text)
        for text in ("pip install 'libdamon[plot]'", "cargo add libdamon", "pip install ./damon", "cargo build -p libdamon"):
            self.assertFalse(self.problems(text), text)

    def test_dependencies_on_strangers_packages_are_found(self):
        for text in ('damon = "0.1"', 'x\ndamon = { path = "x" }', 'damon-sys = { version = "0.1" }', "from damon-sys", 'metadata.version("damon")'):
            self.assertTrue(self.problems(text), text)
        for text in ('libdamon = "0.1"', 'links = "damon"', 'name = "damon"', "libdamon-sys", "damon_sys::damon_ctx", "import damon"):
            self.assertFalse(self.problems(text), text)

    def test_a_manifest_with_another_name_is_found(self):
        good = '[package]\nname = "libdamon-sys"\nlinks = "damon"\n\n[lib]\nname = "damon_sys"\n'
        self.assertEqual(package_names.manifest_problems("a", good, "libdamon-sys", "damon_sys"), [])
        for wrong in (good.replace("libdamon-sys", "damon-sys"), good.replace("damon_sys", "sys"), good.replace('"damon"', '"x"')):
            self.assertEqual(len(package_names.manifest_problems("a", wrong, "libdamon-sys", "damon_sys")), 1)


class Library(unittest.TestCase):
    def test_an_unlisted_call_is_found(self):
        self.assertEqual(library.undefined_problems({"malloc", "mmap"}, {"mmap"}), ["libdamon calls malloc, not in libc_symbols.txt"])

    def test_exports_header_and_map_must_agree(self):
        self.assertEqual(library.export_problems({"a"}, {"a"}, {"a"}), [])
        self.assertEqual(len(library.export_problems({"a", "b"}, {"a"}, {"a"})), 1)
        self.assertEqual(len(library.export_problems({"a"}, {"a", "b"}, {"a"})), 2)
        self.assertEqual(len(library.export_problems({"a"}, {"a"}, {"a", "b"})), 1)

    def test_a_needed_library_a_wrong_soname_and_text_relocations_are_found(self):
        good = " 0x1 (NEEDED) Shared library: [libc.so.6]\n 0xe (SONAME) x [libdamon.so.0]\n 0x1e (FLAGS) BIND_NOW\n"
        self.assertEqual(library.dynamic_problems(good), [])
        self.assertEqual(len(library.dynamic_problems(good + "(NEEDED) [libstdc++.so.6]\n(TEXTREL)\n")), 2)
        self.assertEqual(len(library.dynamic_problems("")), 2)

    def test_declarations_are_told_from_types_and_macros(self):
        text = "#define damon_x(a) a\ntypedef int (*damon_fn)(void);\n/* damon_no() */\nint damon_yes(damon_ctx *c);\n"
        self.assertEqual(symbols.declared_functions(text), {"damon_yes"})

    def test_new_functions_go_to_the_last_node(self):
        script = "A_1 {\n    global:\n        damon_a;\n    local:\n        *;\n};\nA_2 {\n    global:\n        damon_b;\n    local:\n        *;\n};\n"
        self.assertEqual(
            symbols.version_script(exports.with_new_names(script, {"damon_a", "damon_b", "damon_c"})),
            {"A_1": {"damon_a"}, "A_2": {"damon_b", "damon_c"}},
        )


class Purity(unittest.TestCase):
    def test_system_calls_and_the_clock_are_found(self):
        clock = "_ZNK5damon5Clock6now_nsEv"
        self.assertEqual(purity.problems_of({"memcpy"}, set()), [])
        self.assertEqual(len(purity.problems_of({"mmap"}, set())), 1)
        self.assertEqual(len(purity.problems_of({clock}, {clock})), 1)


class Skips(unittest.TestCase):
    def test_the_list_is_read_strictly(self):
        self.assertEqual(skips.list_problems("# x\nno-uffd: the kernel has no userfaultfd\n"), [])
        self.assertEqual(len(skips.list_problems("a: short\nBad Name: a reason long enough\n")), 2)
        self.assertEqual(len(skips.list_problems("a: a reason long enough\na: a reason long enough\n")), 1)

    def test_a_test_that_skips_by_itself_is_found(self):
        self.assertTrue(skips.DIRECT.search("GTEST_" + "SKIP() << 1;"))


class Shell(unittest.TestCase):
    def test_pipes_and_negations_that_deceive_are_found(self):
        text = "a | grep -q b\n! a\nif ! a; then return 1; fi\na | grep b >/dev/null\n    ! a | b\n"
        self.assertEqual([problem.split(":")[1] for problem in shell.traps("x", text)], ["1", "2", "5"])

    def setup(self, apt_cache, apt_get, command):
        """What a function of setup.sh prints where these are apt's programs."""
        with tempfile.TemporaryDirectory() as folder:
            for name, body in {"apt-cache": apt_cache, "apt-get": apt_get, "dpkg": "exit 1", "id": "echo 0"}.items():
                program = pathlib.Path(folder, name)
                program.write_text(f"#!/bin/sh\n{body}\n")
                program.chmod(0o755)
            script = f'set -euo pipefail; PATH={folder}:$PATH; source scripts/setup.sh; {command}'
            return subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=repo.ROOT).stdout.splitlines()

    def test_packages_that_apt_finds_by_pattern_are_not_taken_for_the_one_that_was_named(self):
        one = "printf '%s:\\n  Installed: (none)\\n  Candidate: %s\\n' "
        by_pattern = one + "clang-13 1:13; " + one + "clang-13-doc 1:13; [ $2 != g++-12 ] || " + one + "g++-12 12"
        self.assertEqual(self.setup(by_pattern, "exit 1", "available_packages g++-13 g++-12"), ["g++-12"])
        self.assertEqual(self.setup(one + "g++-13 '(none)'", "exit 1", "available_packages g++-13"), [])

    def test_what_cannot_be_installed_without_removing_something_leaves_the_others_installed(self):
        refuses = 'case "$*" in *--no-remove*other*) exit 1 ;; *) echo "$@" ;; esac'
        said = self.setup("exit 1", refuses, "apt_install one other two")
        self.assertEqual([line.split()[-1] for line in said], ["one", "two"])


class Release(unittest.TestCase):
    LOG = "# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - 2026-01-02\n\n### Added\n- x\n"

    def test_versions_are_read_from_every_place_and_agree(self):
        version, problems = facts.check(repo.ROOT)
        self.assertEqual(problems, [])
        self.assertEqual(set(facts.versions(repo.ROOT).values()), {version})

    def test_a_changelog_without_the_version_its_date_or_entries_is_found(self):
        self.assertEqual(facts.changelog_problems(self.LOG, "0.1.0"), [])
        self.assertEqual(facts.changelog_problems("## [Unreleased]\n\n- x\n", "0.1.0"), [])
        for wrong in (("[0.1.0]", "0.1.0"), (" - 2026-01-02", ""), ("- x", ""), ("Added", "Fixed")):
            self.assertTrue(facts.changelog_problems(self.LOG.replace(*wrong), "0.1.0"), wrong)
        self.assertEqual(len(facts.changelog_problems("## [0.0.1] - 2026-01-02\n\n- x\n", "0.1.0")), 1)

    def test_the_list_of_parts_has_each_package_with_its_checksum_and_every_reference_is_defined(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "libdamon-dev_0.1.0-1_amd64.deb")
            path.write_bytes(b"x")
            found = sbom.bom(path.parent, "0.1.0", [])
        self.assertEqual(found["components"][0]["hashes"][0]["content"][:8], "2d711642")
        refs = {"libdamon", *(component["bom-ref"] for component in found["components"])}
        for entry in found["dependencies"]:
            self.assertLessEqual({entry["ref"], *entry["dependsOn"]}, refs)


class Report(unittest.TestCase):
    """What `./dev test` counts."""

    REASONS = {"no-x": "a reason"}
    FILES = {
        "parts.txt": "one 8 3\ntwo 1 2\nthree 0 1\n",
        "one.xml": "<testsuite><testcase name='a' status='run'/><testcase name='b' status='fail'><failure/></testcase>"
        "<testcase name='c' status='notrun'><skipped message='x'/><system-out>SKIP no-x: seen</system-out></testcase>"
        "<testcase name='d' status='notrun'><skipped message='SKIP no-y: seen'/></testcase>"
        "<testcase name='e' status='notrun'><skipped message='disabled'/></testcase></testsuite>",
        "three-k.txt": "passed boot Linux 7\nskipped run SKIP no-x: why\nskipped run SKIP no-z: why\n",
    }
    AGAIN = {
        "one.xml": "<testsuite><testcase name='b' status='run'/><testcase name='z' status='run'/></testsuite>",
        "three-k.txt": "failed run\n",
    }

    def rows(self, again={}):
        with tempfile.TemporaryDirectory() as folder:
            for name, content in self.FILES.items():
                pathlib.Path(folder, name).write_text(content)
            for name, content in again.items():
                pathlib.Path(folder, "again").mkdir(exist_ok=True)
                pathlib.Path(folder, "again", name).write_text(content)
            rows = report.read_results(pathlib.Path(folder), self.REASONS)
            report.add_parts(pathlib.Path(folder), rows)
        return {(part, test): outcome for part, test, outcome, _ in rows}, [row[2] for row in rows]

    def test_undeclared_skips_and_parts_that_died_are_failures(self):
        by_name, outcomes = self.rows()
        self.assertEqual(by_name["one", "c"], "skipped")
        self.assertEqual(by_name["one", "d"], "failed")
        self.assertEqual(by_name["one", "e"], "failed")
        self.assertEqual(by_name["two", "the part itself"], "failed")
        self.assertEqual([outcomes.count(kind) for kind in ("passed", "failed", "skipped")], [2, 5, 2])


    def test_what_passes_in_a_second_run_is_no_failure_and_a_second_run_adds_none(self):
        by_name, outcomes = self.rows()
        self.assertEqual(by_name["one", "b"], "failed")
        by_name, again = self.rows(self.AGAIN)
        self.assertEqual(by_name["one", "b"], "passed")
        self.assertNotIn(("one", "z"), by_name)
        self.assertEqual(again.count("failed"), outcomes.count("failed") - 1)


class Tree(unittest.TestCase):
    def test_the_tree_is_listed_and_the_formatter_is_of_one_version(self):
        self.assertIn(repo.ROOT / "lib" / "base" / "status.h", repo.files(".h", under="lib"))
        self.assertEqual(formatting.MAJOR, "14")


if __name__ == "__main__":
    unittest.main()
