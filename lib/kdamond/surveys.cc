// What surveys ask, and what it costs.
#include "kdamond/kdamond.h"

namespace damon {
namespace {

// Where time is not real, equal runs must cost the same: what was measured on the development machine.
constexpr uint64_t kModelCallNs = 600;
constexpr uint64_t kModelArmPageNs = 47;
constexpr uint64_t kModelLookPageNs = 5;
constexpr uint64_t kModelFaultNs = 730;

uint64_t model_cost_ns(std::span<const Span> spans, uint64_t page_ns) {
    uint64_t cost_ns = 0;
    for (const Span& span : spans) cost_ns += kModelCallNs + span.nr_pages * page_ns;
    return cost_ns;
}

}  // namespace

void Kdamond::arm_spans() {
    const std::span<Span> spans = engine_.spans_to_arm();
    if (spans.empty()) return;
    {
        const CpuScope scope(meter_, Consumer::kSurvey);
        const AddedRanges::Touch touch(added_, touches_itself());
        ops_->arm_spans(spans);
    }
    charge_survey(model_cost_ns(spans, kModelArmPageNs), 0);
}

void Kdamond::look_spans() {
    const std::span<Span> spans = engine_.spans_to_look_at();
    if (spans.empty()) return;
    {
        const CpuScope scope(meter_, Consumer::kSurvey);
        const AddedRanges::Touch touch(added_, touches_itself());
        ops_->look_spans(spans);
    }
    uint64_t nr_hits = 0;
    for (const Span& span : spans) nr_hits += span.hit.count();
    charge_survey(model_cost_ns(spans, kModelLookPageNs), nr_hits);
}

// Measured, with what the program pays for the accesses that were seen; by the model where time is not real.
void Kdamond::charge_survey(uint64_t model_ns, uint64_t nr_hits) {
    if (manual_ || traits_.simulated) return engine_.charge_survey(model_ns + nr_hits * kModelFaultNs);
    const uint64_t spent_ns = meter_.spent(Consumer::kSurvey);
    const uint64_t cost_ns = spent_ns - charged_survey_ns_ + nr_hits * traits_.access_cost_ns;
    charged_survey_ns_ = spent_ns;
    engine_.charge_survey(cost_ns);
    survey_cost_ns_ = saturating_add(survey_cost_ns_, cost_ns);
}

}  // namespace damon
