// What a context is doing, since when and why: written by the worker and by those who start and stop it, read by
// anyone.
#pragma once

#include <cstddef>
#include <cstdint>

namespace damon {

// Values are part of the C ABI: enum damon_state.
enum class State : int32_t {
    kStopped = 0,
    kSampling = 1,
    kLimited = 2,
    kPaused = 3,
    kWatermarks = 4,
    kEnded = 5,
};

struct Activity {
    static constexpr size_t kReasonBytes = 160;

    State state = State::kStopped;
    uint64_t since_ns = 0;
    uint64_t window_us = 0;    // real length of the last window
    uint64_t cost_permil = 0;  // of one CPU, while it samples
    char reason[kReasonBytes] = "not started";

    // `text` may be the reason itself; longer ones are cut.
    void become(State next, uint64_t now_ns, const char* text);
};

// What monitoring cost over the last second or more of sampling.
class CostRate {
public:
    static constexpr uint64_t kSpanNs = 1'000'000'000;

    void start(uint64_t now_ns) {
        begin_ns_ = now_ns;
        cost_ns_ = 0;
        measured_ = false;
    }
    void add(uint64_t cost_ns) { cost_ns_ += cost_ns; }
    // Time that was not monitored does not count.
    void skip(uint64_t rested_ns) { begin_ns_ += rested_ns; }
    // At the end of a window. True: `permil` is new.
    bool measure(uint64_t now_ns, uint64_t& permil);

private:
    uint64_t begin_ns_ = 0;
    uint64_t cost_ns_ = 0;
    bool measured_ = false;
};

}  // namespace damon
