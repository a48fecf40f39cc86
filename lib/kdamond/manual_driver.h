// Manual drive: any thread takes the worker's place for a moment, to step, to call or to change.
#pragma once

#include <cstdint>

#include "kdamond/worker/driver.h"
#include "os/lock.h"

namespace damon {

class ManualDriver final : public Driver {
public:
    using Driver::Driver;
    ~ManualDriver() = default;

    Status launch() override;
    bool busy_locked() const override { return busy_; }
    void stop(Lock& lock) override;
    int call(Call& call, uint64_t run_number, uint64_t* id_out) override;
    Status set_pause(bool pause) override;
    int install(Walk& walk) override;
    int step(uint64_t now_us) override;
    bool enter() override;
    void leave() override;

private:
    bool runs_locked() const;
    int begin_step(uint64_t now_us);
    bool held_back();
    void begin_before(uint64_t now_us);
    void settle();
    void advance();

    uint64_t now_us_ = 0;
    bool stepped_ = false;        // in this run
    uint64_t gate_until_us_ = 0;  // no sampling before: the schemes wait for their watermarks

    // Under the sync's mutex:
    bool busy_ = false;      // a thread is stepping, calling or changing
    bool stepping_ = false;  // of these, stepping
};

}  // namespace damon
