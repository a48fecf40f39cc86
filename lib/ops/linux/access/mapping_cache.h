// The mappings of this process as last read, each with what is known of the ways to see its accesses. One context's
// own; only its worker uses it.
#pragma once

#include <cstdint>

#include "base/vector.h"
#include "model/address_range.h"
#include "ops/linux/access/access_check.h"
#include "os/proc_maps.h"

namespace damon {

struct CachedMapping {
    AddressRange range;
    uint64_t page_bytes = 0;                        // backing page size; 0: not told
    uint16_t failed_ways = 0;                       // bit AccessCheck: tried, and not possible here
    UnknownReason unknown = UnknownReason::kNoWay;  // why the last of them was not
    bool writable = false;
    bool shared = false;
    uint8_t registered = 0;      // bit AccessCheck: registered with our userfaultfd for this way, or was once
    uint8_t owned = 0;           // the same, made sure of since the mapping was last read
    uint32_t read_in = 0;        // the interval in which it was last read
    uint64_t verified_scan = 0;  // the scan behind which it was last seen to be registered as a whole

    bool is_registered(AccessCheck way) const { return (registered >> static_cast<unsigned>(way) & 1) != 0; }
    bool is_owned(AccessCheck way) const { return (owned >> static_cast<unsigned>(way) & 1) != 0; }
    void set_owned(AccessCheck way) {
        owned = static_cast<uint8_t>(owned | 1u << static_cast<unsigned>(way));
        registered |= owned;
    }
    bool failed(AccessCheck way) const { return (failed_ways >> static_cast<unsigned>(way) & 1) != 0; }
    void fail(AccessCheck way, UnknownReason why) {
        failed_ways = static_cast<uint16_t>(failed_ways | 1u << static_cast<unsigned>(way));
        unknown = why;
    }
};

class MappingCache {
public:
    // Reserves room for a usual number of mappings; reading more takes more of the library's own heap. 0 or a negative
    // errno.
    int open();
    void close();
    // Opens the file again where the program closed it.
    void keep_file() {
        if (!maps_.is_open()) (void)maps_.open(0);
    }
    // The userfaultfd that they were with is gone.
    void forget_registrations();

    // Reads all mappings anew. Registrations are remembered; ways that failed will be tried again. Where the reading
    // fails, everything stays, and the answer is false. `also` (may be null) is told of each mapping.
    bool reload(AccessStatistics& statistics, ProcMaps::Visit also = nullptr, void* context = nullptr);

    // The mapping that covers `address`; nullptr: none was there at the last reading. Valid until the next call that
    // reads.
    CachedMapping* find(uint64_t address);

    // A kernel without PROCMAP_QUERY makes reread as costly as reload, so it is done once an interval at most.
    void begin_interval() {
        ++interval_;
        may_reload_ = true;
    }
    // Whether there is nothing newer to be known of the mapping in this interval.
    bool is_fresh(const CachedMapping& mapping) const { return mapping.read_in == interval_; }

    // Reads the mapping at `address` anew, because it turned out to have changed; nullptr: there is none.
    CachedMapping* reread(uint64_t address, AccessStatistics& statistics);

    std::span<CachedMapping> all() { return mappings_.span(); }
    ProcMaps& maps() { return maps_; }

private:
    CachedMapping fresh(const Mapping& mapping) const;
    void put(const Mapping& mapping);
    size_t first_ending_after(uint64_t address) const;

    ProcMaps maps_;
    Vector<CachedMapping> mappings_;  // sorted, disjoint
    Vector<CachedMapping> reading_;   // the reading under way
    uint32_t interval_ = 0;
    size_t hint_ = 0;  // samples come in address order
    bool reading_failed_ = false;
    bool may_reload_ = true;
};

}  // namespace damon
