#include "kdamond/worker/surveys.h"

namespace damon {
namespace {

// Where time is not real, equal runs must cost the same: what was measured on the development machine.
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

void Surveys::arm() {
    const std::span<Span> spans = run_.engine.spans_to_arm();
    if (spans.empty()) return;
    {
        const CpuScope scope(run_.meter, Consumer::kSurvey);
        const AddedRanges::Touch touch(added_.ranges(), run_.touches_memory());
        for (Span& span : spans) {
            if (added_.is_all()) clip(span, added_.ranges());
        }
        run_.ops->arm_spans(spans);
    }
    costs_.charge_survey(model_cost_ns(spans, kModelArmPageNs), 0);
}

void Surveys::look() {
    const std::span<Span> spans = run_.engine.spans_to_look_at();
    if (spans.empty()) return;
    {
        const CpuScope scope(run_.meter, Consumer::kSurvey);
        const AddedRanges::Touch touch(added_.ranges(), run_.touches_memory());
        for (Span& span : spans) span.withdrawn = added_.is_all() && !lies_in(span, added_.ranges());
        run_.ops->look_spans(spans);
    }
    uint64_t nr_hits = 0;
    for (const Span& span : spans) nr_hits += span.hit.count();
    costs_.charge_survey(model_cost_ns(spans, kModelLookPageNs), nr_hits);
}

}  // namespace damon
