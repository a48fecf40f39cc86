// Random parameters that are legal, small enough for a human to follow, and reach the corners of the rules.
#pragma once

#include <vector>

#include "model/ops_traits.h"
#include "model/params.h"
#include "support/draws.h"

namespace damon::test {

// What one run of a random test draws from.
struct ParamsStyle {
    uint64_t granularity = 1;  // of address choices; min_region_sz is drawn around it
    uint64_t base = 0;         // lowest address
    uint64_t units = 64;       // addresses lie in [base, base + units * granularity)
    unsigned most_targets = 3;
    unsigned most_schemes = 3;  // 0: monitoring only
    bool probes = false;
    bool crowded = false;  // long windows, small quotas and few regions: more cuts than there is room for
};

ParamsStyle random_style(Draws& draws, bool with_schemes);
OpsTraits random_traits(Draws& draws, const ParamsStyle& style);

// Sorted disjoint ranges, mostly aligned to the style's granularity, possibly none.
std::vector<AddressRange> random_ranges(Draws& draws, const ParamsStyle& style, unsigned most);

// New attributes, for a context's first parameters and for commits.
Attrs random_attrs(Draws& draws, bool few_samples);

// Complete parameters; pass the present ones to get a variation of them.
Params random_params(Draws& draws, const ParamsStyle& style, const OpsTraits& traits);
// Makes one thing in the parameters illegal.
void spoil(Draws& draws, Params& params);
Params varied_params(Draws& draws, const ParamsStyle& style, const OpsTraits& traits, const Params& present);

}  // namespace damon::test
