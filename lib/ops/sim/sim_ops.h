// The simulator: access checks and actions on synthetic memory in virtual time. A world is built before or between the
// sampling intervals; the driver sets the time; equal seeds, worlds and times give equal answers on every machine.
// One thread at a time.
#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "base/status.h"
#include "base/vector.h"
#include "ops/ops.h"
#include "ops/sim/machine.h"
#include "ops/sim/sim_memory.h"
#include "ops/sim/truth.h"
#include "ops/sim/world.h"

namespace damon {

class SimOps final : public Ops {
public:
    // `page_size`: a power of two.
    explicit SimOps(uint64_t seed = 1, uint64_t page_size = 4096) : seed_(seed), world_(page_size), memory_(world_) {
        SimMachine machine;
        machine.page_size = page_size;
        memory_.set_machine(machine);
    }
    SimOps(const SimOps&) = delete;
    SimOps& operator=(const SimOps&) = delete;

    // --- building; each may also be used between two sampling intervals, and then holds from now on -----------------
    // Failure: -EINVAL or -ENOMEM, and nothing changed.
    Status add_range(const SimRange& range);
    Status add_pattern(const SimPattern& pattern);
    Status set_machine(const SimMachine& machine);
    // The target ends at `at_us`: from then on it is not valid and cannot be looked at.
    Status set_target_end(uint32_t target_idx, uint64_t at_us);

    // --- time ---------------------------------------------------------------------------------------------------
    // Does not go back: an earlier time than now is ignored.
    void set_now(uint64_t now_us) override;
    uint64_t now_us() const { return now_us_; }

    // --- truth --------------------------------------------------------------------------------------------------
    const SimWorld& world() const { return world_; }
    const SimMemory& memory() const { return memory_; }
    SimStat stat() const { return memory_.stat(now_us_); }

    // --- Ops ----------------------------------------------------------------------------------------------------
    OpsTraits traits() const override;
    // Every target of the parameters must be one of the world.
    Status validate(const Params& params) const override;
    // -EBUSY: another run is under way.
    Status start(const Params& params) override;
    void stop() override;
    void commit(const Params& params) override;
    // The ranges of the world, joined where they touch. Ranges that the user gave are final, as with fvaddr.
    void refresh(uint32_t target_idx, RefreshReason reason, TargetCoverage& coverage) override;
    // A page counts as armed from the present moment on, and look() returns whether it was accessed until the moment
    // that is then the present one.
    void arm(std::span<Sample> samples) override;
    void look(std::span<Sample> samples) override;
    void arm_spans(std::span<Span> spans) override;
    void look_spans(std::span<Span> spans) override;
    // Passes see all anonymous memory of the one target, in a single step, windows of 2 MiB.
    bool begin_pass(bool wanted) override;
    uint64_t pass_step(uint64_t now_ns) override;
    uint64_t pass_generation() const override { return pass_generation_; }
    bool pass_answers(Vector<PassWindow>& out) override { return out.copy_from(pass_windows_); }
    bool target_valid(uint32_t target_idx) override;
    bool targets_can_die() const override { return !target_ends_.empty(); }
    Outcome apply(const ActionRequest& request) override;
    void probe(std::span<const Sample> samples, std::span<uint8_t> hits) override;
    void measure(std::span<MetricQuery> queries) override;
    int32_t free_memory_permil() override;
    uint64_t take_model_cost_ns() override { return std::exchange(cost_ns_, 0); }

private:
    Status replace_world(SimWorld& next);
    bool alive(uint32_t target_idx) const;
    // Whether somebody could look at a page, and found it accessed since `since_us`.
    Seen seen_since(uint32_t target_idx, uint64_t address, uint64_t since_us, size_t& hint, bool& writes_only) const;
    [[nodiscard]] bool list_windows(Vector<PassWindow>& out) const;
    void look_at(PassWindow& window) const;
    bool measure_one(MetricQuery& query, const SimStat& stat) const;

    uint64_t seed_;
    uint64_t now_us_ = 0;
    uint64_t armed_us_ = 0;
    uint64_t cost_ns_ = 0;
    uint64_t passed_us_ = 0;  // when the last pass was made
    bool passed_ = false;
    uint64_t pass_generation_ = 1;
    Vector<PassWindow> pass_windows_;
    bool in_run_ = false;
    SimWorld world_;
    SimMemory memory_;
    Vector<uint64_t> target_ends_;  // by target; empty: none ever ends
    Vector<uint8_t> pinned_;        // by target: the user gave ranges
    Vector<ProbeParams> probes_;
};

}  // namespace damon
