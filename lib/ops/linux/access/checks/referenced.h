// Accessed bits as the only access check (DAMON_ACCESS_CHECK_REFERENCED): no samples, passes alone (AccessedPasses).
#pragma once

#include "ops/linux/access/checks/access_check_row.h"

namespace damon {

extern const AccessCheckRow kReferencedRow;

}  // namespace damon
