#include "model/scheme.h"

#include "base/arithmetic.h"

namespace damon {

bool SchemeParams::copy_from(const SchemeParams& other) {
    Vector<QuotaGoal> new_goals;
    Vector<DamosFilter> new_core_filters;
    Vector<DamosFilter> new_ops_filters;
    Vector<MigrateDest> new_dests;
    if (!new_goals.copy_from(other.goals) || !new_core_filters.copy_from(other.core_filters) ||
        !new_ops_filters.copy_from(other.ops_filters) || !new_dests.copy_from(other.migrate_dests)) {
        return false;
    }
    pattern = other.pattern;
    action = other.action;
    target_nid = other.target_nid;
    apply_interval_us = other.apply_interval_us;
    quota = other.quota;
    wmarks = other.wmarks;
    max_nr_snapshots = other.max_nr_snapshots;
    flags = other.flags;
    min_age_us = other.min_age_us;
    callback_id = other.callback_id;
    callback_data = other.callback_data;
    goals = std::move(new_goals);
    core_filters = std::move(new_core_filters);
    ops_filters = std::move(new_ops_filters);
    migrate_dests = std::move(new_dests);
    return true;
}

SchemeStats& SchemeStats::operator+=(const SchemeStats& more) {
    nr_tried += more.nr_tried;
    sz_tried = saturating_add(sz_tried, more.sz_tried);
    nr_applied += more.nr_applied;
    sz_applied = saturating_add(sz_applied, more.sz_applied);
    sz_ops_filter_passed = saturating_add(sz_ops_filter_passed, more.sz_ops_filter_passed);
    qt_exceeds += more.qt_exceeds;
    nr_snapshots += more.nr_snapshots;
    return *this;
}

uint32_t SchemeParams::min_age(uint64_t aggr_us) const {
    return min_age_us == 0 ? pattern.min_age : saturate_u32(min_age_us / (aggr_us == 0 ? 1 : aggr_us));
}

}  // namespace damon
