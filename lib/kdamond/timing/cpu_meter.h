// What the worker's processor time is spent on.
#pragma once

#include <atomic>
#include <cstdint>

#include "os/thread.h"

namespace damon {

enum class Consumer : uint8_t {
    kSampling,  // arming, looking, counting, merging, splitting, publishing: all that is nothing else
    kUpdate,    // reading the mappings
    kActions,   // schemes, and callbacks of the program
    kSurvey,
    kReferenced,
};
inline constexpr size_t kNrConsumers = 5;

// Charges the time since the last switch to who had it. The worker switches, any thread reads.
class CpuMeter {
public:
    // On the worker: its time counts from here on. Where it is not called (manual drive) nothing is measured.
    void start() {
        running_ = true;
        current_ = Consumer::kSampling;
        last_ns_ = thread_cpu_ns();
    }
    void stop() {
        if (running_) charge();
        running_ = false;
    }
    // Who has the time from here on; returns who had it.
    Consumer enter(Consumer next) {
        if (running_) charge();
        const Consumer before = current_;
        current_ = next;
        return before;
    }
    // What `consumer` has spent up to now. On the worker.
    uint64_t spent_now(Consumer consumer) {
        if (running_) charge();
        return spent(consumer);
    }
    // The same up to the last switch. Any thread.
    uint64_t spent(Consumer consumer) const {
        return spent_ns_[static_cast<size_t>(consumer)].load(std::memory_order_relaxed);
    }

private:
    void charge() {
        const uint64_t now_ns = thread_cpu_ns();
        std::atomic<uint64_t>& spent = spent_ns_[static_cast<size_t>(current_)];
        spent.store(spent.load(std::memory_order_relaxed) + (now_ns - last_ns_), std::memory_order_relaxed);
        last_ns_ = now_ns;
    }

    bool running_ = false;
    Consumer current_ = Consumer::kSampling;
    uint64_t last_ns_ = 0;
    std::atomic<uint64_t> spent_ns_[kNrConsumers] = {};
};

// Gives the time of a scope to a consumer.
class CpuScope {
public:
    CpuScope(CpuMeter& meter, Consumer consumer) : meter_(meter), before_(meter.enter(consumer)) {}
    ~CpuScope() { meter_.enter(before_); }
    CpuScope(const CpuScope&) = delete;
    CpuScope& operator=(const CpuScope&) = delete;

private:
    CpuMeter& meter_;
    const Consumer before_;
};

}  // namespace damon
