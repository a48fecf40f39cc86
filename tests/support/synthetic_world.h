// A world without state: every answer is a hash of the question and of the time, so that two engines that ask the same
// get the same, in whatever order they ask.
#pragma once

#include <cstdint>
#include <optional>

#include "model/action.h"
#include "model/metrics.h"
#include "model/sample.h"

namespace damon::test {

class SyntheticWorld {
public:
    // Pages of `page` units have a temperature of their own that changes in the course of time.
    SyntheticWorld(uint64_t seed, uint64_t page) : seed_(seed), page_(page) {}

    Seen look(const Sample& sample, uint64_t tick) const;
    // Why a sample has no answer, if it has none.
    Unknown unknown(const Sample& sample) const;
    bool writes_only(const Sample& sample) const { return hash(sample.addr / page_ / 8, 1, 0) % 16 == 0; }
    uint8_t probe_hits(const Sample& sample, uint64_t tick) const;
    Outcome apply(const ActionRequest& request, uint64_t tick) const;
    uint32_t score(const ActionRequest& request) const;
    std::optional<uint64_t> measure(const MetricQuery& query, uint64_t tick) const;

private:
    uint64_t hash(uint64_t a, uint64_t b, uint64_t c) const;

    uint64_t seed_;
    uint64_t page_;
};

}  // namespace damon::test
