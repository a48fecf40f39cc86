#include "ops/linux/access/checks/uffd_trial.h"

#include <cerrno>

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
    if (!trial.scan.can_scan()) {
        const int error = trial.scan.scan_error();
        return probe_failed(error, error == -ENOTTY ? "no PAGEMAP_SCAN (Linux 6.7)" : "PAGEMAP_SCAN is refused");
    }
    if (register_mapping(trial.mapping, plan.register_mode, nothing_excluded, trial.statistics) != ArmResult::kArmed) {
        return probe_failed(-EIO, "a page of memory could not be registered");
    }
    return plan.run(trial);
}

}  // namespace

AccessCheckProbe try_out_on_userfaultfd(const UffdTrialPlan& plan) {
    UffdFeatures features;
    int error = uffd_acquire(features);
    if (error == -ENOTSUP) return probe_failed(error, plan.lacking);  // opened, and no asynchronous mode is there
    if (error != 0) return probe_failed(error, "cannot open a userfaultfd");
    error = uffd_verify();
    AccessCheckProbe probe = probe_failed(error, "cannot open a userfaultfd");
    if (error == 0) probe = features.*plan.feature ? run(plan) : probe_failed(-ENOTSUP, plan.lacking);
    uffd_release();
    return probe;
}

}  // namespace damon
