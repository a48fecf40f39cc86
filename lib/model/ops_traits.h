// What the engine must know of the ops that serve it, as plain facts.
#pragma once

#include <cstdint>

namespace damon {

// How a scheme's regions are ranked under a quota (S-2, S-36).
enum class ScoreSource : uint8_t {
    kNone,      // no ranking
    kBuiltin,   // 99, hot or cold as the table of 5.2 says for virtual address spaces
    kPhysical,  // the same table's column for physical memory
    kAsk,       // Ops::score
};

struct OpsTraits {
    bool has_apply = false;
    bool has_probes = false;
    bool has_passes = false;       // over accessed bits: Ops::begin_pass
    bool has_subject = true;       // vaddr, fvaddr: a target is a process (O-4)
    bool has_target_valid = true;  // the run ends when no target is valid (L-16)
    bool simulated = false;        // acting costs the time that Outcome::elapsed_ns says, not real time
    bool offloaded = false;  // somebody else monitors: there is no plan, arm and look, only OffloadedMonitor::observe
    bool obeys_unseen_rule = false;  // page by page; else the engine passes over regions that UnseenRule touches
    uint32_t span_page_bytes = 0;    // Ops::arm_spans and look_spans serve spans of pages of this size; 0: they do not
    // What an access that is seen took from the program, about: it counts against Attrs::max_overhead_permil.
    uint32_t access_cost_ns = 0;
    ScoreSource score = ScoreSource::kNone;
    bool operator==(const OpsTraits&) const = default;
};

}  // namespace damon
