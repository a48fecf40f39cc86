// The operations on virtual address spaces: vaddr and fvaddr (M-1 to M-5). Composes access checks and actions.
#pragma once

#include <cstdint>

#include "base/vector.h"
#include "ops/linux/access/access_checker.h"
#include "ops/linux/access/checks/report.h"
#include "ops/linux/access/tracked_ranges.h"
#include "ops/linux/actions/action_executor.h"
#include "ops/linux/actions/page_prober.h"
#include "ops/linux/coverage_plan.h"
#include "ops/linux/passes/accessed_passes.h"
#include "ops/ops.h"
#include "os/metrics/system_metrics.h"

namespace damon {

class VaddrOps final : public Ops {
public:
    OpsTraits traits() const override;
    Status validate(const Params& params) const override;
    bool can_survey(const Params& params) const override;
    Status start(const Params& params) override;
    Status change(const Params& params) override;
    void commit(const Params& params) override;
    void stop() override;
    // vaddr: what is mapped inside of the given ranges; else this process's memory, or the three ranges of another
    // one's address space (M-4).
    // fvaddr: never changes anything (M-5).
    void refresh(uint32_t target_idx, RefreshReason reason, TargetCoverage& coverage) override;
    bool wants_refresh() const override { return ops_id_ != OpsId::kFvaddr && nr_gone() != nr_gone_refreshed_; }
    void arm(std::span<Sample> samples) override;
    void look(std::span<Sample> samples) override;
    void arm_spans(std::span<Span> spans) override;
    void look_spans(std::span<Span> spans) override;
    void disarm() override;
    uint64_t release_some() override;
    void set_paused(bool paused) override;
    Status notice() override;
    bool begin_pass(bool wanted) override;
    uint64_t pass_step(uint64_t now_ns) override;
    uint64_t pass_generation() const override { return passes_.generation(); }
    bool pass_answers(Vector<PassWindow>& out) override { return passes_.answers(out); }
    uint64_t pass_access_cost_ns() const override { return passes_.refault_ns(); }
    bool target_valid(uint32_t target_idx) override;
    bool targets_can_die() const override;
    Outcome apply(const ActionRequest& request) override;
    void probe(std::span<const Sample> samples, std::span<uint8_t> hits) override;
    void measure(std::span<MetricQuery> queries) override;
    int32_t free_memory_permil() override;
    int32_t own_memcg_permil() override;
    void set_now(uint64_t now_us) override;

    // Any thread, at any time: 0; -EAGAIN: too many at once, dropped; -ECANCELED: not running or paused; -EOPNOTSUPP:
    // this context was never started with a check that takes reports.
    int report_access(const AccessReport& report) { return reports_.report(report); }

    // What the program promises to leave mapped as it is, for passes; any thread.
    AccessedPasses& passes() { return passes_; }

    // What else is armed for the context, which a pause disarms.
    void set_tracked(TrackedRanges& tracked) { tracked_ = &tracked; }

    // Reports that were dropped, in all runs; any thread.
    uint64_t nr_lost_reports() const { return reports_.dropped(); }
    // Totals of this run; not while it begins.
    AccessStatistics statistics() const;
    // Totals of all runs; any thread.
    const ActionStatistics& action_statistics() const { return actions_.statistics(); }

private:
    CoverageRule rule_of(uint32_t target_idx, std::span<const AddressRange> given) const;
    [[nodiscard]] bool read_mappings(uint32_t target_idx, RefreshReason reason);
    void prepare_survey(const Params& params);
    bool reads_for_checker(RefreshReason reason) const { return takes_samples() && reason == RefreshReason::kUpdate; }
    size_t max_areas() const;
    uint64_t nr_gone() const;
    bool takes_samples() const { return !takes_reports() && !is_source(AnswerSource::kPasses); }
    bool is_source(AnswerSource source) const { return access_check_ != nullptr && access_check_->source == source; }
    bool takes_reports() const { return is_source(AnswerSource::kReports); }

    OpsId ops_id_ = OpsId::kVaddr;
    const AccessCheckRow* access_check_ = nullptr;  // nullptr: never started
    Vector<int32_t> pids_;                          // by target; 0: this process
    uint64_t max_nr_regions_ = 0;
    uint64_t min_region_sz_ = 1;
    uint32_t coverage_flags_ = 0;  // CoverageFlags
    CoveragePlan plan_;
    uint64_t nr_gone_refreshed_ = 0;  // samples without a mapping, as far as the last refresh knew
    AccessChecker checker_;
    AccessedPasses passes_;
    TrackedRanges* tracked_ = nullptr;
    std::span<Sample> armed_;  // until they are looked at
    ReportRing reports_;
    AccessStatistics report_statistics_;
    ActionExecutor actions_;
    PageProber prober_;
    SystemMetrics metrics_;
    int told_obstacle_ = 0;           // to passes: its errno
    bool told_copies_ = false;        // that another copy of the library is at work
    uint64_t nr_reopened_files_ = 0;  // reported in the context's message
};

}  // namespace damon
