// HUGEPAGE, NOHUGEPAGE and COLLAPSE. The first two set a flag of mappings, which the kernel follows later and at
// faults; the third works at once, a huge page a call.
//
// All three keep to whole huge pages: a flag on less could make none, and would cut the mapping where one could be.
// What is left over at the ends is counted as unfit, and what is so already as such: pages that are huge, and memory
// that was told the same in the last minute. Where only writes are seen, NOHUGEPAGE also splits the huge pages that are
// there, or the monitor could never look at them again. Applied is, for the flags, what the kernel took the advice for;
// for a collapse, what is mapped by huge pages now and was not before (before Linux 6.7, where that is not told, what
// the call promises). A huge page without any page in it is not collapsed: that would only take memory.
#pragma once

#include "ops/linux/actions/page_chunks.h"

namespace damon {

void advise_huge_range(ActionPass& pass);

}  // namespace damon
