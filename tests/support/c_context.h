// Contexts of the C interface made from parameters of the C++ one, so that one generator of random parameters serves
// both.
#pragma once

#include "damon_c.h"
#include "model/params.h"

namespace damon::test {

// A stopped context with these parameters, to be freed by the caller; probes and the callback action are left out.
// nullptr: the interface refused something already while it was being put together.
damon_ctx* make_c_context(const Params& params);

}  // namespace damon::test
