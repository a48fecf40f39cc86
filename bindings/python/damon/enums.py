"""The constants of damon_c.h."""

from __future__ import annotations

import enum


class Ops(enum.IntEnum):
    """Who looks at memory."""

    VADDR = 0  # the mappings of this process, followed as they change
    FVADDR = 1  # exactly the ranges given
    PADDR = 2  # physical addresses: not in this release
    CUSTOM = 16  # an instance of damon.Operations
    SIM = 17  # damon.sim.Simulator
    KERNEL_VADDR = 18  # the kernel's own DAMON, for any process; needs root
    KERNEL_FVADDR = 19  # the same, exactly the ranges given
    KERNEL_PADDR = 20  # the same, physical memory


class Drive(enum.IntEnum):
    """Who calls the sampling intervals: `Context(manual=...)`."""

    THREAD = 0
    MANUAL = 1


class Action(enum.IntEnum):
    """What a scheme does with matching memory."""

    WILLNEED = 0
    COLD = 1
    PAGEOUT = 2  # anonymous memory needs swap
    HUGEPAGE = 3
    NOHUGEPAGE = 4
    COLLAPSE = 5
    LRU_PRIO = 6
    LRU_DEPRIO = 7
    MIGRATE_HOT = 8
    MIGRATE_COLD = 9
    STAT = 10  # count only
    CALLBACK = 11  # call Scheme.callback


class QuotaGoalMetric(enum.IntEnum):
    """Whose measure a quota goal follows."""

    USER_INPUT = 0  # Context.set_quota_goal_value()
    SOME_MEM_PSI_US = 1
    NODE_MEM_USED_BP = 2
    NODE_MEM_FREE_BP = 3
    NODE_MEMCG_USED_BP = 4
    NODE_MEMCG_FREE_BP = 5
    ACTIVE_MEM_BP = 6
    INACTIVE_MEM_BP = 7
    NODE_ELIGIBLE_MEM_BP = 8
    OWN_MEMCG_FREE_BP = 9  # free share of this process's own memory group


class QuotaGoalTuner(enum.IntEnum):
    """How a goal's score turns into an effective quota."""

    CONSIST = 0
    TEMPORAL = 1


class WmarkMetric(enum.IntEnum):
    """What a watermark is compared with."""

    NONE = 0
    FREE_MEM_RATE = 1  # permil
    OWN_MEMCG_FREE_RATE = 2  # of this process's own memory group, permil of its limit


class FilterType(enum.IntEnum):
    """What a filter looks at."""

    ANON = 0
    ACTIVE = 1
    MEMCG = 2
    YOUNG = 3
    HUGEPAGE_SIZE = 4
    UNMAPPED = 5
    ADDR = 6
    TARGET = 7


class RegionFlags(enum.IntFlag):
    """Flags of a region."""

    UNKNOWN = 1  # could not be looked at: 0 accesses does not mean cold
    WRITES_ONLY = 2
    PARTIAL = 4  # some samples could not be looked at: nr_accesses is scaled from those that could
    REFERENCED = 8  # passes over accessed bits know idle_us, of reads too: Attrs.referenced_us


class UnknownReason(enum.IntEnum):
    """Why memory could not be looked at."""

    NONE = 0
    HUGE_PAGE = 1  # the access check would have to split it
    NOT_REGISTERED = 2
    OTHER_USERFAULTFD = 3  # of the program's own
    PERMISSION = 4
    UNMAPPED = 5
    EXCLUDED = 6  # damon.exclude()
    SHARED_WITH_CHILD = 7
    LOCKED = 8
    RECLAIMED = 9
    PAUSED = 10
    NOT_EXAMINED = 11
    LOST_DESCRIPTOR = 12
    NO_ACCESS_CHECK = 13
    OTHER = 14


class SnapshotFlags(enum.IntFlag):
    """Flags of a snapshot."""

    WRITES_ONLY = 1  # reads of some region cannot be seen: "cold" means "not written"
    UNKNOWN = 2
    PARTIAL = 4  # some region could not be looked at in every sample


class AccessCheck(enum.IntEnum):
    """Ways to learn whether a page was accessed."""

    AUTO = 0
    UFFD_RWP = 1
    ZAP = 2
    UFFD_WP = 3
    REFERENCED = 4  # passes alone, without samples: needs Attrs.referenced_us
    UFFD_MOVE = 5
    MPROTECT = 6
    PAGE_IDLE = 7
    REPORT = 8  # Context.report_access()


class Sees(enum.IntFlag):
    """What an access check sees."""

    READS = 1
    WRITES = 2


class Seen(enum.IntEnum):
    """Answers of custom operations; False, True and None are understood too."""

    NO = 0
    YES = 1
    UNKNOWN = 2


class CallFlags(enum.IntFlag):
    """Flags of a call: `Context.call_repeat()`."""

    REPEAT = 1


class OperationsFlags(enum.IntFlag):
    """Flags of custom operations: `Operations.writes_only`."""

    WRITES_ONLY = 1


class Skip(enum.IntEnum):
    """Why an action left memory as it was."""

    UNMAPPED = 0
    LOCKED = 1
    HUGETLB = 2
    DEVICE = 3
    UNFIT = 4
    KEPT = 5  # asked for, and the kernel kept it
    BUSY = 6
    NO_ROOM = 7
    NO_NODE = 8
    FORBIDDEN = 9
    FAILED = 10
    ABSENT = 11
    PENDING = 12
    UNSEEN_READS = 13  # reads cannot be seen there, and the scheme does not allow to act all the same
    UNKNOWN = 14  # accesses cannot be seen there at all, or were not looked at yet
    ALREADY_SO = 15
    BACKED_OFF = 16  # nothing could be done there several times: tried again later


class ProbeFilterType(enum.IntEnum):
    """What a probe looks at."""

    ANON = 0
    MEMCG = 1
    HUGEPAGE_SIZE = 2


class SimRangeFlags(enum.IntFlag):
    """Flags of simulated memory."""

    FILE = 1
    LOCKED = 2
    WRITES_ONLY = 4
    OPAQUE = 8


class SimPatternKind(enum.IntEnum):
    """How the pages of a simulated pattern are accessed."""

    CONSTANT = 0
    PULSE = 1
    STAIRS = 2
    ZIGZAG = 3
    MOVING = 4
    SWEEP = 5


class SchemeFlags(enum.IntFlag):
    """Flags of a scheme."""

    ALLOW_UNSEEN_READS = 1  # PAGEOUT, COLD, LRU_DEPRIO and MIGRATE_COLD also where reads cannot be seen


class CoverageFlags(enum.IntFlag):
    """What targets without ranges cover: `Context.set_coverage()`."""

    FILES = 1
    THREE_AREAS = 2
    STABLE = 4  # no private memory is moved or grown by mremap()


class RangeFlags(enum.IntFlag):
    """Flags of `Context.add_range()`."""

    SHARED = 1
    STABLE = 2  # not moved or grown by mremap() until it is removed: passes may watch it (Attrs.referenced_us)
    TRACKED = 4  # kept armed as a whole for query_range()


class State(enum.IntEnum):
    """What a context is doing: `Context.state`."""

    STOPPED = 0
    SAMPLING = 1
    LIMITED = 2  # slowed by max_overhead_permil
    PAUSED = 3
    WATERMARKS = 4
    ENDED = 5  # on its own
