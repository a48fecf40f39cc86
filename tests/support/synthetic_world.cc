#include "support/synthetic_world.h"

namespace damon::test {
namespace {

// The finaliser of splitmix64.
uint64_t mix(uint64_t value) {
    value += 0x9e3779b97f4a7c15;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
}

enum Question : uint64_t { kTemperature = 2, kAccess, kUnknown, kProbe, kApply, kScore, kMeasure };

}  // namespace

uint64_t SyntheticWorld::hash(uint64_t a, uint64_t b, uint64_t c) const {
    return mix(seed_ ^ mix(a ^ mix(b ^ mix(c))));
}

Seen SyntheticWorld::look(const Sample& sample, uint64_t tick) const {
    const uint64_t page = sample.addr / page_;
    // Some memory cannot be looked at for a while, some hardly, some now and then.
    const uint64_t hidden = hash(page / 16, kUnknown, tick / 500) % 16;
    if (hidden == 0) return Seen::kUnknown;
    if (hidden <= 2 && hash(sample.addr, kUnknown, tick) % 6 >= 2 * hidden - 1) return Seen::kUnknown;
    const uint64_t temperature = hash(page, kTemperature, tick / 300) % 8;  // 0: never, 7: always
    return hash(page, kAccess, tick) % 7 < temperature ? Seen::kYes : Seen::kNo;
}

Unknown SyntheticWorld::unknown(const Sample& sample) const {
    return static_cast<Unknown>(hash(sample.addr / page_, kUnknown, 0) % kNrUnknowns);
}

uint8_t SyntheticWorld::probe_hits(const Sample& sample, uint64_t tick) const {
    return static_cast<uint8_t>(hash(sample.addr / page_, kProbe, tick / 50));
}

Outcome SyntheticWorld::apply(const ActionRequest& request, uint64_t tick) const {
    const uint64_t random = hash(request.range.start, request.range.end ^ request.scheme_idx << 7 ^ kApply, tick);
    Outcome outcome;
    const uint64_t size = request.range.size();
    outcome.applied = random % 4 == 0 ? 0 : random % 4 == 1 ? size / 2 : random % 29 == 0 ? size + 5 : size;
    outcome.filter_passed = random / 64 % 2 == 0 ? size : size / 3;
    if (random / 512 % 8 == 0) outcome.spared = random / 4096 % 2 == 0 ? size : random / 8192 % (size + 3);
    if (random / 8192 % 2 == 0) outcome.unseen = outcome.spared;
    outcome.elapsed_ns = random % 211 == 0 ? uint64_t{1} << 62 : random / 128 % 5000;
    return outcome;
}

uint32_t SyntheticWorld::score(const ActionRequest& request) const {
    return static_cast<uint32_t>(hash(request.range.start, kScore ^ request.age << 8, request.nr_accesses) % 104);
}

std::optional<uint64_t> SyntheticWorld::measure(const MetricQuery& query, uint64_t tick) const {
    if (query.metric == QuotaMetric::kSomeMemPsiUs) return tick * 40 + hash(kMeasure, 0, tick) % 30;  // only grows
    const uint64_t random = hash(query.scheme_idx * 16 + query.goal_idx, kMeasure, tick / 10);
    if (random % 16 == 0) return std::nullopt;
    return random / 16 % 300;
}

}  // namespace damon::test
