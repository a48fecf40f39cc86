// What surveys ask of the ops (Span), and what it costs.
#pragma once

#include "kdamond/worker/added_target.h"
#include "kdamond/worker/costs.h"
#include "kdamond/worker/run.h"

namespace damon {

class Surveys {
public:
    Surveys(Run& run, AddedTarget& added, Costs& costs) : run_(run), added_(added), costs_(costs) {}

    // After the samples of an interval were armed, and looked at.
    void arm();
    void look();

private:
    Run& run_;
    AddedTarget& added_;
    Costs& costs_;
};

}  // namespace damon
