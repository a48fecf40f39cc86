// What a host did, and what came of it, in shared memory: the log outlives a host that dies.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace damon::test {

// What the library is known to change for a program (damon_c.h says so of each, with the cure).
enum class Known : uint32_t {
    kOwnRegistration,  // UFFDIO_REGISTER of watched memory: EBUSY; damon_exclude()
    kCollapse,         // MADV_COLLAPSE of watched memory: EINVAL; damon_exclude() around it
    kMremapAcross,     // mremap() over watched memory that grew meanwhile: EFAULT; damon_exclude()
    kMremapReleasing,  // mremap() after damon_stop(), while registrations are given back in pieces; damon_exclude()
    kNumberClosed,     // dup2() onto a number just while the library, which had a new file there, closes it
};
inline constexpr size_t kNrKnown = 5;
inline constexpr const char* kKnownNames[kNrKnown] = {"own UFFDIO_REGISTER: EBUSY", "MADV_COLLAPSE: EINVAL",
                                                      "mremap of grown memory: EFAULT",
                                                      "mremap after damon_stop: EFAULT", "dup2 onto a number: closed"};

struct HostEntry {
    uint32_t call = 0;  // position in the table of calls
    uint32_t place = 0;
    int64_t result = 0;   // of the call; a negative error number where it failed
    uint64_t digest = 0;  // of what it read
};

struct HostLog {
    static constexpr size_t kMaxEntries = 1u << 20;

    std::atomic<uint64_t> nr_entries{0};
    std::atomic<uint32_t> known[kNrKnown] = {};
    std::atomic<uint64_t> nr_calls{0};
    std::atomic<uint32_t> current{0};  // call, position in the table
    std::atomic<uint32_t> finished{0};
    std::atomic<uint64_t> nr_controls{0};  // what was asked of the library
    std::atomic<uint64_t> nr_snapshots{0};
    std::atomic<uint64_t> nr_seen{0};         // regions that were found accessed
    std::atomic<uint32_t> nr_mappings{0};     // of the places, at the end
    std::atomic<uint32_t> nr_descriptors{0};  // at the end
    std::atomic<uint32_t> nr_threads{0};
    char problem[200] = {};  // of the controls
    HostEntry entries[kMaxEntries];
};

}  // namespace damon::test
