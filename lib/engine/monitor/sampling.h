// One interval's questions and answers (rules 2.3, P-1): one random address in every region, then the counts.
#pragma once

#include <cstdint>
#include <span>

#include "base/random.h"
#include "engine/monitor/probe_weights.h"
#include "engine/monitor/region.h"
#include "engine/monitor/region_list.h"
#include "model/sample.h"

namespace damon {

// Fills one sample for each region, in order, with a random address of the region (M-12). `samples` has
// regions.nr_regions() elements.
void draw_samples(RegionList& regions, std::span<Sample> samples, Random& random);

// Makes the samples questions again: no answer, nothing noted by the ops.
void forget_answers(std::span<Sample> samples);

// Adds the answers to the regions that they belong to. An answer "unknown" is never counted as an access: it only
// becomes evidence (M-13). Each stands for `weight` intervals (M-40).
void count_answers(std::span<Region> regions, std::span<const Sample> samples, uint32_t weight);

// The window's last sample is counted: where some had no answer, the count is scaled to what it would be if they had
// been answered like the others; where less than a quarter had, the window counts as looked at in vain (M-36). Returns
// the highest access count of all regions (M-17).
uint32_t settle_answers(std::span<Region> regions);

// Adds the probes' hits (bit i: probe i); 8-bit counters saturate. Returns the highest weighted sum.
uint64_t count_probe_hits(std::span<Region> regions, std::span<const uint8_t> hits, const ProbeWeights& weights);

// M-23: the window is over; its counts become those of the previous window. Where nobody could look, the access
// count of the last window in which somebody could stays, as in a pause (M-36); probes ask for no such look.
void reset_window(std::span<Region> regions);

}  // namespace damon
