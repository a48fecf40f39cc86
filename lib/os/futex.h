// Sleeping on a word of this process's memory.
#pragma once

#include <atomic>
#include <cstdint>

namespace damon {

inline constexpr uint64_t kNoDeadline = UINT64_MAX;

// Sleeps while `word` is `seen`. False: `deadline_ns` of CLOCK_MONOTONIC has passed. Wake-ups may be spurious.
bool futex_wait(const std::atomic<uint32_t>& word, uint32_t seen, uint64_t deadline_ns);
void futex_wake_all(const std::atomic<uint32_t>& word);

}  // namespace damon
