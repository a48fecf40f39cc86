// PAGEOUT, COLD and WILLNEED through madvise, in bounded calls, and what they really did. None of them ever discards
// data: there is no MADV_DONTNEED, FREE or REMOVE here.
//
//   pageout   applied: pages that left memory. Anonymous ones are in swap now; those of files are in no page cache any
//             more (of another process: in its page tables no more). Without swap anonymous memory stays, and 0 is
//             applied. Shared mappings are paged out too, for a heap may live in shared memory; the kernel spares
//             pages that other processes map, and a page that others only read through the file costs them a read.
//             Of declared shared ranges, pages that only the monitor took out of the page table (zap) are mapped again
//             first, and its marks are lifted: the kernel pages out what it finds there. The same for cold.
//   cold      applied: pages that were there and that the kernel took the advice for; whether they moved on its lists
//             cannot be seen.
//   willneed  applied: pages that were in no memory before and are right after. Reading goes on in the background: what
//             arrives later is counted as pending. Of another process: what the kernel took the advice for.
#pragma once

#include "ops/linux/actions/page_chunks.h"

namespace damon {

void advise_range(ActionPass& pass);

// Why the kernel refuses advice with `error` (negative) for memory of this mapping.
Skip refusal_of(const ActionPass& pass, const Mapping& mapping, AddressRange range, int error);

}  // namespace damon
