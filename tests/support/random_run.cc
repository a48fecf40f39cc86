#include "support/random_run.h"

#include <algorithm>
#include <vector>

namespace damon::test {

RandomRun::RandomRun(Draws& draws, bool with_schemes)
    : draws_(draws),
      style_(random_style(draws, with_schemes)),
      traits_(random_traits(draws, style_)),
      pair_(draws.below(1 << 16), style_.granularity * (style_.units > 1000 ? style_.units / 64 : 1)) {}

// Half of the values are plain intervals, so that a fuzzer needs one byte for each.
RandomRun::Step RandomRun::next_step() {
    const uint64_t value = draws_.below(256);
    if (value < 228) return Step::kInterval;
    if (value < 232) return Step::kPasses;
    if (value < 238) return Step::kCommit;
    if (value < 242) return Step::kSetRanges;
    if (value < 245) return Step::kTargetValid;
    if (value < 248) return Step::kGoalValue;
    if (value < 251) return Step::kWatermarks;
    if (value < 255) return Step::kPause;
    return draws_.one_in(8) ? Step::kRestart : Step::kPause;
}

std::string RandomRun::begin() {
    std::string report = pair_.prepare(random_params(draws_, style_, traits_), traits_);
    if (!report.empty()) return report;
    for (uint32_t i = 0; i < pair_.engine().nr_targets() && report.empty(); ++i) {
        if (pair_.engine().params().targets[i].ranges.empty()) {
            report = pair_.set_target_ranges(i, random_ranges(draws_, style_, 3), style_.granularity);
        }
    }
    return report.empty() ? pair_.start(draws_.below(1 << 16)) : report;
}

std::string RandomRun::run(uint64_t intervals) {
    std::string report = begin();
    while (report.empty() && nr_intervals_ < intervals && !draws_.exhausted()) report = take(next_step());
    return report;
}

std::string RandomRun::take(Step step) {
    switch (step) {
        case Step::kInterval:
            return interval(false);
        case Step::kCommit:
            return interval(true);
        case Step::kSetRanges:
            return set_ranges();
        case Step::kTargetValid:
            return target_valid();
        case Step::kGoalValue:
            return goal_value();
        case Step::kWatermarks:
            return pair_.watermarks(static_cast<int32_t>(draws_.below(1002)) - 1);
        case Step::kPasses:
            return passes();
        case Step::kPause:
            now_us_ += draws_.below(10'000);
            return {};  // to the engine nothing but later
        case Step::kRestart:
            break;
    }
    const std::string report = pair_.stop();
    return report.empty() ? begin() : report;
}

// Mostly as long as it was to be.
uint64_t RandomRun::elapsed_us() {
    const uint64_t nominal = std::max<uint64_t>(pair_.engine().params().attrs.sample_us, 1);
    return draws_.one_in(8) ? draws_.below(6 * nominal) : nominal;
}

// The limit on the cost binds now and then, for a while.
uint64_t RandomRun::wait_us() {
    if (draws_.one_in(40)) dear_ = !dear_;
    if (!dear_) return 0;
    return draws_.below(8) * std::max<uint64_t>(pair_.engine().params().attrs.sample_us, 1);
}

std::string RandomRun::interval(bool with_commit) {
    ++nr_intervals_;
    now_us_ += 400;
    std::string report = pair_.look(elapsed_us(), wait_us());
    const bool amid_the_pass = with_commit && draws_.one_in(4);
    if (report.empty() && with_commit && !amid_the_pass) report = commit();
    if (report.empty()) report = amid_the_pass ? commit_amid_the_pass() : pair_.apply(now_us_);
    if (report.empty()) report = pair_.finish();
    if (report.empty() && pair_.update_due()) report = set_ranges();
    return report;
}

std::string RandomRun::commit() {
    return pair_.commit(varied_params(draws_, style_, traits_, pair_.engine().params()), traits_);
}

std::string RandomRun::commit_amid_the_pass() {
    const size_t request_idx = draws_.below(6);
    return pair_.apply_and_commit(now_us_, request_idx, varied_params(draws_, style_, traits_, pair_.engine().params()),
                                  traits_);
}

std::string RandomRun::set_ranges() {
    if (pair_.engine().nr_targets() == 0) return {};
    const auto target_idx = static_cast<uint32_t>(draws_.below(pair_.engine().nr_targets()));
    return pair_.set_target_ranges(target_idx, random_ranges(draws_, style_, 3), pair_.engine().params().min_region_sz);
}

// What passes may say of the memory from the first region on: windows of all kinds, with gaps.
std::string RandomRun::passes() {
    const Engine& engine = pair_.engine();
    std::vector<PassWindow> windows;
    if (engine.nr_targets() == 0 || engine.regions().nr_regions_of(0) == 0) return {};
    const uint64_t unit = std::max<uint64_t>(style_.granularity / 2, 1);
    const uint64_t nr_windows = draws_.below(20);
    uint64_t at = engine.regions().at(0, 0).range.start;
    for (uint64_t i = 0; i < nr_windows; ++i) {
        at += draws_.one_in(4) ? draws_.below(4) * unit : 0;
        PassWindow window;
        window.range = {at, at + (1 + draws_.below(16)) * unit};
        window.present_bytes = draws_.one_in(8) ? 0 : 1;
        window.unknown = draws_.one_in(8) ? Unknown::kLocked : Unknown::kNone;
        window.idle_us = draws_.one_in(3) ? 0 : draws_.below(1'000'000);
        at = window.range.end;
        windows.push_back(window);
    }
    return pair_.take_passes(windows);
}

std::string RandomRun::target_valid() {
    if (pair_.engine().nr_targets() == 0) return {};
    const auto target_idx = static_cast<uint32_t>(draws_.below(pair_.engine().nr_targets()));
    return pair_.set_target_valid(target_idx, draws_.one_in(2));
}

std::string RandomRun::goal_value() {
    if (pair_.engine().nr_schemes() == 0) return {};
    const size_t scheme_idx = draws_.below(pair_.engine().nr_schemes());
    const auto& goals = pair_.engine().params().schemes[scheme_idx].goals;
    if (goals.empty()) return {};
    return pair_.set_goal_value(scheme_idx, draws_.below(goals.size()), draws_.below(300));
}

}  // namespace damon::test
