// The words and numbers of the kernel's DAMON interface, and of /proc/iomem: pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "model/address_range.h"
#include "model/params.h"
#include "model/scheme.h"

namespace damon {

// Decimal digits and nothing else, below 2^64.
bool parse_number(std::string_view text, uint64_t& value);

// Whether the ops are the running kernel's.
constexpr bool is_kernel_ops(OpsId id) { return OpsId::kKernelVaddr <= id && id <= OpsId::kKernelPaddr; }

// What the kernel calls it; nullptr: it has no word for that.
const char* kernel_word(OpsId id);
const char* kernel_word(DamosAction action);
const char* kernel_word(QuotaMetric metric);
const char* kernel_word(GoalTuner tuner);
const char* kernel_word(WatermarkMetric metric);
const char* kernel_word(FilterType type);
const char* kernel_word(ProbeFilterType type);

// A line of /proc/iomem: widens `range`, empty at first, to cover it where it is System RAM (M-6).
void add_system_ram(std::string_view line, AddressRange& range);

}  // namespace damon
