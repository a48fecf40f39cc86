// Trying out a check that uses the process's userfaultfd, on a page of memory of its own and as an ordinary user of the
// descriptor.
#pragma once

#include "ops/linux/access/checks/probe_answer.h"
#include "ops/linux/access/checks/scratch_page.h"
#include "ops/linux/registration/mapping_cache.h"
#include "ops/linux/registration/uffd.h"
#include "os/page_scan.h"

namespace damon {

// A registered page, and what looks at it.
struct UffdTrial {
    ScratchPage page;
    PageScan scan;
    CachedMapping mapping;
    AccessStatistics statistics;
};

struct UffdTrialPlan {
    bool UffdFeatures::*feature;  // what the kernel must offer
    const char* lacking;          // said where it does not
    uint64_t register_mode;
    AccessCheckProbe (*run)(UffdTrial& trial);
};

AccessCheckProbe try_out_on_userfaultfd(const UffdTrialPlan& plan);

}  // namespace damon
