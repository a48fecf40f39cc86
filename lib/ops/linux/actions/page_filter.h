// Page-level filters and probes on the pages of a process: which properties user space can read, and what they say.
//
//   anon            of the page table entry: not of a file, not shared. A page that is swapped out counts.
//   memcg           the group of the process; pages that were charged to another one cannot be told apart
//   hugepage_size   mapped by a huge page table entry, or else of the base size: larger folios in between are not told
//   unmapped        no page is mapped at the address (swapped out, never touched)
//   young, active   not told to user space: refused
//
// A page that is not there has none of these properties but the last, and is not looked at unless a filter asks for
// that one, or the action is about missing pages (willneed).
#pragma once

#include <cstdint>

#include "base/status.h"
#include "model/action.h"
#include "model/params.h"
#include "model/probe.h"

namespace damon {

struct PageView {
    uint32_t state = 0;        // uapi::kPage* bits, as of PageRun
    uint64_t block_bytes = 0;  // of the page that it belongs to
    uint64_t memcg_id = 0;     // of its process; 0: not known
};

// Whether the scheme's page-level filters let the page pass (S-30, S-32).
bool page_passes(const ActionRequest& request, const PageView& page);

// Whether pages of this state are of interest to the request at all.
bool page_is_considered(const ActionRequest& request, uint32_t state);

// The verdict of a probe (P-2); state 0: nothing is there.
bool page_hits(const ProbeParams& probe, const PageView& page);

// Refuses filters and probes that cannot be told here, naming them. `sees_huge`: huge pages are told apart.
Status validate_page_filters(const Params& params, bool sees_huge);

}  // namespace damon
