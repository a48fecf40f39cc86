// Drives sampling intervals on a thread of the worker's own: arms, sleeps until the deadline, looks; waits at the
// watermarks.
#pragma once

#include <cstdint>

#include "kdamond/worker_thread.h"

namespace damon {

class ThreadDriver final : public WorkerThread {
public:
    using WorkerThread::WorkerThread;
    ~ThreadDriver() = default;

    void prepare(const StartOptions& options) override;

private:
    enum class Sleep : uint8_t { kElapsed, kInterrupted };

    void advance() override;
    void restart_schedule() override;
    Sleep sleep_interval();
    Sleep wait_for(uint64_t nominal_ns, uint64_t permitted_ns);
    uint64_t next_due_ns(uint64_t permitted_ns) const;
    bool wait_and_act(Lock& lock, uint64_t due_ns);
    void wait_and_step(Lock& lock, uint64_t step_ns);
    bool pass_gate();

    uint64_t deadline_ns_ = 0;  // of the interval; 0: the next one begins when it begins
};

}  // namespace damon
