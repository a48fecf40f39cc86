"""The engine calls nobody: what its objects leave undefined is defined in base/, model/ or engine/, or listed here."""

import sys

import repo
import symbols

# Memory operations, the arithmetic helpers of the compiler and its stack guard: no clock, no thread, no system call.
ALLOWED = {"memcpy", "memmove", "memset", "memcmp", "__memcpy_chk", "__memmove_chk", "__memset_chk"}
ALLOWED |= {"__udivti3", "__umodti3", "__divti3", "__popcountdi2", "__clzdi2", "__ctzdi2"}
ALLOWED |= {"__stack_chk_fail", "_GLOBAL_OFFSET_TABLE_"}
# base/ offers time to the shell; the engine takes it as an argument.
FORBIDDEN_PREFIXES = ("_ZN5damon5Clock", "_ZNK5damon5Clock", "_ZTVN5damon5Clock")


def problems_of(undefined, defined):
    unknown = sorted(name for name in undefined if name not in defined and name not in ALLOWED)
    clock = sorted(name for name in undefined if name.startswith(FORBIDDEN_PREFIXES))
    return [f"the engine calls {symbols.readable(name)}" for name in unknown + clock]


def main():
    objects = [argument for argument in sys.argv[1:] if argument]
    engine = [name for name in objects if "damon_engine.dir" in name]
    own = set().union(*(symbols.defined(name) for name in objects)) if objects else set()
    undefined = set().union(*(symbols.undefined(name) for name in engine)) if engine else set()
    repo.finish(problems_of(undefined, own), len(engine))


if __name__ == "__main__":
    main()
