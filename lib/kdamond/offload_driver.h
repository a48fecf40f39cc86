// The worker where somebody else monitors (OpsTraits::offloaded): its thread follows, window by window. Calls, commits,
// walks, pause, stop and snapshots are as everywhere.
#pragma once

#include <cstdint>

#include "kdamond/worker_thread.h"
#include "model/observation.h"
#include "ops/offloaded_monitor.h"

namespace damon {

class OffloadDriver final : public WorkerThread {
public:
    using WorkerThread::WorkerThread;
    ~OffloadDriver() = default;

    void prepare(const StartOptions& options) override;
    Status check(Ability ability) const override;
    void announce_pause(bool pause) override;
    void take_back_change() override;
    const char* other_end() const override;

private:
    void advance() override;
    Status freeze(bool pause) override;
    uint64_t round_us() const override;
    bool wait_for_window();
    void show(const Status& status, bool walking);
    void report_tried();

    OffloadedMonitor* monitor_ = nullptr;
    Observation observation_;
    uint64_t rest_until_ns_ = 0;  // when to look next
    uint64_t last_work_ns_ = 0;   // processor time of the last look
};

}  // namespace damon
