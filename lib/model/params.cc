#include "model/params.h"

#include <cerrno>

namespace damon {

Status check_obsolete_targets(const Params& params, size_t nr_existing) {
    for (size_t i = nr_existing; i < params.targets.size(); ++i) {
        if (!params.targets[i].obsolete) continue;
        return Status::fail(-EINVAL, "target %zu of the source is obsolete, and the destination has only %zu targets",
                            i, nr_existing);
    }
    return {};
}

}  // namespace damon
