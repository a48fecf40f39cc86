#include "ops/linux/access/uffd_trial.h"

#include "ops/linux/registration/uffd_mapping.h"

namespace damon {
namespace {

AccessCheckProbe run(const UffdTrialPlan& plan) {
    const Exclusion nothing_excluded;
    UffdTrial trial;
    if (trial.page.error() != 0) return probe_failed(trial.page.error(), "no memory to try it on");
    trial.mapping.range = trial.mapping.registrable = trial.page.range();
    if (const int error = trial.scan.open(trial.mapping.range.size())) {
        return probe_failed(error, "cannot open /proc/self/pagemap");
    }
    if (!trial.scan.can_scan()) return probe_failed(-ENOTTY, "no PAGEMAP_SCAN (Linux 6.7)");
    if (register_mapping(trial.mapping, plan.register_mode, nothing_excluded, trial.statistics) != ArmResult::kArmed) {
        return probe_failed(-EIO, "a page of memory could not be registered");
    }
    return plan.run(trial);
}

}  // namespace

AccessCheckProbe try_out_on_userfaultfd(const UffdTrialPlan& plan) {
    UffdFeatures features;
    const int error = uffd_acquire(features);
    if (error == -ENOTSUP) return probe_failed(error, plan.lacking);  // opened, and no asynchronous mode is there
    if (error != 0) return probe_failed(error, "cannot open a userfaultfd");
    const AccessCheckProbe probe = features.*plan.feature ? run(plan) : probe_failed(-ENOTSUP, plan.lacking);
    uffd_release();
    return probe;
}

}  // namespace damon
