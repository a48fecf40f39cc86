// A driver with a thread of its own: begins a run, goes on step by step, waits while it is paused, ends.
#pragma once

#include <cstdint>

#include "kdamond/worker/driver.h"
#include "os/lock.h"
#include "os/thread.h"

namespace damon {

class WorkerThread : public Driver {
public:
    using Driver::Driver;

    void prepare(const StartOptions& options) override;
    Status launch() override;
    bool busy_locked() const override { return joining_; }
    void stop(Lock& lock) override;
    void reap(Lock& lock) override;
    uint64_t cpu_ns_locked() const override { return thread_.cpu_ns(); }
    uint64_t own_cpu_ns() const override { return thread_cpu_ns(); }
    int call(Call& call, uint64_t run_number, uint64_t* id_out) override;
    Status set_pause(bool pause) override;
    bool paused_locked() const override;

protected:
    ~WorkerThread() = default;

    // --- on the thread ---

    // Goes on by one interval or window, or as far as it gets. A run that is not paused and not to end.
    virtual void advance();
    // How often a paused worker looks after its targets and repeat calls.
    virtual uint64_t round_us() const;
    // Pauses what is not the worker itself, or lets it go on.
    virtual Status freeze(bool pause);
    virtual void restart_schedule();
    // Waits and counts a wake-up. False when the deadline has passed. The sync's mutex is held.
    bool wait_until(uint64_t deadline_ns);
    bool release_piece(Lock& lock);

private:
    static void* main(void* self);
    void run();
    Status adopt_thread_options();
    void join(Lock& lock);
    void pause_here();
    void resume();
    void refuse_pause(const Status& status);
    void wait_while_paused();
    void wait_round(Lock& lock, uint64_t& round_ns, bool& ended);

    ThreadOptions options_;
    Thread thread_;

    // Under the sync's mutex:
    bool joining_ = false;
    Status start_status_;
};

}  // namespace damon
