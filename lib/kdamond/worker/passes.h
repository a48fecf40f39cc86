// Passes over accessed bits (Attrs::referenced_us), step by step between the samples.
#pragma once

#include <cstdint>

#include "base/vector.h"
#include "kdamond/timing/pass_schedule.h"
#include "kdamond/worker/costs.h"
#include "kdamond/worker/run.h"
#include "model/pass_window.h"

namespace damon {

class Passes {
public:
    Passes(Run& run, Costs& costs) : run_(run), costs_(costs) {}

    void start();
    // At the beginning of an interval: what the last pass found goes to the engine, and the next one begins.
    void follow();
    // The next step of the pass that is under way.
    void step();
    // Manual drive has no time between the steps: what is under way is made as a whole.
    void make_whole();
    void give_up() { schedule_.give_up(); }

    bool under_way() const { return schedule_.under_way(); }
    // When to make a step in an interval that ends at `end_ns`; kNoDeadline: not in this one.
    uint64_t step_at(uint64_t end_ns, uint64_t now_ns) const { return schedule_.step_at(end_ns, now_ns); }

private:
    void take_answers(bool wanted);

    Run& run_;
    Costs& costs_;
    PassSchedule schedule_;
    Vector<PassWindow> windows_;
    bool watching_ = false;          // windows are watched
    uint64_t taken_generation_ = 0;  // what the engine knows of them
};

}  // namespace damon
