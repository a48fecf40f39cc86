#include "support/random_params.h"

#include <algorithm>
#include <new>

namespace damon::test {
namespace {

template <typename T>
void push(Vector<T>& list, T&& element) {
    if (!list.push_back(std::move(element))) throw std::bad_alloc();
}

template <typename T>
T deep_copy(const T& value) {
    T copy;
    if (!copy.copy_from(value)) throw std::bad_alloc();
    return copy;
}

int some_callback;  // engines do not look behind it

uint64_t random_address(Draws& draws, const ParamsStyle& style) {
    return style.base + draws.below(style.units + 1) * style.granularity;
}

TargetParams random_target(Draws& draws, const ParamsStyle& style) {
    TargetParams target;
    target.pid = static_cast<int32_t>(draws.below(3));
    for (const AddressRange range : random_ranges(draws, style, 4)) push(target.ranges, AddressRange(range));
    return target;
}

AccessPattern random_pattern(Draws& draws, const ParamsStyle& style) {
    AccessPattern pattern;
    if (draws.one_in(2)) return pattern;
    if (draws.one_in(2)) pattern.min_sz = draws.below(style.units / 4 + 1) * style.granularity;
    if (draws.one_in(3)) pattern.max_sz = draws.between(1, style.units + 1) * style.granularity;
    if (draws.one_in(2)) pattern.min_nr_accesses = static_cast<uint32_t>(draws.below(4));
    if (draws.one_in(2)) pattern.max_nr_accesses = static_cast<uint32_t>(draws.below(12));
    if (draws.one_in(3)) pattern.min_age = static_cast<uint32_t>(draws.below(4));
    if (draws.one_in(4)) pattern.max_age = static_cast<uint32_t>(draws.below(12));
    // What no region could match is refused; spoil() makes such.
    pattern.max_sz = std::max(pattern.max_sz, pattern.min_sz);
    pattern.max_nr_accesses = std::max(pattern.max_nr_accesses, pattern.min_nr_accesses);
    pattern.max_age = std::max(pattern.max_age, pattern.min_age);
    return pattern;
}

QuotaParams random_quota(Draws& draws, const ParamsStyle& style) {
    QuotaParams quota;
    quota.weight_sz = static_cast<uint32_t>(draws.below(3));
    quota.weight_nr_accesses = static_cast<uint32_t>(draws.below(3));
    quota.weight_age = static_cast<uint32_t>(draws.below(3));
    quota.reset_interval_ms = draws.below(4);
    if (draws.one_in(2)) return quota;
    if (draws.one_in(4)) quota.ms = draws.below(3);
    if (!draws.one_in(3)) quota.sz = draws.below(style.units) * style.granularity + draws.below(2);
    quota.goal_tuner = draws.one_in(2) ? GoalTuner::kConsist : GoalTuner::kTemporal;
    if (draws.one_in(2)) {
        quota.fail_charge_num = static_cast<uint32_t>(draws.below(4));
        quota.fail_charge_denom = static_cast<uint32_t>(draws.below(5));
    }
    return quota;
}

QuotaGoal random_goal(Draws& draws, const OpsTraits& traits) {
    QuotaGoal goal;
    goal.metric = static_cast<QuotaMetric>(draws.below(static_cast<uint64_t>(kNrQuotaMetrics)));
    if (goal.metric == QuotaMetric::kNodeEligibleMemBp && traits.has_subject) goal.metric = QuotaMetric::kUserInput;
    goal.nid = static_cast<int32_t>(draws.below(2));
    goal.target_value = draws.between(1, 200);
    goal.current_value = draws.below(300);
    return goal;
}

DamosFilter random_core_filter(Draws& draws, const ParamsStyle& style) {
    DamosFilter filter;
    filter.matching = draws.one_in(2);
    filter.allow = draws.one_in(2);
    if (draws.one_in(4)) {
        filter.type = FilterType::kTarget;
        filter.target_idx = static_cast<uint32_t>(draws.below(style.most_targets));
        return filter;
    }
    filter.type = FilterType::kAddr;
    filter.range.start = random_address(draws, style);
    filter.range.end = filter.range.start + draws.between(1, style.units / 2 + 2) * style.granularity;
    if (style.granularity > 1 && draws.one_in(4)) filter.range.end -= draws.below(style.granularity);
    return filter;
}

Watermarks random_watermarks(Draws& draws) {
    Watermarks marks;
    if (!draws.one_in(4)) return marks;
    marks.metric = WatermarkMetric::kFreeMemRate;
    marks.high = static_cast<uint32_t>(draws.between(400, 1000));
    marks.mid = static_cast<uint32_t>(draws.between(200, 400));
    marks.low = static_cast<uint32_t>(draws.below(201));
    marks.interval_us = draws.below(3) * 100;
    return marks;
}

SchemeParams random_scheme(Draws& draws, const ParamsStyle& style, const OpsTraits& traits, const Attrs& attrs) {
    SchemeParams scheme;
    scheme.pattern = random_pattern(draws, style);
    scheme.pattern.min_nr_accesses =
        std::min(scheme.pattern.min_nr_accesses, static_cast<uint32_t>(attrs.max_nr_accesses()));
    scheme.action = static_cast<DamosAction>(draws.below(static_cast<uint64_t>(kNrDamosActions)));
    if (draws.one_in(2)) scheme.action = DamosAction::kStat;
    scheme.callback_id = &some_callback;
    scheme.flags = draws.one_in(3) ? kAllowUnseenReads : 0u;
    if (style.crowded) {
        scheme.apply_interval_us = 1;
        scheme.quota.sz = draws.between(1, 40) * style.granularity;
        if (draws.one_in(2)) return scheme;
    } else if (draws.one_in(2))
        scheme.apply_interval_us = draws.between(1, 30) * attrs.divisor_us() + draws.below(2);
    scheme.quota = random_quota(draws, style);
    scheme.wmarks = random_watermarks(draws);
    if (draws.one_in(5)) scheme.min_age_us = draws.below(8 * attrs.aggr_us);
    if (draws.one_in(5)) scheme.max_nr_snapshots = draws.between(1, 40);
    if (draws.one_in(4)) push(scheme.goals, random_goal(draws, traits));
    if (draws.one_in(8)) push(scheme.goals, random_goal(draws, traits));
    for (uint64_t left = draws.one_in(2) ? draws.below(4) : 0; left > 0; --left) {
        push(scheme.core_filters, random_core_filter(draws, style));
    }
    if (draws.one_in(4)) {
        DamosFilter filter;
        filter.matching = draws.one_in(2);
        filter.allow = draws.one_in(2);
        push(scheme.ops_filters, std::move(filter));
    }
    return scheme;
}

Vector<ProbeParams> random_probes(Draws& draws, const ParamsStyle& style, bool weighted) {
    Vector<ProbeParams> probes;
    if (!style.probes) return probes;
    for (uint64_t left = draws.below(kMaxProbes + 1); left > 0; --left) {
        ProbeParams probe;
        if (weighted) probe.weight = static_cast<uint32_t>(draws.below(4));
        ProbeFilter filter;
        filter.memcg_id = draws.below(3);
        if (draws.one_in(2)) push(probe.filters, std::move(filter));
        push(probes, std::move(probe));
    }
    return probes;
}

// O-3 wants the sampling interval inside the goal's range.
IntervalsGoal random_intervals_goal(Draws& draws, uint64_t sample_us) {
    IntervalsGoal goal;
    goal.access_bp = draws.pick<uint64_t>({1, 10, 40, 400, 5'000});
    goal.aggrs = draws.between(1, 4);
    goal.min_sample_us = std::max<uint64_t>(1, sample_us / draws.between(1, 5));
    goal.max_sample_us = sample_us * draws.between(1, 9);
    return goal;
}

}  // namespace

ParamsStyle random_style(Draws& draws, bool with_schemes) {
    ParamsStyle style;
    style.granularity = draws.pick<uint64_t>({1, 1, 4, 8, 4096});
    style.units = draws.pick<uint64_t>({16, 64, 64, 300, uint64_t{1} << 30});
    style.base = draws.pick<uint64_t>({0, 0, 0x100000, 0x7f0000000000, uint64_t{1} << 62, 0 - (uint64_t{1} << 43)});
    style.most_targets = static_cast<unsigned>(draws.between(1, 5));
    style.most_schemes = with_schemes ? static_cast<unsigned>(draws.between(1, 5)) : 0;
    style.probes = draws.one_in(3);
    style.crowded = with_schemes && draws.one_in(8);
    if (style.crowded) style.units = uint64_t{1} << 30;
    return style;
}

OpsTraits random_traits(Draws& draws, const ParamsStyle& style) {
    OpsTraits traits;
    traits.has_apply = !draws.one_in(8);
    traits.has_probes = style.probes;
    const uint64_t kind = draws.below(3);
    traits.has_subject = kind != 0;
    traits.obeys_unseen_rule = kind == 1;
    traits.score = draws.pick({ScoreSource::kNone, ScoreSource::kBuiltin, ScoreSource::kPhysical, ScoreSource::kAsk});
    return traits;
}

std::vector<AddressRange> random_ranges(Draws& draws, const ParamsStyle& style, unsigned most) {
    std::vector<uint64_t> bounds(2 * draws.below(most + 1));
    const bool jitter = style.granularity > 1 && draws.one_in(6);
    for (uint64_t& bound : bounds) {
        bound = random_address(draws, style) + (jitter ? draws.below(style.granularity) : 0);
    }
    std::sort(bounds.begin(), bounds.end());
    std::vector<AddressRange> ranges;
    for (size_t i = 0; i + 1 < bounds.size(); i += 2) {
        if (bounds[i] < bounds[i + 1]) ranges.push_back({bounds[i], bounds[i + 1]});
    }
    return ranges;
}

Attrs random_attrs(Draws& draws, bool few_samples) {
    Attrs attrs;
    attrs.sample_us = draws.pick<uint64_t>({0, 1, 7, 10, 100, 5'000, 3'000'000});
    const uint64_t samples = few_samples ? draws.between(1, 30) : draws.pick<uint64_t>({1, 2, 5, 10, 20, 100, 400});
    attrs.aggr_us = attrs.divisor_us() * samples + (attrs.sample_us == 0 ? 0 : draws.below(attrs.sample_us));
    attrs.ops_update_us = draws.one_in(8) ? 0 : attrs.divisor_us() * draws.between(1, 400) + draws.below(3);
    attrs.min_nr_regions = draws.between(3, 12);
    attrs.max_nr_regions = attrs.min_nr_regions + (draws.one_in(4) ? draws.below(3) : draws.below(60));
    if (attrs.sample_us != 0 && draws.one_in(3)) attrs.intervals_goal = random_intervals_goal(draws, attrs.sample_us);
    return attrs;
}

Params random_params(Draws& draws, const ParamsStyle& style, const OpsTraits& traits) {
    Params params;
    const bool weighted = style.probes && draws.one_in(2);
    params.attrs = random_attrs(draws, weighted);
    if (style.crowded) {
        params.attrs.max_nr_regions = params.attrs.min_nr_regions;
        params.attrs.aggr_us = params.attrs.divisor_us() * draws.between(100, weighted ? 255 : 1000);
    }
    params.min_region_sz = style.granularity;
    params.ops_id = traits.has_subject ? OpsId::kVaddr : OpsId::kPaddr;
    for (uint64_t left = draws.below(style.most_targets + 1); left > 0; --left) {
        push(params.targets, random_target(draws, style));
    }
    for (uint64_t left = draws.below(style.most_schemes + 1); left > 0; --left) {
        push(params.schemes, random_scheme(draws, style, traits, params.attrs));
    }
    params.probes = random_probes(draws, style, weighted);
    return params;
}

void spoil(Draws& draws, Params& params) {
    Attrs& attrs = params.attrs;
    SchemeParams* scheme = params.schemes.empty() ? nullptr : &params.schemes[draws.below(params.schemes.size())];
    switch (draws.below(scheme == nullptr ? 7 : 17)) {
        case 0:
            attrs.min_nr_regions = draws.below(3);
            break;
        case 1:
            attrs.max_nr_regions = attrs.min_nr_regions - 1;
            break;
        case 2:
            attrs.sample_us = attrs.aggr_us + 1;
            break;
        case 3:
            attrs.intervals_goal = {.access_bp = 1, .aggrs = 1, .min_sample_us = 9, .max_sample_us = 8};
            break;
        case 4:
            params.min_region_sz = draws.pick<uint64_t>({0, 3, 6});
            break;
        case 5:
            while (params.probes.size() <= kMaxProbes) push(params.probes, ProbeParams{});
            break;
        case 6:
            push(params.probes, ProbeParams{});
            params.probes.back().weight = UINT32_MAX;
            break;
        case 7:
            scheme->action = static_cast<DamosAction>(draws.pick<int32_t>({-1, kNrDamosActions}));
            break;
        case 8:
            push(scheme->goals, QuotaGoal{});
            break;
        case 9:
            scheme->quota.goal_tuner = static_cast<GoalTuner>(kNrGoalTuners);
            break;
        case 10:
            push(scheme->core_filters, DamosFilter{});
            break;
        case 11:
            push(scheme->ops_filters, DamosFilter{});
            scheme->ops_filters.back().type = FilterType::kTarget;
            break;
        case 12:
            scheme->wmarks.metric = static_cast<WatermarkMetric>(kNrWatermarkMetrics);
            break;
        case 13:
            scheme->wmarks = {.metric = WatermarkMetric::kFreeMemRate, .high = 400, .mid = 401, .low = 3};
            break;
        case 14:
            scheme->pattern.min_sz = 2;
            scheme->pattern.max_sz = 1;
            break;
        case 15:
            scheme->pattern.min_nr_accesses = scheme->pattern.max_nr_accesses = 1'000'000;
            break;
        default:
            push(scheme->migrate_dests, MigrateDest{});
            break;
    }
}

Params varied_params(Draws& draws, const ParamsStyle& style, const OpsTraits& traits, const Params& present) {
    Params params = deep_copy(present);
    Params fresh = random_params(draws, style, traits);
    switch (draws.below(8)) {
        case 0:
            break;  // a commit of what is there already
        case 1:
            return fresh;
        case 2:
            params.attrs = fresh.attrs;
            break;
        case 3:
            params.attrs.max_nr_regions = params.attrs.min_nr_regions + draws.below(40);
            break;
        case 4:
            params.schemes = std::move(fresh.schemes);
            break;
        case 5:
            for (TargetParams& target : params.targets) target.obsolete = draws.one_in(4);
            if (draws.one_in(6)) {
                push(params.targets, random_target(draws, style));
                params.targets.back().obsolete = true;
            }
            break;
        case 6:
            params.targets = std::move(fresh.targets);
            break;
        default:
            for (TargetParams& target : params.targets) target.ranges.clear();
            params.min_region_sz = draws.pick<uint64_t>({1, 2, style.granularity, style.granularity * 4});
            break;
    }
    if (!params.probes.empty() && params.attrs.aggr_samples() > 255) params.probes.clear();
    if (draws.one_in(10)) spoil(draws, params);
    return params;
}

}  // namespace damon::test
