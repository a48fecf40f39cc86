#include "engine/monitor/validation.h"

#include <bit>
#include <cerrno>
#include <cinttypes>

#include "base/arithmetic.h"
#include "engine/monitor/set_regions.h"

namespace damon {
namespace {

constexpr uint64_t kMinNrRegions = 3;
constexpr uint64_t kMostNrRegions = uint64_t{1} << 30;  // beyond any memory for them
constexpr uint64_t kWholeCpuPermil = 1'000;
constexpr uint64_t kMostReferencedUs = 60'000'000;  // accessed bits that are older say nothing
constexpr uint64_t kMaxProbeSamples = 255;          // probe counters have 8 bits

Status validate_intervals_goal(const Attrs& attrs) {
    const IntervalsGoal& goal = attrs.intervals_goal;
    if (goal.aggrs == 0) return {};
    if (goal.access_bp == 0 || goal.access_bp > kBp) {
        return Status::fail(-EINVAL, "intervals_goal.access_bp %" PRIu64 " must be from 1 to %" PRIu64 " (bp)",
                            goal.access_bp, kBp);
    }
    if (goal.min_sample_us > goal.max_sample_us) {
        return Status::fail(
            -EINVAL, "intervals_goal.min_sample_us %" PRIu64 " must not exceed intervals_goal.max_sample_us %" PRIu64,
            goal.min_sample_us, goal.max_sample_us);
    }
    if (attrs.sample_us < goal.min_sample_us || attrs.sample_us > goal.max_sample_us) {
        return Status::fail(-EINVAL,
                            "sample_us %" PRIu64 " must be between intervals_goal.min_sample_us %" PRIu64
                            " and intervals_goal.max_sample_us %" PRIu64,
                            attrs.sample_us, goal.min_sample_us, goal.max_sample_us);
    }
    return {};
}

}  // namespace

Status validate_attrs(const Attrs& attrs) {
    if (Status status = validate_intervals_goal(attrs); !status.ok()) return status;
    if (attrs.referenced_us > kMostReferencedUs) {
        return Status::fail(-EINVAL, "referenced_us %" PRIu64 " must be at most %" PRIu64 "; 0 is no passes",
                            attrs.referenced_us, kMostReferencedUs);
    }
    if (attrs.survey_bp > kBp && attrs.survey_bp != kU64Max) {
        return Status::fail(
            -EINVAL, "survey_bp %" PRIu64 " must be at most %" PRIu64 " (bp of one CPU), or DAMON_SURVEY_DEFAULT",
            attrs.survey_bp, kBp);
    }
    if (attrs.min_nr_regions < kMinNrRegions) {
        return Status::fail(-EINVAL, "min_nr_regions %" PRIu64 " must be at least %" PRIu64, attrs.min_nr_regions,
                            kMinNrRegions);
    }
    if (attrs.min_nr_regions > attrs.max_nr_regions) {
        return Status::fail(-EINVAL, "min_nr_regions %" PRIu64 " must not exceed max_nr_regions %" PRIu64,
                            attrs.min_nr_regions, attrs.max_nr_regions);
    }
    if (attrs.max_nr_regions > kMostNrRegions) {
        return Status::fail(-EINVAL, "max_nr_regions %" PRIu64 " must be at most %" PRIu64, attrs.max_nr_regions,
                            kMostNrRegions);
    }
    if (attrs.sample_us > attrs.aggr_us) {
        return Status::fail(-EINVAL, "sample_us %" PRIu64 " must not exceed aggr_us %" PRIu64, attrs.sample_us,
                            attrs.aggr_us);
    }
    if (attrs.max_overhead_permil > kWholeCpuPermil) {
        return Status::fail(-EINVAL, "max_overhead_permil %" PRIu64 " must be at most %" PRIu64 "; 0 is no limit",
                            attrs.max_overhead_permil, kWholeCpuPermil);
    }
    return {};
}

Status validate_survey(const Attrs& attrs, const OpsTraits& traits) {
    if (attrs.survey_share_bp(traits.span_page_bytes != 0) == 0 || traits.span_page_bytes != 0) return {};
    return Status::fail(-EOPNOTSUPP,
                        "survey_bp is %" PRIu64
                        " but these operations cannot serve surveys; 0 or DAMON_SURVEY_DEFAULT "
                        "would be right",
                        attrs.survey_bp);
}

Status validate_passes(const Params& params, const OpsTraits& traits) {
    if (params.attrs.referenced_us == 0 || traits.has_passes) return {};
    return Status::fail(-EOPNOTSUPP, "referenced_us %" PRIu64 " must be 0: these operations read no accessed bits",
                        params.attrs.referenced_us);
}

Status validate_probes(const Params& params, const OpsTraits& traits) {
    if (params.probes.size() > kMaxProbes) {
        return Status::fail(-EINVAL, "%zu probes are too many, at most %u", params.probes.size(), kMaxProbes);
    }
    uint64_t weights = 0;
    for (const ProbeParams& probe : params.probes) weights += probe.weight;
    if (weights == 0) return {};
    if (!traits.has_probes) {
        return Status::fail(-EINVAL, "probes have weights (%" PRIu64 " in all) but these operations have no probes",
                            weights);
    }
    if (params.attrs.aggr_samples() > kMaxProbeSamples) {
        return Status::fail(-EINVAL,
                            "aggr_us %" PRIu64 " is %" PRIu64 " samples, weighted probes take at most %" PRIu64,
                            params.attrs.aggr_us, params.attrs.aggr_samples(), kMaxProbeSamples);
    }
    const uint64_t most = kU32Max / params.attrs.max_nr_accesses();
    if (weights > most) {
        return Status::fail(-EINVAL,
                            "probe weights are %" PRIu64 " in all, at most %" PRIu64 " with %" PRIu64
                            " samples in an aggregation",
                            weights, most, params.attrs.max_nr_accesses());
    }
    return {};
}

Status validate_targets(const Params& params) {
    if (!std::has_single_bit(params.min_region_sz)) {
        return Status::fail(-EINVAL, "min_region_sz %" PRIu64 " must be a power of two", params.min_region_sz);
    }
    if (params.targets.size() > kU32Max) {
        return Status::fail(-EINVAL, "%zu targets are too many, at most %" PRIu64, params.targets.size(), kU32Max);
    }
    for (size_t i = 0; i < params.targets.size(); ++i) {
        if (params.targets[i].obsolete) continue;
        const Status status = check_given_ranges(params.targets[i].ranges.span(), params.min_region_sz);
        if (!status.ok()) return Status::fail(status.error(), "target %zu: %s", i, status.text());
    }
    return {};
}

}  // namespace damon
