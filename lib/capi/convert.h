// C structures to values and back; no decisions.
#pragma once

#include "base/status.h"
#include "damon_c.h"
#include "kdamond/exchange/publisher.h"
#include "model/attrs.h"
#include "model/scheme.h"

namespace damon {

Attrs attrs_from_c(const damon_attrs& given);
damon_attrs attrs_to_c(const Attrs& attrs);

// Fills everything but filters, goals and destinations. Enumerators out of range are kept as they are and refused when
// the scheme is validated.
void scheme_from_c(const damos_params& given, SchemeParams& params);
Status filter_from_c(const damos_filter& given, DamosFilter& filter);
Status goal_from_c(const damos_quota_goal& given, QuotaGoal& goal);

damon_snapshot_info snapshot_info_to_c(const SnapshotInfo& info);
damos_stat scheme_stat_to_c(const SchemeStatus& status);

}  // namespace damon
