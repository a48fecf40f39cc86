// One apply pass (S-10 to S-21) as an iterator that the caller pulls: an outcome changes the next decision, and the
// engine calls nobody.
//
//     if (walk.begin(context, now))                      windows of quotas; which schemes take part
//         ... answer walk.metric_queries() ...           only where a window with goals has opened
//         while (walk.next_request(context, request))
//             walk.complete(context, outcome)
//
// Between these calls nobody else may change regions or schemes; cancel() where it must be. Nothing here takes memory
// but reserve and copy_from. Where regions cannot be cut because their capacity is exhausted, the rules say what to do.
#pragma once

#include <cstdint>
#include <span>

#include "base/vector.h"
#include "engine/schemes/apply_context.h"
#include "engine/schemes/ranking.h"
#include "model/action.h"
#include "model/metrics.h"

namespace damon {

class ApplyWalk {
public:
    // Makes room for the queries of all goals of these schemes. False: out of memory, and then nothing changed.
    [[nodiscard]] bool reserve(std::span<const SchemeParams> schemes);

    // S-10. False: no scheme is both due and active; nothing happens, no deadline moves.
    bool begin(const ApplyContext& context, uint64_t now_us);
    // To be answered before the first next_request; valid until the pass is over.
    std::span<MetricQuery> metric_queries() { return queries_.span(); }
    // False: the pass is over and deadlines have moved on.
    bool next_request(const ApplyContext& context, ActionRequest& request);
    // The outcome of the last request. Without one (the pass was cancelled meanwhile) it is ignored.
    void complete(const ApplyContext& context, const Outcome& outcome);
    // Ends a pass that cannot go on, because regions or schemes are about to change. Schemes that were due count as
    // served, but the pass is no snapshot.
    void cancel(const ApplyContext& context);

    // Deep copy; false when out of memory.
    [[nodiscard]] bool copy_from(const ApplyWalk& other);
    bool operator==(const ApplyWalk&) const = default;

private:
    enum class Step : uint8_t { kIdle, kQuotas, kRanking, kActing };
    enum class Awaiting : uint8_t { kNothing, kRankingScore, kScore, kApply };
    enum class Verdict : uint8_t { kPass, kAskScore, kAct };

    void open_window(const ApplyContext& context, uint32_t scheme_idx, uint64_t now_us);
    void set_effective_sizes(const ApplyContext& context);
    void begin_acting(const ApplyContext& context);
    bool walk(const ApplyContext& context, ActionRequest& request);
    bool find_region(const ApplyContext& context);
    void leave_region(const ApplyContext& context);
    bool visit(const ApplyContext& context, Verdict verdict, ActionRequest& request);
    Verdict judge(const ApplyContext& context);
    bool skip_charged(const ApplyContext& context);
    void look(const ApplyContext& context);
    bool act(const ApplyContext& context, ActionRequest& request);
    void take_outcome(const ApplyContext& context, const Outcome& outcome);
    bool follows(const ApplyContext& context) const;
    void finish(const ApplyContext& context, bool complete);

    Vector<MetricQuery> queries_;
    Ranking ranking_;
    ApplyCursor cursor_;
    uint64_t merge_limit_ = 0;  // X of S-11
    RegionInfo region_{};       // the one under the cursor as schemes see it, while `looked_`
    Step step_ = Step::kIdle;
    Awaiting awaiting_ = Awaiting::kNothing;
    bool looked_ = false;
    bool score_accepted_ = false;  // the ops' score lets the scheme act on the region under the cursor
    bool saw_a_region_ = false;
};

}  // namespace damon
