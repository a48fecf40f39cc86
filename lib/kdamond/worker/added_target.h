// Target 0 of a context that watches ranges which come and go (AddedRanges): it lies where they are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/vector.h"
#include "kdamond/exchange/added_ranges.h"
#include "kdamond/worker/run.h"
#include "model/memory_areas.h"

namespace damon {

// Does nothing, and gives back what it is given, where the context watches other targets.
class AddedTarget {
public:
    AddedTarget(Run& run, AddedRanges& added) : run_(run), added_(added) {}

    AddedRanges& ranges() { return added_; }
    bool is_all() const { return added_.only(); }

    // The engine learns where the ranges are. `now`: whatever it costs.
    void take_over(bool now);
    // The same, also where nothing has changed.
    void take_over_again();
    // The samples to arm: those that lie in a range, or can be moved into one.
    std::span<Sample> placed(std::span<Sample> samples);
    // What was armed and is to be looked at: without what was removed meanwhile.
    std::span<Sample> still_placed(std::span<Sample> samples);
    // The answers go where they belong.
    void return_answers(std::span<Sample> samples);
    // An action reaches what is in ranges, piece by piece.
    Outcome act(const ActionRequest& request);

private:
    [[nodiscard]] bool cover();

    Run& run_;
    AddedRanges& added_;
    Vector<AddressRange> list_;
    Vector<AddressRange> cover_;
    MemoryAreas areas_;
    uint64_t taken_generation_ = 0;  // what the engine has
    uint64_t next_taking_ns_ = 0;    // of many ranges
    uint64_t asked_generation_ = 0;
    Vector<Sample> asked_;      // those that are armed, and
    Vector<size_t> asked_idx_;  // where they belong
};

}  // namespace damon
