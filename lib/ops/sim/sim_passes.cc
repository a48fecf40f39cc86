// Passes over the accessed bits of simulated memory: which windows had any access since the last pass, reads included.
#include <algorithm>

#include "base/arithmetic.h"
#include "ops/sim/mix.h"
#include "ops/sim/sim_ops.h"
#include "ops/sim/survival.h"

namespace damon {
namespace {

constexpr uint64_t kWindowBytes = 2u << 20;

}  // namespace

bool SimOps::begin_pass(bool wanted) {
    if (!wanted) passed_ = false;
    return wanted && alive(0);
}

// All windows that memory of target 0 has now, cut at multiples of their size.
bool SimOps::list_windows(Vector<PassWindow>& out) const {
    const uint64_t window_bytes = std::max(kWindowBytes, world_.page_size());
    for (const SimRange& mapping : world_.ranges()) {
        if (mapping.target_idx != 0 || (mapping.flags & kSimRangeFile) != 0) continue;
        for (uint64_t at = mapping.range.start; at < mapping.range.end;) {
            const uint64_t border = align_down(at, window_bytes);
            const uint64_t end = mapping.range.end - border > window_bytes ? border + window_bytes : mapping.range.end;
            if (!out.push_back(PassWindow{.range = {at, end}})) return false;
            at = end;
        }
    }
    return true;
}

// What is there, and what of it was accessed since the last pass: each page by itself where pages differ.
void SimOps::look_at(PassWindow& window) const {
    const uint64_t page = world_.page_size();
    uint64_t untouched_bytes = 0;
    for (uint64_t at = window.range.start; at < window.range.end;) {
        const size_t found = world_.find_piece(0, at);
        Extent extent;
        if (found == SimWorld::kNoPiece || !memory_.extent_at(0, at, now_us_, extent)) {
            at += page;
            continue;
        }
        const SimPiece& piece = world_.pieces()[found];
        if ((world_.range_of(piece).flags & kSimRangeLocked) != 0) window.unknown = Unknown::kLocked;
        const AddressRange rest{at, std::min({window.range.end, extent.range.end, piece.range.end})};
        const AddressRange part = piece.travels ? AddressRange{at, std::min(at + page, rest.end)} : rest;
        const uint64_t present = mul_div(part.size(), extent.resident(), extent.range.size());
        const uint64_t expected = world_.expected_nano(piece, at, {passed_us_, now_us_});
        const uint64_t expected_of_all = saturating_mul(expected, part.size() / page);
        const uint64_t fate = mix(mix(mix(mix(seed_, ~uint64_t{0}), at), passed_us_), now_us_);
        const bool touched = expected_of_all != 0 && fate >= silence_q64(expected_of_all);
        untouched_bytes +=
            touched ? std::min(untouched_part(present, expected), present - std::min(present, page)) : present;
        window.present_bytes += present;
        at = part.end;
    }
    window.touched_bytes = window.present_bytes - untouched_bytes;
}

uint64_t SimOps::pass_step(uint64_t) {
    Vector<PassWindow> now;
    if (!list_windows(now)) return 0;
    size_t before = 0;
    for (PassWindow& window : now) {
        look_at(window);
        while (before < pass_windows_.size() && pass_windows_[before].range.end <= window.range.start) ++before;
        const bool stood = before < pass_windows_.size() && pass_windows_[before].range == window.range;
        if (window.unknown == Unknown::kNone && (!passed_ || !stood)) window.unknown = Unknown::kNotExamined;
        if (!window.known() || window.touched_bytes != 0) continue;
        window.idle_us = saturating_add(pass_windows_[before].idle_us, now_us_ - passed_us_);
    }
    pass_windows_.swap(now);
    passed_us_ = now_us_;
    passed_ = true;
    ++pass_generation_;
    return 0;
}

}  // namespace damon
