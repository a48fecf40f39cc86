// The seam between the worker and the world: access checks (arm, look) and actions (apply). Ops draw no random numbers,
// keep no regions, take no time of their own and know nothing of the engine. All calls come from one thread at a time.
// Every member has a default, the one that the rules give to an absent callback (1.13).
#pragma once

#include <cstdint>
#include <span>

#include "base/status.h"
#include "base/vector.h"
#include "model/action.h"
#include "model/metrics.h"
#include "model/ops_traits.h"
#include "model/params.h"
#include "model/pass_window.h"
#include "model/sample.h"
#include "model/span.h"

namespace damon {

// New coverage of one target, an answer of Ops::refresh.
struct TargetCoverage {
    std::span<const AddressRange> given;  // asked with: the ranges that the user gave; none: the ops know
    bool changed = false;                 // false: the target keeps the regions it has (M-3)
    Vector<AddressRange> ranges;          // sorted, disjoint
};

enum class RefreshReason : uint8_t {
    kInit,    // start of a run, or a target that a commit added: only for targets without given ranges (M-1)
    kGiven,   // given ranges have just been installed as they are: they may be narrowed to what is there
    kUpdate,  // the ops_update interval has passed (M-4)
};

class Ops {
public:
    virtual OpsTraits traits() const;

    // Checks that the parameters can be served at all. No effect; any thread.
    virtual Status validate(const Params& params) const;

    // Whether surveys can be served with these parameters, where the traits say that they can be at all. Any thread.
    virtual bool can_survey(const Params& params) const;

    // Begins a run. Failure: nothing is held.
    virtual Status start(const Params& params);
    // New parameters of a run, already validated, before the engine takes them over: takes the memory that commit will
    // need; an offloaded monitor gets them here. Failure: nothing changed.
    virtual Status change(const Params& params);
    // New parameters of a running context, those of the last change. Cannot fail.
    virtual void commit(const Params& params);
    // Ends a run, as fast as disarm. What was armed or registered is released by release_some from then on; the next
    // start comes after that.
    virtual void stop();

    // Where target `target_idx` lies now. `coverage` is reused between calls; leave it unchanged to keep what is.
    virtual void refresh(uint32_t target_idx, RefreshReason reason, TargetCoverage& coverage);

    // Whether something was seen that a refresh would put right, such as a sample whose mapping is gone.
    virtual bool wants_refresh() const;

    // Clears the access marks of all samples of one interval. May reorder nothing: samples stay in region order.
    virtual void arm(std::span<Sample> samples);
    // Fills `seen` (and `writes_only`) of the samples that were last armed.
    virtual void look(std::span<Sample> samples);
    // Surveys, where the traits say that spans are served. Arms spans, after the samples of an interval, until they are
    // looked at, in this interval or a later one; or until disarm.
    virtual void arm_spans(std::span<Span> spans);
    // Fills `hit` and `known`, after the samples were looked at.
    virtual void look_spans(std::span<Span> spans);
    // There is no look at what was armed, and no arm for a while. Takes no longer than an arm, whatever the size of the
    // memory: marks that are left are dropped by release_some.
    virtual void disarm();
    // Releases some of what disarm or stop left, in a time that no other thread notices. Returns for how many
    // nanoseconds to rest before the next call; 0: nothing is left.
    virtual uint64_t release_some();
    // The context is paused from here on (release_some comes next), or not any more. Not told of a run that begins
    // without a pause. Returns at once.
    virtual void set_paused(bool paused);

    // What went wrong with the monitoring since the last call and mended itself, for the context's message. 0: nothing.
    virtual Status notice();

    // Passes over accessed bits (Attrs::referenced_us), where the traits say so. Begins one; `wanted` false: none is
    // wanted any more. False: there is nothing to do now.
    virtual bool begin_pass(bool wanted);
    // The next step of it, short. Returns for how many nanoseconds to rest before the step after that; 0: the pass is
    // over. `now_ns`: the worker's time.
    virtual uint64_t pass_step(uint64_t now_ns);
    // Changes where what passes know does.
    virtual uint64_t pass_generation() const;
    // All that they know, of all targets, in address order. False: out of memory.
    virtual bool pass_answers(Vector<PassWindow>& out);
    // What the latest pass took from the program.
    virtual uint64_t pass_access_cost_ns() const;

    virtual bool target_valid(uint32_t target_idx);
    // Whether target_valid can change without the worker's doing: false lets a paused worker sleep without a timeout.
    virtual bool targets_can_die() const;

    virtual Outcome apply(const ActionRequest& request);
    // 0 to 99; asked where the traits say ScoreSource::kAsk.
    virtual uint32_t score(const ActionRequest& request);

    // Bit i of hits[n]: probe i hits at samples[n] (P-1, P-2).
    virtual void probe(std::span<const Sample> samples, std::span<uint8_t> hits);

    // Answers the queries that can be answered.
    virtual void measure(std::span<MetricQuery> queries);
    // Free memory in permil of all memory, for watermarks; negative: not known.
    virtual int32_t free_memory_permil();
    // What this process's memory group may still take, in permil of its limit; negative: not known.
    virtual int32_t own_memcg_permil();

    // What arm and look cost by a model since the last call; 0: nobody pays. Asked where time is not real.
    virtual uint64_t take_model_cost_ns();

    // What time it is, before each arm, look and apply: real microseconds, or virtual ones of a manual drive.
    virtual void set_now(uint64_t now_us);

protected:
    ~Ops() = default;
};

// For ops without a memory group of this process: refuses goals and watermarks that ask for it. `why`: a clause.
Status refuse_own_memcg(const Params& params, const char* why);

}  // namespace damon
