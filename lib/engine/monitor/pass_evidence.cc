#include "engine/monitor/pass_evidence.h"

#include <algorithm>

#include "base/arithmetic.h"

namespace damon {
namespace {

bool alike(const PassWindow* left, const PassWindow* right) {
    const bool left_known = left != nullptr && left->known();
    const bool right_known = right != nullptr && right->known();
    if (!left_known || !right_known) return left_known == right_known;
    const uint64_t less = std::min(left->idle_us, right->idle_us);
    const uint64_t more = std::max(left->idle_us, right->idle_us);
    return less == 0 ? more == 0 : more / 2 <= less;
}

}  // namespace

bool PassEvidence::take(std::span<const PassWindow> windows) {
    windows_.clear();
    if (!windows_.reserve(windows.size())) return false;
    for (const PassWindow& window : windows) {
        DAMON_CHECK(!window.range.empty() && (windows_.empty() || windows_.back().range.end <= window.range.start));
        if (!windows_.push_back(window)) return false;
    }
    return true;
}

const PassWindow* PassEvidence::find(uint64_t address) const {
    const auto at =
        std::ranges::upper_bound(windows_, address, {}, [](const PassWindow& it) { return it.range.start; });
    if (at == windows_.begin() || !(at - 1)->range.contains(address)) return nullptr;
    return at - 1;
}

PassEvidence::Answer PassEvidence::of(AddressRange range) const {
    const PassWindow* window = find(range.start);
    uint64_t idle_us = kU64Max;
    for (uint64_t known = range.start; known < range.end; known = (window++)->range.end) {
        if (window == nullptr || window == windows_.end() || window->range.start > known) return {};
        if (!window->known()) return {.unknown = window->unknown};
        idle_us = std::min(idle_us, window->idle_us);
    }
    return {.known = true, .idle_us = idle_us};
}

bool PassEvidence::alike_around(uint64_t address) const { return alike(find(address - 1), find(address)); }

uint64_t PassEvidence::next_border(uint64_t address, uint64_t end) const {
    auto at = std::ranges::upper_bound(windows_, address, {}, [](const PassWindow& it) { return it.range.end; });
    for (; at != windows_.end() && at->range.start < end; ++at) {
        for (const uint64_t border : {at->range.start, at->range.end}) {
            if (address < border && border < end && !alike_around(border)) return border;
        }
    }
    return end;
}

// Samples say how often; whether at all, and for how long not, passes know better.
void add_pass_evidence(const PassEvidence& passes, uint64_t aggr_us, RegionInfo& info) {
    const bool unknown = (info.flags & kRegionUnknown) != 0;
    if (!unknown && (info.flags & kRegionWritesOnly) == 0) return;
    const PassEvidence::Answer answer = passes.of({info.start, info.end});
    if (!answer.known) {
        if (answer.unknown != Unknown::kNone) info.unknown_reason = answer.unknown;
        return;
    }
    const uint64_t idle_us = answer.idle_us;
    info.flags = (info.flags & ~kRegionUnknown) | kRegionReferenced;
    if (unknown) {
        info.unknown_reason = Unknown::kNone;
        info.nr_accesses = 0;
        info.idle_us = idle_us;
    }
    info.idle_us = std::min(info.idle_us, idle_us);
    if (idle_us == 0) {
        info.nr_accesses = std::max(info.nr_accesses, 1u);
        return;
    }
    if (info.nr_accesses != 0) return;  // the age is of what the samples saw
    info.age_us = std::min(info.age_us, idle_us);
    info.age = static_cast<uint32_t>(std::min<uint64_t>(info.age, idle_us / std::max<uint64_t>(aggr_us, 1)));
}

}  // namespace damon
