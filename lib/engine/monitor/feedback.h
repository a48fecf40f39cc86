// The proportional feedback loop that quota goals (S-28) and interval tuning (M-32) share.
#pragma once

#include <cstdint>

namespace damon {

// The next input of a process whose input `last` gave the score `score` (S-27). 10,000 is the aim: below it the answer
// grows by the missing share, at best to twice `last`; above it the answer shrinks, and is never below 10,000.
// Saturates at 2^64-1.
uint64_t next_feedback_input(uint64_t last, uint64_t score);

}  // namespace damon
