// The ranges that the program keeps the library away from: no mark, no registration and no action touches them.
// Process-wide, counted, any thread. Excluding waits for system calls of the library that are under way, never for a
// callback; so a worker enters before each batch of calls and leaves after it.
#pragma once

#include <cstdint>

#include "base/vector.h"
#include "model/address_range.h"

namespace damon {

// Returns when nothing touches the range any more. 0; -EINVAL: empty or not whole pages; -ENOMEM; another negative
// errno: this process's mappings cannot be read, and nothing is excluded.
int exclude_range(AddressRange range);
// Takes one exclude_range of the same range back. 0; -ENOENT: it is not excluded; -EINVAL as above.
int include_range(AddressRange range);
// Returns when every batch of system calls has ended that was under way (Exclusion::enter). Not within one.
void wait_for_batches();
// Whether anything is excluded; a moment ago.
bool any_excluded();

// One context's view; its worker's own. Not movable while joined.
class Exclusion {
public:
    Exclusion() = default;
    ~Exclusion() { leave_group(); }
    Exclusion(const Exclusion&) = delete;
    Exclusion& operator=(const Exclusion&) = delete;

    // False: too many contexts take part.
    bool join_group();
    void leave_group();

    // Between these two what is excluded does not change for this context. Short: a piece of work of some 100 us. May
    // be nested.
    void enter();
    void exit();

    bool contains(uint64_t address) const { return nr_ != 0 && find(address) != nullptr; }
    // The first part of `range` that is not excluded; empty: all of it is.
    AddressRange allowed(AddressRange range) const;
    // A range around all that was included again since this was last asked: what was registered there is not any more,
    // and the program may have registered it. Empty: nothing was.
    AddressRange take_included();

private:
    const AddressRange* find(uint64_t address) const;
    void refresh(uint64_t generation);

    struct ExclusionSlot* slot_ = nullptr;
    Vector<AddressRange> ranges_;  // sorted by their starts; they may overlap
    size_t nr_ = 0;
    uint32_t depth_ = 0;
    uint64_t seen_ = 0;         // the generation of what ranges_ holds
    uint64_t nr_included_ = 0;  // of them included_ knows
    AddressRange included_;
};

// Enters for a scope.
class ExclusionScope {
public:
    explicit ExclusionScope(Exclusion& exclusion) : exclusion_(exclusion) { exclusion_.enter(); }
    ~ExclusionScope() { exclusion_.exit(); }
    ExclusionScope(const ExclusionScope&) = delete;
    ExclusionScope& operator=(const ExclusionScope&) = delete;

private:
    Exclusion& exclusion_;
};

}  // namespace damon
