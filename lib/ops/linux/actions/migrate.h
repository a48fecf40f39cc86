// MIGRATE_HOT and MIGRATE_COLD through move_pages(2): to target_nid, or spread over weighted destinations (S-8).
// Applied: pages that are on their destination now and were elsewhere before. Pages that other processes map too stay,
// as do pinned ones.
#pragma once

#include <span>

#include "ops/linux/actions/page_chunks.h"

namespace damon {

void migrate_range(ActionPass& pass);

// Where the block at `offset` of its file (or, of anonymous memory, at that address) belongs; -1: nowhere. With weights
// w0, w1, ...: of each w0 + w1 + ... blocks in a row the first w0 to the first node, the next w1 to the second, ...
int destination_of(uint64_t offset, uint64_t block_bytes, int32_t target_nid, std::span<const MigrateDest> dests);

}  // namespace damon
