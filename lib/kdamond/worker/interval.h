// One sampling interval: plan, arm, (time passes), look, count, calls, (pause), schemes, publish, finish. Real and
// simulated runs, threads and manual steps all come through here. The order is that of rules L-3 to L-14.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/engine.h"
#include "model/action.h"
#include "model/sample.h"

namespace damon {

struct Worker;

class Interval {
public:
    // Where it stands. A pause is possible in front of kArmed and of kFinished.
    enum class Stage : uint8_t { kIdle, kArmed, kCounted };

    explicit Interval(Worker& worker) : worker_(worker) {}

    void start();
    Stage stage() const { return stage_; }
    void begin();
    void count();
    void finish();
    // What the clock makes due while an interval that is passed over is waited out.
    void do_what_is_due();
    // The samples in flight are given up, nothing was counted.
    void give_up() { stage_ = Stage::kIdle; }
    // Nothing was counted yet, and time counts from now on.
    void move_begin();
    // Paused, or held back by watermarks: time does not count until sampling goes on.
    void rest() { resting_ = true; }
    // Whether what was armed is no longer to be asked: parameters or coverage changed since.
    bool plan_lost() const;
    // Accesses that the last one found.
    uint64_t nr_seen() const { return nr_seen_; }

    // The end of a window: publishes it.
    void end_window();

private:
    uint64_t elapsed_us();
    void count_answers(std::span<const Sample> samples);
    void apply_schemes();
    Outcome act(const ActionRequest& request);

    Worker& worker_;
    Stage stage_ = Stage::kIdle;
    bool resting_ = true;
    Due due_;
    size_t nr_asked_ = 0;  // samples that were armed
    uint64_t nr_seen_ = 0;
    uint64_t counted_ns_ = 0;  // up to when time was counted as monitored
};

}  // namespace damon
