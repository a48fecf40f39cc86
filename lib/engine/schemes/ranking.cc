#include "engine/schemes/ranking.h"

#include "engine/schemes/matching.h"

namespace damon {

void Ranking::begin() { *this = {}; }

bool Ranking::next_score(const ApplyContext& context, ActionRequest& request) {
    for (; cursor_.scheme < context.schemes.size(); ++cursor_.scheme) {
        QuotaState& quota = context.states[cursor_.scheme].quota;
        if (!context.states[cursor_.scheme].in_pass || !is_ranked(context, cursor_.scheme)) continue;
        for (; cursor_.target < context.regions.nr_targets(); ++cursor_.target) {
            if (rank_target(context, request)) return true;
            cursor_.region = 0;
        }
        cursor_.target = 0;
        quota.min_score = histogram_.min_score(quota.esz);
        histogram_.clear();
    }
    return false;
}

bool Ranking::rank_target(const ApplyContext& context, ActionRequest& request) {
    for (; cursor_.region < context.regions.nr_regions_of(cursor_.target); ++cursor_.region) {
        RegionInfo region = region_under(context, cursor_);
        const SchemeParams& scheme = context.schemes[cursor_.scheme];
        // What will be spared takes nothing of the quota.
        if (!scheme_matches(scheme, region) || unseen_reads_spare(scheme, region)) continue;
        const FilterVerdict verdict = run_core_filters(context, cursor_, {region.start, region.end});
        if (!verdict.accepted) continue;
        if (verdict.cut) region = region_under(context, cursor_);
        if (context.traits.score == ScoreSource::kAsk) {
            request = make_request(context, cursor_, region, verdict.by_filter);
            request.kind = RequestKind::kScore;
            return true;
        }
        histogram_.add(builtin_score(context, cursor_.scheme, region), region.end - region.start);
    }
    return false;
}

void Ranking::take_score(const ApplyContext& context, uint32_t score) {
    histogram_.add(score, context.regions.at(cursor_.target, cursor_.region).size());
    ++cursor_.region;
}

}  // namespace damon
