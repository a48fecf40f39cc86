#include "ops/sim/world.h"

#include <algorithm>
#include <cerrno>
#include <cinttypes>

namespace damon {
namespace {

Status no_memory() { return Status::fail(-ENOMEM, "no memory for the simulated world"); }

bool before(uint32_t target_a, uint64_t address_a, uint32_t target_b, uint64_t address_b) {
    return target_a != target_b ? target_a < target_b : address_a < address_b;
}

// Adjacent ranges are joined.
bool append_joined(AddressRange range, Vector<AddressRange>& out) {
    if (!out.empty() && out.back().end == range.start) {
        out.back().end = range.end;
        return true;
    }
    return out.push_back(range);
}

void sort_unique(Vector<uint64_t>& numbers) {
    // With the default order libc++ calls a sort that it keeps in its own shared library.
    std::sort(numbers.begin(), numbers.end(), [](uint64_t a, uint64_t b) { return a < b; });
    numbers.truncate(static_cast<size_t>(std::unique(numbers.begin(), numbers.end()) - numbers.begin()));
}

}  // namespace

bool SimWorld::copy_from(const SimWorld& other) {
    SimWorld copy(other.page_size_);
    if (!copy.ranges_.copy_from(other.ranges_) || !copy.pulses_.copy_from(other.pulses_) ||
        !copy.pieces_.copy_from(other.pieces_) || !copy.members_.copy_from(other.members_)) {
        return false;
    }
    copy.nr_targets_ = other.nr_targets_;
    *this = std::move(copy);
    return true;
}

Status SimWorld::add_range(const SimRange& added) {
    const AddressRange range = added.range;
    if (range.empty() || range.start % page_size_ != 0 || range.end % page_size_ != 0) {
        return Status::fail(-EINVAL,
                            "range is [%" PRIu64 ", %" PRIu64 "); start < end, multiples of %" PRIu64 " would be right",
                            range.start, range.end, page_size_);
    }
    if (added.target_idx >= kMaxTargets || (added.flags & ~kAllSimRangeFlags) != 0 || added.resident_bp > kBp) {
        return Status::fail(
            -EINVAL, "range target_idx %u, flags %u, resident_bp %u; below %u, up to %u, up to 10000 would be right",
            added.target_idx, added.flags, added.resident_bp, kMaxTargets, kAllSimRangeFlags);
    }
    size_t index = 0;
    for (; index < ranges_.size(); ++index) {
        const SimRange& other = ranges_[index];
        if (other.target_idx == added.target_idx && other.range.intersects(range)) {
            return Status::fail(-EINVAL, "range [%" PRIu64 ", %" PRIu64 ") overlaps [%" PRIu64 ", %" PRIu64 ")",
                                range.start, range.end, other.range.start, other.range.end);
        }
        if (before(added.target_idx, range.start, other.target_idx, other.range.start)) break;
    }
    if (!ranges_.insert(index, added)) return no_memory();
    const Status status = reindex();
    if (!status.ok()) {
        ranges_.erase(index, index + 1);
        return status;
    }
    nr_targets_ = std::max(nr_targets_, added.target_idx + 1);
    return {};
}

Status SimWorld::add_pattern(const SimPattern& pattern) {
    Status status = validate_pattern(pattern, page_size_);
    if (!status.ok()) return status;
    uint64_t covered = 0;
    for (const SimRange& mapped : ranges_) {
        if (mapped.target_idx != pattern.target_idx || !mapped.range.intersects(pattern.range)) continue;
        covered += mapped.range.intersection(pattern.range).size();
    }
    if (covered != pattern.range.size()) {
        return Status::fail(-EINVAL,
                            "pattern range [%" PRIu64 ", %" PRIu64 ") has %" PRIu64
                            " bytes outside the ranges of target %u; none would be right",
                            pattern.range.start, pattern.range.end, pattern.range.size() - covered, pattern.target_idx);
    }
    const size_t old_size = pulses_.size();
    status = append_pulses(pattern, page_size_, pulses_);
    if (status.ok()) status = reindex();
    if (!status.ok()) pulses_.truncate(old_size);
    return status;
}

size_t SimWorld::find_piece(uint32_t target_idx, uint64_t address, size_t hint) const {
    for (size_t i = hint; i < pieces_.size() && i < hint + 2; ++i) {
        if (pieces_[i].target_idx == target_idx && pieces_[i].range.contains(address)) return i;
    }
    const SimPiece* after =
        std::upper_bound(pieces_.begin(), pieces_.end(), address, [&](uint64_t wanted, const SimPiece& piece) {
            return before(target_idx, wanted, piece.target_idx, piece.range.start);
        });
    if (after == pieces_.begin()) return kNoPiece;
    const SimPiece& piece = *(after - 1);
    const bool inside = piece.target_idx == target_idx && piece.range.contains(address);
    return inside ? static_cast<size_t>(after - 1 - pieces_.begin()) : kNoPiece;
}

uint64_t SimWorld::expected_nano(const SimPiece& piece, uint64_t address, TimeSpan span, bool writes_only) const {
    uint64_t expected = 0;
    for (uint32_t i = 0; i < piece.nr_pulses; ++i) {
        const SimPulse& pulse = pulses_[members_[piece.first_pulse + i]];
        expected = saturating_add(expected, pulse.expected_nano(address, span, writes_only));
    }
    return expected;
}

uint64_t SimWorld::rate_millihz(const SimPiece& piece, uint64_t address, uint64_t at_us) const {
    uint64_t rate = 0;
    for (uint32_t i = 0; i < piece.nr_pulses; ++i) {
        const SimPulse& pulse = pulses_[members_[piece.first_pulse + i]];
        if (pulse.hot_at(address, at_us)) rate = saturating_add(rate, pulse.rate_millihz);
    }
    return rate;
}

// Where in a piece the windows of travelling pulses begin and end at a moment; the piece's own ends too.
bool SimWorld::travel_edges(const SimPiece& piece, uint64_t at_us, Vector<uint64_t>& edges) const {
    edges.clear();
    if (!edges.push_back(piece.range.start) || !edges.push_back(piece.range.end)) return false;
    for (uint32_t i = 0; i < piece.nr_pulses; ++i) {
        const SimPulse& pulse = pulses_[members_[piece.first_pulse + i]];
        if (!pulse.travels() || at_us < pulse.begin_us) continue;
        const uint64_t first = pulse.window_start_page(at_us);
        for (const uint64_t page : {first, (first + pulse.window_pages) % pulse.nr_pages()}) {
            const uint64_t edge = pulse.range.start + page * page_size_;
            if (piece.range.contains(edge) && !edges.push_back(edge)) return false;
        }
    }
    sort_unique(edges);
    return true;
}

Status SimWorld::hot_ranges(uint32_t target_idx, uint64_t at_us, uint64_t min_rate_millihz,
                            Vector<AddressRange>& out) const {
    out.clear();
    const uint64_t threshold = std::max<uint64_t>(min_rate_millihz, 1);
    Vector<uint64_t> edges;
    for (const SimPiece& piece : pieces_) {
        if (piece.target_idx != target_idx) continue;
        if (!piece.travels) {
            const bool hot = rate_millihz(piece, piece.range.start, at_us) >= threshold;
            if (hot && !append_joined(piece.range, out)) return no_memory();
            continue;
        }
        if (!travel_edges(piece, at_us, edges)) return no_memory();
        for (size_t i = 0; i + 1 < edges.size(); ++i) {
            const bool hot = rate_millihz(piece, edges[i], at_us) >= threshold;
            if (hot && !append_joined({edges[i], edges[i + 1]}, out)) return no_memory();
        }
    }
    return {};
}

bool SimWorld::cut_points(const SimRange& mapped, Vector<uint64_t>& cuts) const {
    cuts.clear();
    if (!cuts.push_back(mapped.range.start) || !cuts.push_back(mapped.range.end)) return false;
    for (const SimPulse& pulse : pulses_) {
        if (pulse.target_idx != mapped.target_idx || !pulse.range.intersects(mapped.range)) continue;
        const uint64_t parts = pulse.travels() ? std::min<uint64_t>(kTravelPieces, pulse.nr_pages()) : 1;
        for (uint64_t part = 0; part <= parts; ++part) {
            const uint64_t cut = pulse.range.start + mul_div(pulse.nr_pages(), part, parts) * page_size_;
            if (mapped.range.contains(cut) && !cuts.push_back(cut)) return false;
        }
    }
    sort_unique(cuts);
    return true;
}

Status SimWorld::index_range(uint32_t range_idx, Vector<uint64_t>& cuts, Vector<SimPiece>& pieces,
                             Vector<uint32_t>& members) const {
    const SimRange& mapped = ranges_[range_idx];
    if (!cut_points(mapped, cuts)) return no_memory();
    for (size_t i = 0; i + 1 < cuts.size(); ++i) {
        SimPiece piece;
        piece.range = {cuts[i], cuts[i + 1]};
        piece.target_idx = mapped.target_idx;
        piece.range_idx = range_idx;
        piece.first_pulse = static_cast<uint32_t>(members.size());
        for (size_t pulse_idx = 0; pulse_idx < pulses_.size(); ++pulse_idx) {
            const SimPulse& pulse = pulses_[pulse_idx];
            if (pulse.target_idx != mapped.target_idx || !pulse.range.covers(piece.range)) continue;
            if (!members.push_back(static_cast<uint32_t>(pulse_idx))) return no_memory();
            piece.travels |= pulse.travels();
        }
        piece.nr_pulses = static_cast<uint32_t>(members.size()) - piece.first_pulse;
        if (!pieces.push_back(piece)) return no_memory();
    }
    return {};
}

Status SimWorld::reindex() {
    Vector<uint64_t> cuts;
    Vector<SimPiece> pieces;
    Vector<uint32_t> members;
    for (size_t range_idx = 0; range_idx < ranges_.size(); ++range_idx) {
        const Status status = index_range(static_cast<uint32_t>(range_idx), cuts, pieces, members);
        if (!status.ok()) return status;
    }
    pieces_.swap(pieces);
    members_.swap(members);
    return {};
}

}  // namespace damon
