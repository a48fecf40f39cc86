#include "engine/monitor/sampling.h"

#include <algorithm>
#include <cstring>

#include "base/arithmetic.h"

namespace damon {
namespace {

void count_unknown(Region& region, const Sample& sample, uint32_t weight) {
    region.nr_unknown += weight;
    const Unknown reason = sample.unknown == Unknown::kNone ? Unknown::kOther : sample.unknown;
    region.unknown_reason = static_cast<uint8_t>(reason);
}

void settle_unknown(Region& region) {
    if (looked_at_in_vain(region)) {
        region.nr_accesses = 0;
        region.evidence = kEvidenceUnknown;
        return;
    }
    region.nr_accesses = scaled_accesses(region);
    region.evidence = evidence_of(region);
}

}  // namespace

void draw_samples(RegionList& regions, std::span<Sample> samples, Random& random) {
    DAMON_CHECK(samples.size() == regions.nr_regions());
    const Region* region = regions.all().data();
    Sample* sample = samples.data();
    Random stream = random;  // a local: its state stays in registers
    for (uint32_t target = 0; target < regions.nr_targets(); ++target) {
        const Sample* const end = sample + regions.nr_regions_of(target);
        for (; sample != end; ++sample, ++region) {
            const AddressRange range = region->range;
            *sample = {.addr = stream.between(range.start, range.end), .region = range, .target_idx = target};
        }
    }
    random = stream;
}

void forget_answers(std::span<Sample> samples) {
    for (Sample& sample : samples) {
        sample = {.addr = sample.addr, .region = sample.region, .target_idx = sample.target_idx};
    }
}

namespace {

// No branch depends on yes or no: these are as hard to predict as the program's accesses.
inline void count_weighted(std::span<Region> regions, std::span<const Sample> samples, uint32_t weight) {
    for (size_t i = 0; i < samples.size(); ++i) {
        Region& region = regions[i];
        if (samples[i].seen == Seen::kUnknown) [[unlikely]] {
            count_unknown(region, samples[i], weight);
            continue;
        }
        const unsigned yes = samples[i].seen == Seen::kYes;
        region.nr_accesses += (yes & unsigned{region.nr_accesses <= kU32Max - weight}) * weight;
        region.nr_answered += weight;
        region.evidence =
            static_cast<uint8_t>(region.evidence | unsigned{samples[i].writes_only} * kEvidenceWritesOnly);
    }
}

}  // namespace

void count_answers(std::span<Region> regions, std::span<const Sample> samples, uint32_t weight) {
    DAMON_CHECK(samples.size() == regions.size());
    if (weight == 1) return count_weighted(regions, samples, 1);  // a loop without multiplications
    count_weighted(regions, samples, weight);
}

uint32_t settle_answers(std::span<Region> regions) {
    uint32_t highest = 0;
    for (Region& region : regions) {
        if (region.nr_unknown != 0) [[unlikely]] {
            settle_unknown(region);
        } else if (region.nr_answered != 0) {
            region.evidence |= kEvidenceAnswered;
        }
        region.nr_answered = region.nr_unknown = 0;
        highest = std::max(highest, region.nr_accesses);
    }
    return highest;
}

uint64_t count_probe_hits(std::span<Region> regions, std::span<const uint8_t> hits, const ProbeWeights& weights) {
    DAMON_CHECK(hits.size() == regions.size());
    uint64_t highest = 0;
    for (size_t i = 0; i < hits.size(); ++i) {
        Region& region = regions[i];
        for (unsigned probe = 0; probe < weights.nr_probes(); ++probe) {
            region.probe_hits[probe] = saturate_u8(region.probe_hits[probe] + ((hits[i] >> probe) & 1u));
        }
        highest = std::max(highest, weights.weighted_sum(region.probe_hits));
    }
    return highest;
}

void reset_window(std::span<Region> regions) {
    for (Region& region : regions) {
        if (looked_at_in_vain(region)) {
            // A count of 0 would report to the next window that the memory was seen, and was cold.
            region.last_evidence = kEvidenceUnknown | (region.last_evidence & kEvidenceWritesOnly);
        } else {
            region.last_nr_accesses = region.nr_accesses;
            region.last_evidence = evidence_of(region);
        }
        region.last_unknown_reason = region.unknown_reason;
        region.unknown_reason = 0;
        region.nr_answered = region.nr_unknown = 0;
        region.nr_accesses = 0;
        memcpy(region.last_probe_hits, region.probe_hits, sizeof(region.probe_hits));
        memset(region.probe_hits, 0, sizeof(region.probe_hits));
        region.evidence = 0;
    }
}

}  // namespace damon
