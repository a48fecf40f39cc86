// The engine and its naive counterpart, fed with the same inputs and compared after each of them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "support/input_log.h"
#include "support/naive_engine.h"
#include "support/synthetic_world.h"

namespace damon::test {

// Members return an empty text, or the first difference with both states.
class EnginePair {
public:
    EnginePair(uint64_t seed, uint64_t page) : world_(seed, page) {}

    // Keep what goes into the engine from now on.
    void record() { recording_ = true; }
    const InputLog& log() const { return log_; }

    std::string prepare(const Params& params, const OpsTraits& traits);
    std::string start(uint64_t seed);
    std::string stop();
    std::string commit(const Params& params, const OpsTraits& traits);
    std::string set_target_ranges(uint32_t target_idx, std::span<const AddressRange> ranges, uint64_t granularity);
    std::string set_target_valid(uint32_t target_idx, bool valid);
    std::string set_goal_value(size_t scheme_idx, size_t goal_idx, uint64_t value);
    std::string watermarks(int32_t free_permil);
    std::string take_passes(std::span<const PassWindow> windows);

    // One sampling interval in three steps, so that a commit may fall between them.
    // `wait_us`: how long the limit has the next look wait (M-40).
    std::string look(uint64_t elapsed_us, uint64_t wait_us);
    std::string apply(uint64_t now_us);
    // The same, but before request `request_idx` is answered a commit ends the pass, if it gets that far.
    std::string apply_and_commit(uint64_t now_us, size_t request_idx, const Params& params, const OpsTraits& traits);
    std::string finish();
    // Whether the last finish said that coverage is due.
    bool update_due() const { return update_due_; }

    const Engine& engine() const { return engine_; }
    const NaiveEngine& naive() const { return naive_; }

private:
    std::string compare(const char* after);
    std::string compare_regions() const;
    std::string compare_deadlines() const;
    std::string compare_scheme(size_t scheme_idx) const;
    std::string compare_reading() const;
    void keep(LoggedInput input) {
        if (recording_) log_.push_back(std::move(input));
    }
    bool apply_engine(uint64_t now_us);
    bool apply_naive(uint64_t now_us);

    SyntheticWorld world_;
    Engine engine_;
    NaiveEngine naive_;
    std::vector<NaiveRequest> requests_;
    std::vector<NaiveRequest> naive_requests_;
    bool running_ = false;         // deadlines say nothing otherwise
    size_t cancel_at_ = SIZE_MAX;  // request of the present pass that is not answered
    bool update_due_ = false;
    bool recording_ = false;
    InputLog log_;
};

// One line a region, for reports.
std::string describe_regions(const Engine& engine);
std::string describe_regions(const NaiveEngine& engine);

}  // namespace damon::test
