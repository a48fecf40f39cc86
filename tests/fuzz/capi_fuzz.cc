// Instruction lists for a context of the C interface, driven by hand with operations of its own: steps, pauses, calls,
// commits, stops and starts, also from inside its callbacks. After every instruction what can be read must make sense.
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "damon_c.h"
#include "fuzz/fuzz_target.h"
#include "support/c_context.h"
#include "support/draws.h"
#include "support/random_params.h"
#include "support/synthetic_world.h"

namespace damon::test {
namespace {

void expect(bool condition, const char* what, int64_t value = 0) {
    if (condition) return;
    fprintf(stderr, "%s (%" PRId64 ")\n", what, value);
    abort();
}

struct Reading {
    damon_snapshot_info info;
    std::vector<damon_region_info> regions;
};

class Session {
public:
    explicit Session(Draws& draws)
        : draws_(draws),
          style_(random_style(draws, true)),
          traits_{.has_apply = true},
          world_(draws.below(1 << 16), style_.granularity) {
        style_.probes = false;
        ctx_ = fresh_context();
        if (ctx_ == nullptr) ctx_ = damon_ctx_new();
        damon_operations ops;
        damon_operations_init(&ops);
        ops.check_accesses = [](void* self, damon_sample* samples, size_t nr) {
            static_cast<Session*>(self)->check_accesses(samples, nr);
        };
        ops.apply_scheme = [](void* self, damon_ctx*, const damon_region_info* region, size_t, uint64_t*) {
            return static_cast<Session*>(self)->apply_scheme(*region);
        };
        ops.get_scheme_score = [](void* self, damon_ctx*, const damon_region_info* region, size_t) {
            return static_cast<Session*>(self)->score(*region);
        };
        ops.update = [](void* self, damon_ctx*) { static_cast<Session*>(self)->in_callback(true); };
        expect(damon_ctx_set_custom_ops(ctx_, &ops, this) == 0, "set_custom_ops");
        expect(damon_ctx_set_drive(ctx_, DAMON_DRIVE_MANUAL) == 0, "set_drive");
        expect(damon_ctx_set_seed(ctx_, 1 + draws.below(100)) == 0, "set_seed");
    }
    ~Session() { damon_ctx_free(ctx_); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    void run(uint64_t instructions) {
        start();
        for (uint64_t i = 0; i < instructions && !draws_.exhausted(); ++i) {
            instruction();
            check_snapshot();
        }
    }

private:
    damon_ctx* fresh_context() { return make_c_context(random_params(draws_, style_, traits_)); }

    void instruction() {
        const uint64_t choice = draws_.below(64);
        if (choice < 48) return step();
        switch (choice) {
            case 48:
            case 49:
            case 50:
            case 51:
                return commit();
            case 52:
                return pause(true);
            case 53:
            case 54:
            case 55:
                return pause(false);
            case 56:
            case 57:
                return one_shot_call();
            case 58:
                return repeat_call();
            case 59:
                now_us_ += draws_.below(20'000);
                return;
            case 60:
                return set_attrs();
            case 61:
                return misuse();
            case 62:
                return stop();
            default:
                return start();
        }
    }

    void start() {
        const bool was_running = damon_is_running(ctx_) == 1;
        const int result = damon_start(&ctx_, 1, 0);
        if (was_running) return expect(result == -EBUSY, "start while running", result);
        expect(result == 0 || result == -EINVAL || result == -EOPNOTSUPP, "start", result);
        expect(damon_is_running(ctx_) == (result == 0), "running after start", result);
        if (result == 0) now_us_ = stepped_us_ = 0;
    }

    void stop() {
        expect(damon_stop(&ctx_, 1) == 0, "stop");
        expect(damon_is_running(ctx_) == 0, "running after stop");
    }

    // A paused step changes nothing that was learned.
    void step() {
        const bool running = damon_is_running(ctx_) == 1;
        const bool paused = damon_is_paused(ctx_) == 1;
        const Reading before = read_live();
        now_us_ += 400;
        const uint64_t changes_before = changes_;
        const int result = damon_step(ctx_, now_us_);
        if (!running) return expect(result == -EINVAL, "step of a stopped context", result);
        expect(result == 0 || result == -ECANCELED, "step", result);
        stepped_us_ = now_us_;
        if (!paused || damon_is_paused(ctx_) == 0 || changes_ != changes_before || result != 0) return;
        const Reading after = read_live();
        expect(after.regions.size() == before.regions.size(), "paused: number of regions");
        for (size_t i = 0; i < after.regions.size(); ++i) {
            const damon_region_info& a = before.regions[i];
            const damon_region_info& b = after.regions[i];
            expect(a.start == b.start && a.end == b.end && a.nr_accesses == b.nr_accesses && a.age == b.age,
                   "paused: regions");
        }
    }

    void commit() {
        damon_ctx* source = fresh_context();
        if (source == nullptr) return;
        damon_attrs before;
        damon_attrs_init(&before);
        expect(damon_ctx_get_attrs(ctx_, &before) == 0, "get_attrs");
        const bool was_paused = damon_is_paused(ctx_) == 1;
        const bool pause = draws_.one_in(4);
        expect(damon_set_pause(source, pause) == 0, "set_pause of a source");
        const uint64_t pauses_before = pauses_in_callbacks_;
        const bool in_callback = in_callback_;
        const int result = damon_commit_ctx(ctx_, source);
        expect(result == 0 || result == -EINVAL || result == -EOPNOTSUPP, "commit", result);
        ++changes_;
        pauses_in_callbacks_ += in_callback;
        // What a callback commits may have to wait for the end of its step; resuming runs callbacks, too.
        if (!in_callback && pauses_in_callbacks_ == pauses_before) {
            expect((damon_is_paused(ctx_) == 1) == (result == 0 ? pause : was_paused), "pause after a commit", result);
        }
        damon_attrs after;
        damon_attrs_init(&after);
        expect(damon_ctx_get_attrs(ctx_, &after) == 0, "get_attrs");
        const bool same = before.sample_us == after.sample_us && before.max_nr_regions == after.max_nr_regions;
        expect(result == 0 || same, "a refused commit changed something", result);
        damon_ctx_free(source);
    }

    // Resuming finishes the interval that the pause had interrupted, and a callback of that may pause again.
    void pause(bool on) {
        const uint64_t pauses_before = pauses_in_callbacks_;
        const int result = damon_set_pause(ctx_, on);
        expect(result == 0, "set_pause", result);
        pauses_in_callbacks_ += in_callback_;
        if (pauses_in_callbacks_ == pauses_before) expect(damon_is_paused(ctx_) == on, "is_paused");
    }

    void set_attrs() {
        const Attrs drawn = random_attrs(draws_, false);
        damon_attrs attrs;
        damon_attrs_init(&attrs);
        attrs.sample_us = drawn.sample_us;
        attrs.aggr_us = drawn.aggr_us;
        const int result = damon_ctx_set_attrs(ctx_, &attrs);
        const bool allowed = in_callback_ || damon_is_running(ctx_) == 0;
        // On the worker it is a commit: a scheme may ask for more accesses than the new window has samples.
        const bool refused = in_callback_ && result == -EINVAL;
        expect(refused || result == (allowed ? 0 : -EBUSY), "set_attrs", result);
        if (result == 0) ++changes_;
    }

    void one_shot_call() {
        damon_call_control control;
        damon_call_control_init(&control);
        control.fn = [](void* self) {
            static_cast<Session*>(self)->in_callback(false);
            return 7;
        };
        control.data = this;
        const int result = damon_call(ctx_, &control);
        if (damon_is_running(ctx_) == 0) return expect(result == -ECANCELED, "call of a stopped context", result);
        expect(result == 0 && control.return_code == 7, "call", result);
    }

    void repeat_call() {
        damon_call_control control;
        damon_call_control_init(&control);
        control.flags = DAMON_CALL_REPEAT;
        control.fn = [](void* self) {
            auto* session = static_cast<Session*>(self);
            session->in_callback(false);
            return session->draws_.one_in(20) ? 1 : 0;
        };
        control.data = this;
        const int result = damon_call(ctx_, &control);
        expect(result == 0 || result == -ECANCELED, "repeat call", result);
        if (result == 0 && draws_.one_in(2)) {
            const int cancelled = damon_call_cancel(ctx_, control.id);
            expect(cancelled == 0, "call_cancel", cancelled);
        }
    }

    // Calls that must be refused without an effect.
    void misuse() {
        expect(damon_commit_ctx(ctx_, ctx_) == -EINVAL, "commit of itself");
        damon_call_control control;
        damon_call_control_init(&control);
        expect(damon_call(ctx_, &control) == -EINVAL, "call without a function");
        expect(damon_snapshot_read(nullptr, nullptr, 0, nullptr) == -EINVAL, "snapshot of nothing");
        damos_walk_control unserved;
        damos_walk_control_init(&unserved);
        expect(damos_walk(ctx_, &unserved) == -EINVAL, "walk without a function");
        // Elsewhere it would wait for a step, and this thread is the one that steps.
        if (damon_is_running(ctx_) == 0 || damon_is_paused(ctx_) == 1 || damon_ctx_nr_schemes(ctx_) == 0) {
            expect(walk() == -ECANCELED, "walk that nothing serves");
        }
        if (damon_is_running(ctx_) == 0) return;
        expect(damon_ctx_set_seed(ctx_, 1) == -EBUSY, "set_seed while running");
        expect(damon_ctx_remove_target(ctx_, 0) == -EBUSY, "remove_target while running");
        if (stepped_us_ > 0) expect(damon_step(ctx_, stepped_us_ - 1) == -EINVAL, "a step back in time");
    }

    int walk() {
        damos_walk_control control;
        damos_walk_control_init(&control);
        control.walk_fn = [](void*, damon_ctx*, const damon_region_info*, size_t, uint64_t) {};
        return damos_walk(ctx_, &control);
    }

    // --- callbacks ---------------------------------------------------------------------------------------------------

    void in_callback(bool regions_may_change) {
        in_callback_ = true;
        switch (draws_.below(24)) {
            case 0:
                commit();
                break;
            case 1:
                pause(true);
                break;
            case 2:
                set_attrs();
                break;
            case 3:
                expect(damon_stop(&ctx_, 1) == -EDEADLK, "stop in a callback");
                break;
            case 4:
                damon_ctx_free(ctx_);
                break;  // does nothing here
            case 5:
                expect(damon_step(ctx_, now_us_) == -EDEADLK, "step in a callback");
                break;
            case 6:
                if (regions_may_change) set_regions();
                break;
            case 7:
                expect(walk() == -EDEADLK, "walk in a callback");
                break;
            default:
                break;
        }
        in_callback_ = false;
    }

    void set_regions() {
        damon_target* target = damon_ctx_target(ctx_, 0);
        if (target == nullptr) return;
        const std::vector<AddressRange> ranges = random_ranges(draws_, style_, 3);
        const int result =
            damon_target_set_regions(target, reinterpret_cast<const damon_addr_range*>(ranges.data()), ranges.size());
        expect(result == 0 || result == -EINVAL, "set_regions in update", result);
    }

    void check_accesses(damon_sample* samples, size_t nr) {
        ++tick_;
        for (size_t i = 0; i < nr; ++i) {
            expect(samples[i].region_start <= samples[i].addr && samples[i].addr < samples[i].region_end, "sample");
            Sample sample;
            sample.addr = samples[i].addr;
            samples[i].seen = static_cast<int32_t>(world_.look(sample, tick_));
        }
    }

    uint64_t apply_scheme(const damon_region_info& region) {
        in_callback(false);
        ActionRequest request;
        request.range = {region.start, region.end};
        return world_.apply(request, tick_).applied;
    }

    int score(const damon_region_info& region) {
        ActionRequest request;
        request.range = {region.start, region.end};
        return static_cast<int>(world_.score(request));
    }

    // --- reading -----------------------------------------------------------------------------------------------------

    Reading read_live() {
        Reading reading;
        damon_snapshot_info_init(&reading.info);
        reading.regions.resize(4'000);
        const int count = damon_live_read(ctx_, reading.regions.data(), reading.regions.size(), &reading.info);
        expect(count >= 0, "live_read", count);
        reading.regions.resize(static_cast<size_t>(count));
        check_regions(reading.regions);
        return reading;
    }

    void check_snapshot() {
        damon_snapshot_info info;
        damon_snapshot_info_init(&info);
        std::vector<damon_region_info> regions(4'000);
        const int count = damon_snapshot_read(ctx_, regions.data(), regions.size(), &info);
        expect(count >= 0 && static_cast<uint64_t>(count) == info.nr_regions, "snapshot_read", count);
        expect(info.seq >= seq_, "seq went back");
        seq_ = info.seq;
        regions.resize(static_cast<size_t>(count));
        check_regions(regions);
    }

    // I-1.
    static void check_regions(const std::vector<damon_region_info>& regions) {
        for (size_t i = 0; i < regions.size(); ++i) {
            expect(regions[i].start < regions[i].end, "empty region");
            if (i == 0 || regions[i].target_idx != regions[i - 1].target_idx) continue;
            expect(regions[i - 1].end <= regions[i].start, "regions out of order");
        }
    }

    Draws& draws_;
    ParamsStyle style_;
    OpsTraits traits_;
    SyntheticWorld world_;
    damon_ctx* ctx_ = nullptr;
    uint64_t now_us_ = 0;
    uint64_t stepped_us_ = 0;  // since the start
    uint64_t tick_ = 0;
    uint64_t changes_ = 0;  // commits and new attributes, also from callbacks
    uint64_t pauses_in_callbacks_ = 0;
    uint64_t seq_ = 0;
    bool in_callback_ = false;
};

}  // namespace
}  // namespace damon::test

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    constexpr uint64_t kMostInstructions = 2'000;
    damon::test::ByteDraws draws({data, size});
    damon::test::Session session(draws);
    session.run(kMostInstructions);
    return 0;
}
