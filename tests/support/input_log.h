// Everything that went into an engine, in order. A run is its input log: replayed into a fresh engine, it gives an
// equal one.
#pragma once

#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "engine/engine.h"

namespace damon::test {

struct PrepareInput {
    std::shared_ptr<const Params> params;
    OpsTraits traits;
};
struct CommitInput {
    std::shared_ptr<const Params> params;
    OpsTraits traits;
};
struct StartInput {
    uint64_t seed;
};
struct StopInput {};
struct RangesInput {
    uint32_t target_idx;
    std::vector<AddressRange> ranges;
    uint64_t granularity;
};
struct ValidInput {
    uint32_t target_idx;
    bool valid;
};
struct GoalInput {
    size_t scheme_idx;
    size_t goal_idx;
    uint64_t value;
};
struct WatermarkInput {
    int32_t free_permil;
};
// From plan to record_samples: the answers to the samples, and what the probes said.
struct LookInput {
    uint64_t elapsed_us = 0;
    uint64_t wait_us = 0;
    std::vector<Seen> seen;
    std::vector<Unknown> unknown;
    std::vector<bool> writes_only;
    std::vector<uint8_t> hits;
};
struct ApplyInput {
    uint64_t now_us;
    std::vector<MetricQuery> answers;
    std::vector<Outcome> outcomes;
    bool cancelled = false;  // the pass was left with a request that has no outcome
};
struct FinishInput {};
struct PassesInput {
    std::vector<PassWindow> windows;
};

using LoggedInput = std::variant<PrepareInput, CommitInput, StartInput, StopInput, RangesInput, ValidInput, GoalInput,
                                 WatermarkInput, LookInput, ApplyInput, FinishInput, PassesInput>;
using InputLog = std::vector<LoggedInput>;

std::shared_ptr<const Params> shared_copy(const Params& params);

// Repeats inputs [first, last) of the log.
void replay(const InputLog& log, size_t first, size_t last, Engine& engine);

}  // namespace damon::test
