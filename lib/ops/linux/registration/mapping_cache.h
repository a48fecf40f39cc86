// The mappings of this process as last read, each with what is known of the checks of its accesses. One context's
// own; only its worker uses it.
#pragma once

#include <cstdint>

#include "base/vector.h"
#include "model/address_range.h"
#include "ops/access_check.h"
#include "os/proc_maps.h"

namespace damon {

struct CachedMapping {
    AddressRange range;
    uint64_t page_bytes = 0;                        // backing page size; 0: not told
    uint8_t failed_modes = 0;                       // uapi::kRegisterMode*: tried, and not possible here
    UnknownReason unknown = UnknownReason::kNoWay;  // why the last of them was not
    bool writable = false;
    bool shared = false;
    uint8_t registered = 0;  // uapi::kRegisterMode*: registered with our userfaultfd in this mode, or was once
    uint8_t owned = 0;       // the same, made sure of since the mapping was last read
    bool reserved = false;   // neither readable nor writable: the program may want it later
    bool anonymous = false;
    bool held_back = false;      // what lies outside of `registrable` is what the mapping grew by last
    bool renewed = false;        // new in the place of one that was registered, and not registered yet
    AddressRange registrable;    // the part that may be registered, see RegisterWhen
    AddressRange stood;          // the part that the last reading of all had seen too
    uint32_t still = 0;          // readings since it grew
    uint32_t patience = 0;       // readings after which what it grew by is registered all the same
    uint32_t read_in = 0;        // the interval in which it was last read
    uint64_t verified_scan = 0;  // the scan behind which it was last seen to be registered as a whole

    bool is_registered(uint64_t mode) const { return (registered & mode) != 0; }
    // Whether `page` of it is registered, as far as is known.
    bool is_owned(uint64_t mode, uint64_t page) const { return (owned & mode) != 0 && registrable.contains(page); }
    void set_owned(uint64_t mode) {
        owned = static_cast<uint8_t>(owned | mode);
        registered |= owned;
    }
    // It may be registered once it has stood for a reading.
    bool is_settling() const { return registrable.empty() && !stood.empty(); }
    bool failed(uint64_t mode) const { return (failed_modes & mode) != 0; }
    void fail(uint64_t mode, UnknownReason why) {
        failed_modes = static_cast<uint8_t>(failed_modes | mode);
        unknown = why;
    }
};

// A mapping that is registered does not merge with what is mapped beside it later, and pieces that were written to
// apart never merge again: then one mremap of both fails (guest facts, docs/access-checks.md).
enum class RegisterWhen : uint8_t {
    kSeen,     // at once, as a whole
    kSettled,  // what the reading before has seen too; what a mapping grew by last, unless it is the larger part, waits
               // until it grows again, or some readings: 8 where it doubled, up to 60
};

class MappingCache {
public:
    void set_register_when(RegisterWhen when) { when_ = when; }

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
    // Whose registration it is must be made sure of before anything is armed in the range.
    void doubt_registrations(AddressRange range);

    // Reads all mappings anew. Registrations are remembered; modes that failed will be tried again. Where the reading
    // fails, everything stays, and the answer is false. `also` (may be null) is told of each mapping. kLater: what it
    // sees for the first time, or has grown, has not stood for a reading by the next one.
    enum class Settle : uint8_t { kNow, kLater };
    bool reload(AccessStatistics& statistics, Settle settle, ProcMaps::Visit also = nullptr, void* context = nullptr);

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

    // The mapping has turned out to be a new one in the place of one that was registered: what was known of it is void.
    void renew(CachedMapping& mapping);

    // Where the mapping at `address`, or the next one above it, begins now; 0: not told, or there is none.
    uint64_t next_start(uint64_t address);

    std::span<CachedMapping> all() { return mappings_.span(); }
    ProcMaps& maps() { return maps_; }

private:
    CachedMapping fresh(const Mapping& mapping) const;
    void put(const Mapping& mapping);
    void adopt_left_registrations();
    uint64_t bytes_beside(size_t idx) const;
    void settle(size_t idx, std::span<const CachedMapping> before, Settle settle);
    size_t first_ending_after(uint64_t address) const;

    ProcMaps maps_;
    Vector<CachedMapping> mappings_;  // sorted, disjoint
    Vector<CachedMapping> reading_;   // the reading under way
    RegisterWhen when_ = RegisterWhen::kSeen;
    bool first_reading_ = true;
    uint32_t interval_ = 0;
    size_t hint_ = 0;  // samples come in address order
    bool reading_failed_ = false;
    bool may_reload_ = true;
};

}  // namespace damon
