#include "support/input_log.h"

#include <new>
#include <stdexcept>

namespace damon::test {
namespace {

// A log whose answers do not fit the questions belongs to another engine.
void expect(bool condition) {
    if (!condition) throw std::logic_error("the engine asks otherwise than the log answers");
}

struct Player {
    Engine& engine;

    void operator()(const PrepareInput& input) { (void)engine.prepare(*input.params, input.traits); }
    void operator()(const CommitInput& input) { (void)engine.commit(*input.params, input.traits, nullptr); }
    void operator()(const StartInput& input) { engine.start(input.seed); }
    void operator()(const StopInput&) { engine.stop(); }
    void operator()(const RangesInput& input) {
        (void)engine.set_target_ranges(input.target_idx, input.ranges, input.granularity);
    }
    void operator()(const ValidInput& input) { engine.set_target_valid(input.target_idx, input.valid); }
    void operator()(const GoalInput& input) { engine.set_goal_value(input.scheme_idx, input.goal_idx, input.value); }
    void operator()(const WatermarkInput& input) { engine.watermark_wait_us({.free_mem = input.free_permil}); }
    void operator()(const LookInput& input) {
        engine.plan(input.wait_us);
        const std::span<Sample> samples = engine.samples();
        const std::span<uint8_t> hits = engine.probe_hits();
        expect((engine.passes_over() || samples.size() == input.seen.size()) && hits.size() <= input.hits.size());
        for (size_t i = 0; i < input.seen.size(); ++i) {
            samples[i].seen = input.seen[i];
            samples[i].unknown = input.unknown[i];
            samples[i].writes_only = input.writes_only[i];
        }
        for (size_t i = 0; i < hits.size(); ++i) hits[i] = input.hits[i];
        engine.record_samples(input.elapsed_us);
    }
    void operator()(const ApplyInput& input) {
        if (!engine.apply_begin(input.now_us)) return;
        const std::span<MetricQuery> queries = engine.metric_queries();
        expect(queries.size() == input.answers.size());
        for (size_t i = 0; i < queries.size(); ++i) queries[i] = input.answers[i];
        ActionRequest request;
        size_t next = 0;
        while (engine.next_request(request)) {
            if (input.cancelled && next == input.outcomes.size()) return;
            expect(next < input.outcomes.size());
            engine.complete(input.outcomes[next++]);
        }
        expect(next == input.outcomes.size());
    }
    void operator()(const FinishInput&) { engine.finish(); }
    void operator()(const PassesInput& input) { engine.take_passes(input.windows); }
};

}  // namespace

std::shared_ptr<const Params> shared_copy(const Params& params) {
    auto copy = std::make_shared<Params>();
    if (!copy->copy_from(params)) throw std::bad_alloc();
    return copy;
}

void replay(const InputLog& log, size_t first, size_t last, Engine& engine) {
    Player player{engine};
    for (size_t i = first; i < last; ++i) std::visit(player, log.at(i));
}

}  // namespace damon::test
