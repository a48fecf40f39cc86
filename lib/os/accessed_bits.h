// The accessed bits of this process's page tables, all at once: the kernel's files that clear and count them (Linux
// 5.4). Needs a process that may be dumped (PR_SET_DUMPABLE), and no privileges.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>

namespace damon {

// Whoever clears accessed bits and reads them later: one at a time in a process, or one would clear what the other
// wants to read. A child of fork finds them free. Not movable.
class AccessedBitsTurn {
public:
    AccessedBitsTurn() = default;
    ~AccessedBitsTurn() { release(); }
    AccessedBitsTurn(const AccessedBitsTurn&) = delete;
    AccessedBitsTurn& operator=(const AccessedBitsTurn&) = delete;

    // Whether it is ours, now or from before.
    bool take();
    void release();

private:
    pid_t owner_ = 0;  // 0: not taken
};

// What /proc/PID/smaps_rollup counts.
struct AccessedBytes {
    uint64_t present = 0;   // mapped, of the page sizes that have accessed bits counted
    uint64_t accessed = 0;  // of these: since the bits were cleared
    uint64_t hugetlb = 0;   // pages of hugetlbfs, of which the kernel counts no accessed bits
};

// Of its text. False: present or accessed bytes are not in it.
bool parse_accessed_bytes(std::string_view rollup, AccessedBytes& bytes);

// Clears every accessed bit of this process and drops what its processors remember of them: without that, what was
// accessed just before would not be seen again. Holds the address space for writing, 8 ms for each GiB of 4 KiB pages.
// 0 or a negative errno.
int clear_accessed_bits();

// Holds the address space for reading as long as clearing does. 0 or a negative errno.
int read_accessed_bytes(AccessedBytes& bytes);

// What this process has in memory.
struct HeldMemory {
    uint64_t present = 0;  // bytes of pages
    uint64_t tables = 0;   // bytes of page tables
};

// By the text of /proc/PID/status. False: not in it.
bool parse_held_memory(std::string_view status, HeldMemory& held);

// 0 or a negative errno.
int read_held_memory(HeldMemory& held);

// Pages that reclaim has looked at, of the whole system, since boot, by the text of /proc/vmstat.
class ReclaimScans {
public:
    // 0 or a negative errno.
    int read();
    uint64_t pages() const { return pages_; }

private:
    uint64_t pages_ = 0;
};

// Whether smaps may leave out huge pages that are present: before Linux 6.7 those that the balancing of NUMA nodes made
// inaccessible, to see who uses them.
bool smaps_may_hide_huge_pages();

// Whether reclaim on this system is known to leave a page's accessed bit alone until it takes the page: the
// multi-generational LRU, where it is switched on, clears the bits of pages that it ages.
bool reclaim_keeps_accessed_bits();

}  // namespace damon
