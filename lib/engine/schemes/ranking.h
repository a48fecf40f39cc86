// The first half of an apply pass: for each scheme with a quota, which scores the quota can afford (S-26 (5), (6)).
#pragma once

#include <cstdint>

#include "engine/schemes/apply_context.h"
#include "engine/schemes/quota.h"

namespace damon {

// Goes over all regions once a scheme, and stops wherever the ops themselves must give the score. Core filters are run
// as they will be when the scheme acts, and cut regions as they do then.
class Ranking {
public:
    void begin();
    // True: `request` asks for one score, to be given to take_score. False: every min_score is set.
    bool next_score(const ApplyContext& context, ActionRequest& request);
    void take_score(const ApplyContext& context, uint32_t score);
    bool operator==(const Ranking&) const = default;

private:
    bool rank_target(const ApplyContext& context, ActionRequest& request);

    ApplyCursor cursor_;
    ScoreHistogram histogram_;
};

}  // namespace damon
