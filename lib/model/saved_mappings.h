// Finding the mappings of one run of a program again in another one, where they lie elsewhere.
#pragma once

#include <cstdint>
#include <span>

#include "base/vector.h"
#include "model/address_range.h"
#include "model/saved_context.h"

namespace damon {

// Of a mapping's name as /proc/PID/maps has it and of where in its file it begins; 0: it has no name.
uint64_t mapping_name_of(const char* text, size_t length, uint64_t offset);

struct NamedRange {
    AddressRange range;
    uint64_t name = 0;  // mapping_name_of()
};

// Mappings beyond so many are not looked at, the smallest first.
inline constexpr size_t kMaxMatchedMappings = 512;

// Moves the regions of a target by mapping to the mappings of `now`: those of the same name in the same order, of which
// anonymous ones must be of similar sizes, so that as many bytes as possible are found again. What a mapping lost is
// dropped. The heap and files are aligned at their beginnings; stacks and anonymous memory, which grow downwards, at
// their ends. `found_bytes` of `saved_bytes` in mappings are there again. False: out of memory, nothing changed.
[[nodiscard]] bool move_to_mappings(SavedTarget& target, std::span<const NamedRange> now, uint64_t& found_bytes,
                                    uint64_t& saved_bytes);

}  // namespace damon
