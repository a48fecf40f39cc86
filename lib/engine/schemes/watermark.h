// Watermarks: a scheme works only while a measure of the system is between two marks, and starts at a third (S-29).
#pragma once

#include <cstdint>

#include "model/scheme.h"

namespace damon {

// Updates `activated` for the value (permil) of the scheme's metric; negative: not known, and then nothing changes:
// who waits goes on waiting.
// Returns how long the scheme wants to wait before it is asked again, microseconds; 0: it wants to work now.
uint64_t evaluate_watermark(const Watermarks& wmarks, int32_t value_permil, bool& activated);

}  // namespace damon
