// Parameters that replace others, scheme by scheme: what lives on in the state.
#pragma once

#include <cstdint>
#include <span>

#include "base/vector.h"
#include "engine/monitor/cadence.h"
#include "engine/schemes/scheme_state.h"
#include "model/attrs.h"
#include "model/scheme.h"

namespace damon {

// The state of every scheme of `next`, by position: those that `before` has keep statistics, quota, deadline and
// whether their watermarks let them run; the others are new. Pressure goals forget their baseline. Nothing of
// `before` changes. False: out of memory, and then `after` is as it was.
//
// A new scheme is due one interval of `attrs` from now.
[[nodiscard]] bool carry_over_schemes(std::span<const SchemeState> before, std::span<const SchemeParams> next,
                                      const Attrs& attrs, const Cadence& now, Vector<SchemeState>& after);

}  // namespace damon
