// What gives way where the limit of the monitor's own cost binds: accuracy of six ways, in virtual time.
//   limit_bench [--seconds N] [--seeds N] [--permil N]     prints one JSON object: a row for each way, limit and number
//   of regions
// A sample and an interval have fixed prices, those that were measured for write protection; the limit is kept by the
// worker's own token bucket. Accuracy is taken every 100 ms of the program's time, with the snapshot that is there
// then: a window that takes long makes old news of it.
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "engine/engine.h"
#include "kdamond/timing/overhead.h"
#include "ops/sim/sim_ops.h"

namespace damon {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kGiB = uint64_t{1} << 30;
constexpr uint64_t kSecond = 1'000'000;
constexpr uint64_t kHotRate = 1'000'000;  // a thousand accesses of each page in a second
constexpr uint64_t kSampleNs = 1'200;
constexpr uint64_t kBatchNs = 40'000;
constexpr uint64_t kStepUs = 100'000;  // accuracy is taken so often
constexpr uint64_t kFoundBp = 9'000;
constexpr uint64_t kPhaseUs = 20 * kSecond;

enum class Way { kLongerWindows, kFewerSamples, kFiveSamples, kColdSeldom, kLateLooks, kPassedOver };
constexpr Way kWays[] = {Way::kLongerWindows, Way::kFewerSamples, Way::kFiveSamples,
                         Way::kColdSeldom,    Way::kLateLooks,    Way::kPassedOver};

const char* name_of(Way way) {
    switch (way) {
        case Way::kLongerWindows:
            return "longer windows";
        case Way::kFewerSamples:
            return "fewer samples a window";
        case Way::kFiveSamples:
            return "fewer samples, five at least";
        case Way::kColdSeldom:
            return "cold regions seldom";
        case Way::kLateLooks:
            return "longer windows, short looks";
        case Way::kPassedOver:  // the library's
            return "intervals passed over";
    }
    return "";
}

enum class Program { kStairs, kScattered, kMoving, kPhases, kLukewarm };
constexpr Program kPrograms[] = {Program::kStairs, Program::kScattered, Program::kMoving, Program::kPhases,
                                 Program::kLukewarm};

void must(const Status& status) {
    if (status.ok()) return;
    fprintf(stderr, "limit_bench: %s\n", status.text());
    exit(1);
}
void must(bool done) {
    if (!done) must(Status::fail(-12, "out of memory"));
}

SimPattern pattern(SimPatternKind kind, AddressRange range) {
    SimPattern made;
    made.kind = kind;
    made.range = range;
    made.rate_millihz = kHotRate;
    return made;
}

// A GiB of which a sixteenth or so is hot, and never long in the same place.
void build(Program program, SimOps& ops) {
    SimRange range;
    range.range = {0, kGiB};
    must(ops.add_range(range));
    switch (program) {
        case Program::kLukewarm: {  // the rest is touched too, each page five times a second
            SimPattern rest = pattern(SimPatternKind::kConstant, {0, kGiB});
            rest.rate_millihz = 5'000;
            must(ops.add_pattern(rest));
            [[fallthrough]];
        }
        case Program::kStairs: {
            SimPattern stairs = pattern(SimPatternKind::kStairs, {0, kGiB});
            stairs.nr_regions = 16;
            stairs.step_us = kPhaseUs;
            return must(ops.add_pattern(stairs));
        }
        case Program::kScattered:  // eight pieces here, then eight there
            for (uint64_t piece = 0; piece < 16; ++piece) {
                const uint64_t start = piece * 64 * kMiB + (piece * 37 % 56) * kMiB;
                SimPattern pulse = pattern(SimPatternKind::kPulse, {start, start + 8 * kMiB});
                pulse.period_us = 2 * kPhaseUs;
                pulse.hot_us = kPhaseUs;
                pulse.phase_us = piece % 2 * kPhaseUs;
                must(ops.add_pattern(pulse));
            }
            return;
        case Program::kMoving: {
            SimPattern moving = pattern(SimPatternKind::kMoving, {0, kGiB});
            moving.period_us = 16 * kPhaseUs;
            moving.window_bytes = 64 * kMiB;
            return must(ops.add_pattern(moving));
        }
        case Program::kPhases:  // a large part for a while, then a small one
            for (uint64_t part = 0; part < 2; ++part) {
                SimPattern pulse =
                    pattern(SimPatternKind::kPulse,
                            {(300 + part * 400) * kMiB, (300 + part * 400 + (part == 0 ? 200 : 20)) * kMiB});
                pulse.period_us = 2 * kPhaseUs;
                pulse.hot_us = kPhaseUs;
                pulse.phase_us = part * kPhaseUs;
                must(ops.add_pattern(pulse));
            }
            return;
    }
}

struct Setting {
    Way way;
    uint64_t permil;
    uint64_t regions;
};

struct Accuracy {
    double f1_sum = 0;
    uint64_t nr_looks = 0;
    std::vector<double> find_s;  // after each change
    double window_s = 0;
    uint64_t nr_windows = 0;
    uint64_t cost_ns = 0;
    uint64_t run_us = 0;

    void add(const Accuracy& other) {
        f1_sum += other.f1_sum;
        nr_looks += other.nr_looks;
        find_s.insert(find_s.end(), other.find_s.begin(), other.find_s.end());
        window_s += other.window_s;
        nr_windows += other.nr_windows;
        cost_ns += other.cost_ns;
        run_us += other.run_us;
    }
};

class Run {
public:
    Run(const Setting& setting, Program program, uint64_t seed) : setting_(setting), ops_(seed) {
        build(program, ops_);
        params_.ops_id = OpsId::kSim;
        must(params_.targets.resize(1));
        must(params_.targets[0].ranges.push_back({0, kGiB}));
        params_.attrs.max_nr_regions = setting.regions;
        params_.attrs.min_nr_regions = std::max<uint64_t>(setting.regions / 2, 3);
        must(engine_.prepare(params_, ops_.traits()));
        engine_.start(seed);
        overhead_.start(0);
    }

    Accuracy run(uint64_t seconds) {
        while (now_us_ < seconds * kSecond) interval();
        result_.run_us = now_us_;
        return result_;
    }

private:
    // Cold for ten windows: in the interval of its turn only. Its turn comes as seldom as the limit asks for, every
    // fourth interval at least.
    bool passed_over(const Region& region, size_t index) const {
        if (period_ < 2) return false;
        const bool cold = region.nr_accesses == 0 && region.last_nr_accesses == 0 && region.age >= 10;
        return cold && (index + engine_.passed_sample_intervals()) % period_ != 0;
    }

    void choose(std::span<Sample> samples) {
        asked_.clear();
        const RegionList& regions = engine_.regions();
        for (size_t i = 0; i < samples.size(); ++i) {
            samples[i].seen = Seen::kNo;
            if (!passed_over(regions.at(0, i), i)) asked_.push_back(i);
        }
        batch_.clear();
        for (const size_t i : asked_) batch_.push_back(samples[i]);
    }

    void interval() {
        const uint64_t began_us = now_us_;
        if (setting_.way == Way::kLateLooks) wait_until(permitted_us_ - std::min(permitted_us_, engine_.sleep_us()));
        ops_.set_now(now_us_);
        const uint64_t wait_us = permitted_us_ > now_us_ ? permitted_us_ - now_us_ : 0;
        choose(engine_.plan(setting_.way == Way::kPassedOver ? wait_us : 0));
        ops_.arm(batch_);
        uint64_t survey_ns = arm_spans();
        wait_until(std::max(now_us_ + engine_.sleep_us(), engine_.may_end_at(permitted_us_)));
        ops_.set_now(now_us_);
        ops_.look(batch_);
        survey_ns += look_spans();
        const std::span<Sample> samples = engine_.samples();
        for (size_t i = 0; i < asked_.size(); ++i) samples[asked_[i]] = batch_[i];
        const uint64_t batch_ns = engine_.passes_over() ? 0 : kBatchNs;
        const uint64_t cost_ns = batch_ns + batch_.size() * kSampleNs + survey_ns;
        result_.cost_ns += cost_ns;
        full_cost_ns_ += kBatchNs + samples.size() * kSampleNs + survey_ns;
        permitted_us_ = now_us_ + (overhead_.charge(cost_ns, setting_.permil, now_us_ * 1000) + 999) / 1000;
        const Due due = engine_.record_samples(now_us_ - began_us);
        if (due.aggregation) end_window();
        if (due.aggregation) choose_period();
        engine_.finish();
        if (due.aggregation && setting_.way == Way::kFewerSamples) fit_samples(1);
        if (due.aggregation && setting_.way == Way::kFiveSamples) fit_samples(5);
    }

    void wait_until(uint64_t end_us) {
        while (now_us_ < end_us) {
            now_us_ = std::min(end_us, (now_us_ / kStepUs + 1) * kStepUs);
            if (now_us_ % kStepUs == 0) look_at_the_truth();
        }
    }

    // As lib/kdamond/surveys.cc charges where time is not real.
    uint64_t arm_spans() {
        const std::span<Span> spans = engine_.spans_to_arm();
        ops_.arm_spans(spans);
        return charge(spans, 47);
    }
    uint64_t look_spans() {
        const std::span<Span> spans = engine_.spans_to_look_at();
        ops_.look_spans(spans);
        return charge(spans, 5);
    }
    uint64_t charge(std::span<const Span> spans, uint64_t page_ns) {
        uint64_t cost_ns = 0;
        for (const Span& span : spans) cost_ns += 600 + span.nr_pages * page_ns;
        if (!spans.empty()) engine_.charge_survey(cost_ns);
        return cost_ns;
    }

    // By how much a window in which all regions are asked all the time costs too much.
    void choose_period() {
        const uint64_t allowed_ns = params_.attrs.aggr_us * setting_.permil;
        const uint64_t stretch = (full_cost_ns_ + allowed_ns - 1) / allowed_ns;
        if (setting_.way == Way::kColdSeldom) period_ = std::min<uint64_t>(stretch, 4);
        full_cost_ns_ = 0;
    }

    // As many samples a window of the wanted length as the limit pays for.
    void fit_samples(uint64_t least) {
        const uint64_t interval_ns = kBatchNs + engine_.nr_regions() * kSampleNs;
        const uint64_t paid = params_.attrs.aggr_us * setting_.permil / interval_ns;
        const uint64_t nr_samples = std::clamp<uint64_t>(paid, least, 20);
        const uint64_t sample_us = params_.attrs.aggr_us / nr_samples;
        if (sample_us == engine_.params().attrs.sample_us) return;
        params_.attrs.sample_us = sample_us;
        must(engine_.commit(params_, ops_.traits(), nullptr));
    }

    void end_window() {
        regions_.resize(engine_.nr_regions());
        engine_.read_regions(regions_, false);
        most_ = static_cast<uint32_t>(std::max<uint64_t>(engine_.params().attrs.max_nr_accesses() / 2, 1));
        result_.window_s += static_cast<double>(now_us_ - window_began_us_) / 1e6;
        ++result_.nr_windows;
        window_began_us_ = now_us_;
    }

    void look_at_the_truth() {
        Vector<AddressRange> hot;
        must(ops_.world().hot_ranges(0, now_us_ - 1, kHotRate / 2, hot));
        const uint64_t f1_bp = compare_with_truth(hot.span(), regions_, {0, most_}).f1_bp();
        result_.f1_sum += static_cast<double>(f1_bp) / 1e4;
        ++result_.nr_looks;
        const uint64_t phase = (now_us_ - 1) / kPhaseUs;
        if (phase != phase_) {
            if (!found_) result_.find_s.push_back(static_cast<double>(kPhaseUs) / 1e6);
            found_ = false;
            phase_ = phase;
        }
        if (found_ || f1_bp < kFoundBp) return;
        found_ = true;
        result_.find_s.push_back(static_cast<double>(now_us_ - phase * kPhaseUs) / 1e6);
    }

    Setting setting_;
    SimOps ops_;
    Params params_;
    Engine engine_;
    Overhead overhead_;
    std::vector<size_t> asked_;  // indexes of the samples that are looked at
    std::vector<Sample> batch_;  // and they themselves
    std::vector<RegionInfo> regions_;
    uint32_t most_ = 1;
    uint64_t period_ = 1;
    uint64_t full_cost_ns_ = 0;  // of this window, had no region been passed over
    uint64_t now_us_ = 0;
    uint64_t permitted_us_ = 0;
    uint64_t window_began_us_ = 0;
    uint64_t phase_ = 0;
    bool found_ = false;
    Accuracy result_;
};

double median_of(std::vector<double> values) {
    if (values.empty()) return 0;
    std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2), values.end());
    return values[values.size() / 2];
}

void print_row(const Setting& setting, const Accuracy& result, bool first) {
    printf("%s  {\"way\": \"%s\", \"limit_permil\": %" PRIu64 ", \"regions\": %" PRIu64
           ", \"f1\": %.3f, \"find_s\": %.1f, \"window_s\": %.2f, \"cost_permil\": %.2f}",
           first ? "" : ",\n", name_of(setting.way), setting.permil, setting.regions,
           result.f1_sum / static_cast<double>(result.nr_looks), median_of(result.find_s),
           result.window_s / static_cast<double>(result.nr_windows),
           static_cast<double>(result.cost_ns) / static_cast<double>(result.run_us));
    fflush(stdout);
}

uint64_t number_after(int argc, char** argv, const char* option, uint64_t otherwise) {
    for (int i = 1; i + 1 < argc; ++i) {
        if (strcmp(argv[i], option) == 0) return strtoull(argv[i + 1], nullptr, 10);
    }
    return otherwise;
}

int main_of(int argc, char** argv) {
    const uint64_t seconds = number_after(argc, argv, "--seconds", 160);
    const uint64_t seeds = number_after(argc, argv, "--seeds", 5);
    const uint64_t only = number_after(argc, argv, "--permil", 0);
    bool first = true;
    printf("{\"rows\": [\n");
    for (const uint64_t permil : {5u, 10u, 20u}) {
        if (only != 0 && permil != only) continue;
        for (const uint64_t regions : {10u, 100u, 1000u}) {
            for (const Way way : kWays) {
                const Setting setting{way, permil, regions};
                Accuracy all;
                for (const Program program : kPrograms) {
                    for (uint64_t seed = 1; seed <= seeds; ++seed) all.add(Run(setting, program, seed).run(seconds));
                }
                print_row(setting, all, first);
                first = false;
            }
        }
    }
    printf("\n]}\n");
    return 0;
}

}  // namespace
}  // namespace damon

int main(int argc, char** argv) { return damon::main_of(argc, argv); }
