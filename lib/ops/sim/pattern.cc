#include "ops/sim/pattern.h"

#include <algorithm>
#include <cerrno>
#include <cinttypes>

namespace damon {
namespace {

constexpr uint64_t kMaxTimeUs = kU64Max / 4;  // so that sums of a few times cannot wrap

Status validate_stepped(const SimPattern& pattern, uint64_t page_size) {
    if (pattern.nr_regions < 2 || pattern.range.size() / page_size < pattern.nr_regions) {
        return Status::fail(-EINVAL, "pattern nr_regions is %u; 2 to %" PRIu64 " (a page each) would be right",
                            pattern.nr_regions, pattern.range.size() / page_size);
    }
    if (pattern.step_us == 0 || pattern.step_us > kMaxTimeUs / pattern.nr_regions / 2) {
        return Status::fail(-EINVAL, "pattern step_us is %" PRIu64 "; 1 to %" PRIu64 " would be right", pattern.step_us,
                            kMaxTimeUs / pattern.nr_regions / 2);
    }
    return {};
}

Status validate_pulse(const SimPattern& pattern) {
    const bool once = pattern.period_us == 0;
    const uint64_t limit_us = once ? kMaxTimeUs : pattern.period_us;
    if (pattern.hot_us == 0 || pattern.hot_us > limit_us) {
        return Status::fail(-EINVAL, "pattern hot_us is %" PRIu64 "; 1 to %" PRIu64 " would be right", pattern.hot_us,
                            limit_us);
    }
    if (pattern.phase_us > limit_us || (!once && pattern.phase_us == limit_us)) {
        return Status::fail(-EINVAL, "pattern phase_us is %" PRIu64 "; less than period_us %" PRIu64 " would be right",
                            pattern.phase_us, limit_us);
    }
    return {};
}

Status validate_moving(const SimPattern& pattern, uint64_t page_size) {
    if (pattern.period_us == 0) {
        return Status::fail(-EINVAL, "pattern period_us is 0; the time of one pass, 1 or more, would be right");
    }
    if (pattern.kind == SimPatternKind::kSweep) return {};
    if (pattern.window_bytes == 0 || pattern.window_bytes % page_size != 0 ||
        pattern.window_bytes > pattern.range.size()) {
        return Status::fail(
            -EINVAL, "pattern window_bytes is %" PRIu64 "; a multiple of %" PRIu64 " up to %" PRIu64 " would be right",
            pattern.window_bytes, page_size, pattern.range.size());
    }
    return {};
}

SimPulse plain_pulse(const SimPattern& pattern, uint64_t page_size) {
    SimPulse pulse;
    pulse.range = pattern.range;
    pulse.target_idx = pattern.target_idx;
    pulse.writes_bp = pattern.writes_bp;
    pulse.rate_millihz = pattern.rate_millihz;
    pulse.begin_us = pattern.begin_us;
    pulse.end_us = pattern.end_us;
    pulse.page_size = page_size;
    return pulse;
}

// One of the equal parts of a stepped pattern, hot in step `step` of every `nr_steps`.
SimPulse step_pulse(const SimPattern& pattern, uint64_t page_size, uint64_t part, uint64_t step, uint64_t nr_steps) {
    SimPulse pulse = plain_pulse(pattern, page_size);
    const uint64_t pages = pattern.range.size() / page_size;
    pulse.range = {pattern.range.start + mul_div(pages, part, pattern.nr_regions) * page_size,
                   pattern.range.start + mul_div(pages, part + 1, pattern.nr_regions) * page_size};
    pulse.period_us = nr_steps * pattern.step_us;
    pulse.phase_us = step * pattern.step_us;
    pulse.hot_us = pattern.step_us;
    return pulse;
}

// The pulses of a pattern in order; false: there is no such one.
bool pulse_of(const SimPattern& pattern, uint64_t page_size, uint64_t index, SimPulse& pulse) {
    const uint64_t parts = pattern.nr_regions;
    if (pattern.kind == SimPatternKind::kStairs) {
        if (index >= parts) return false;
        pulse = step_pulse(pattern, page_size, index, index, parts);
        return true;
    }
    if (pattern.kind == SimPatternKind::kZigzag) {
        const uint64_t steps = 2 * parts - 2;
        if (index >= steps) return false;
        pulse = step_pulse(pattern, page_size, index < parts ? index : steps - index, index, steps);
        return true;
    }
    if (index != 0) return false;
    pulse = plain_pulse(pattern, page_size);
    if (pattern.kind == SimPatternKind::kPulse) {
        pulse.period_us = pattern.period_us;
        pulse.phase_us = pattern.phase_us;
        pulse.hot_us = pattern.hot_us;
        if (pattern.period_us == 0) {
            pulse.begin_us += pattern.phase_us;
            pulse.end_us = std::min(pulse.end_us, pulse.begin_us + pattern.hot_us);
        }
    } else if (pattern.kind != SimPatternKind::kConstant) {
        const bool sweep = pattern.kind == SimPatternKind::kSweep;
        pulse.period_us = pattern.period_us;
        pulse.window_pages = sweep ? 1 : pattern.window_bytes / page_size;
        if (sweep) pulse.rate_millihz = kU64Max;
    }
    return true;
}

}  // namespace

Status validate_pattern(const SimPattern& pattern, uint64_t page_size) {
    const AddressRange& range = pattern.range;
    if (range.empty() || range.start % page_size != 0 || range.end % page_size != 0) {
        return Status::fail(-EINVAL,
                            "pattern range is [%" PRIu64 ", %" PRIu64 "); start < end, multiples of %" PRIu64
                            " would be right",
                            range.start, range.end, page_size);
    }
    if (pattern.writes_bp > kBp) {
        return Status::fail(-EINVAL, "pattern writes_bp is %u; 0 to 10000 would be right", pattern.writes_bp);
    }
    if (pattern.rate_millihz == 0 && pattern.kind != SimPatternKind::kSweep) {
        return Status::fail(-EINVAL, "pattern rate_millihz is 0; accesses of a hot page in 1,000 s would be right");
    }
    if (pattern.begin_us > kMaxTimeUs || pattern.begin_us >= pattern.end_us || pattern.period_us > kMaxTimeUs) {
        return Status::fail(-EINVAL,
                            "pattern begin_us %" PRIu64 ", end_us %" PRIu64 ", period_us %" PRIu64
                            "; begin before end and at most 2^62 would be right",
                            pattern.begin_us, pattern.end_us, pattern.period_us);
    }
    switch (pattern.kind) {
        case SimPatternKind::kConstant:
            return {};
        case SimPatternKind::kPulse:
            return validate_pulse(pattern);
        case SimPatternKind::kStairs:
        case SimPatternKind::kZigzag:
            return validate_stepped(pattern, page_size);
        case SimPatternKind::kMoving:
        case SimPatternKind::kSweep:
            return validate_moving(pattern, page_size);
    }
    return Status::fail(-EINVAL, "pattern kind is %d; 0 to %d would be right", static_cast<int>(pattern.kind),
                        kNrSimPatternKinds - 1);
}

Status append_pulses(const SimPattern& pattern, uint64_t page_size, Vector<SimPulse>& pulses) {
    const size_t before = pulses.size();
    SimPulse pulse;
    for (uint64_t index = 0; pulse_of(pattern, page_size, index, pulse); ++index) {
        if (pulses.push_back(pulse)) continue;
        pulses.truncate(before);
        return Status::fail(-ENOMEM, "no memory for the pulses of a pattern");
    }
    return {};
}

}  // namespace damon
