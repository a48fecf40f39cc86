// What surveys ask, and what it costs.
#include "kdamond/kdamond.h"

namespace damon {
namespace {

// What the program pays for an access that a span sees: measured on the development machine, 0.59 to 0.73 us.
constexpr uint64_t kFaultNs = 730;
// Where time is not real, equal runs must cost the same: what was measured there too.
constexpr uint64_t kModelCallNs = 600;
constexpr uint64_t kModelArmPageNs = 47;
constexpr uint64_t kModelLookPageNs = 5;

uint64_t model_cost_ns(std::span<const Span> spans, uint64_t page_ns) {
    uint64_t cost_ns = 0;
    for (const Span& span : spans) cost_ns += kModelCallNs + span.nr_pages * page_ns;
    return cost_ns;
}

// What of the span lies in added ranges, around its middle: whole pages of one stretch.
void clip(Span& span, const AddedRanges& added) {
    const uint64_t middle = span.start + span.nr_pages / 2 * uint64_t{span.page_bytes};
    AddressRange rest = span.range();
    AddressRange stretch;
    for (AddressRange part; !(part = added.next_part(rest)).empty(); rest.start = part.end) {
        if (!stretch.empty() && stretch.end == part.start) {
            stretch.end = part.end;
        } else if (!stretch.contains(middle)) {
            stretch = part;
        }
    }
    stretch = {align_up(stretch.start, span.page_bytes), align_down(stretch.end, span.page_bytes)};
    if (!stretch.contains(middle)) stretch = {span.start, span.start};
    span.start = stretch.start;
    span.nr_pages = static_cast<uint16_t>(stretch.size() / span.page_bytes);
}

bool lies_in(const Span& span, const AddedRanges& added) {
    AddressRange rest = span.range();
    while (!rest.empty()) {
        const AddressRange part = added.next_part(rest);
        if (part.empty() || part.start != rest.start) return false;
        rest.start = part.end;
    }
    return true;
}

}  // namespace

void Kdamond::arm_spans() {
    const std::span<Span> spans = engine_.spans_to_arm();
    if (spans.empty()) return;
    {
        const CpuScope scope(meter_, Consumer::kSurvey);
        const AddedRanges::Touch touch(added_, touches_itself());
        for (Span& span : spans) {
            if (added_.only()) clip(span, added_);
        }
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
        for (Span& span : spans) span.withdrawn = added_.only() && !lies_in(span, added_);
        ops_->look_spans(spans);
    }
    uint64_t nr_hits = 0;
    for (const Span& span : spans) nr_hits += span.hit.count();
    charge_survey(model_cost_ns(spans, kModelLookPageNs), nr_hits);
}

// Measured, with what the program pays for the accesses that were seen; by the model where time is not real.
void Kdamond::charge_survey(uint64_t model_ns, uint64_t nr_hits) {
    if (manual_ || traits_.simulated) {
        if (manual_) survey_cost_ns_ = saturating_add(survey_cost_ns_, model_ns + nr_hits * kFaultNs);
        return engine_.charge_survey(model_ns + nr_hits * kFaultNs);
    }
    const uint64_t spent_ns = meter_.spent(Consumer::kSurvey);
    const uint64_t cost_ns = spent_ns - charged_survey_ns_ + nr_hits * kFaultNs;
    charged_survey_ns_ = spent_ns;
    engine_.charge_survey(cost_ns);
    survey_cost_ns_ = saturating_add(survey_cost_ns_, cost_ns);
}

}  // namespace damon
