#include "model/saved_mappings.h"

#include <algorithm>

namespace damon {
namespace {

struct Match {
    size_t then = 0;
    size_t now = 0;
};

uint64_t size_of_rank(std::span<const NamedRange> ranges, Vector<uint64_t>& sizes) {
    // With the default order libc++ calls a sort that it keeps in its own shared library.
    std::sort(sizes.begin(), sizes.end(), [](uint64_t a, uint64_t b) { return a < b; });
    return sizes.size() <= kMaxMatchedMappings ? 0 : sizes[ranges.size() - kMaxMatchedMappings];
}

// The largest, in their order.
bool take_largest(std::span<const NamedRange> ranges, Vector<NamedRange>& out) {
    Vector<uint64_t> sizes;
    for (const NamedRange& one : ranges) {
        if (!sizes.push_back(one.range.size())) return false;
    }
    const uint64_t least = size_of_rank(ranges, sizes);
    for (const NamedRange& one : ranges) {
        if (one.range.size() < least || out.size() == kMaxMatchedMappings) continue;
        if (!out.push_back(one)) return false;
    }
    return true;
}

// How good it is to take them for the same; 0: they are not.
uint64_t likeness(const NamedRange& then, const NamedRange& now) {
    if (then.name != now.name) return 0;
    const uint64_t less = std::min(then.range.size(), now.range.size());
    const uint64_t more = std::max(then.range.size(), now.range.size());
    if (then.name != 0) return less;
    return more - less < less ? less - (more - less) : 0;  // at most twice as large, and the nearer in size the better
}

// Pairs in the order of both of which the likenesses' sum is the largest.
bool match(std::span<const NamedRange> then, std::span<const NamedRange> now, Vector<Match>& pairs) {
    const size_t width = now.size() + 1;
    Vector<uint64_t> best;  // of the mappings from (i, j) on
    if (!best.resize((then.size() + 1) * width)) return false;
    for (size_t i = then.size(); i-- > 0;) {
        for (size_t j = now.size(); j-- > 0;) {
            const uint64_t alike = likeness(then[i], now[j]);
            const uint64_t both = alike == 0 ? 0 : best[(i + 1) * width + j + 1] + alike;
            best[i * width + j] = std::max({both, best[(i + 1) * width + j], best[i * width + j + 1]});
        }
    }
    for (size_t i = 0, j = 0; i < then.size() && j < now.size();) {
        const uint64_t alike = likeness(then[i], now[j]);
        if (alike != 0 && best[i * width + j] == best[(i + 1) * width + j + 1] + alike) {
            if (!pairs.push_back(Match{i++, j++})) return false;
        } else if (best[i * width + j] == best[(i + 1) * width + j]) {
            ++i;
        } else {
            ++j;
        }
    }
    return true;
}

// The part of `region` in the mapping of then, at its address of now; may be empty.
AddressRange moved(AddressRange region, const NamedRange& then, const NamedRange& now) {
    const uint64_t stack = mapping_name_of("[stack]", 7, 0);
    const AddressRange inside = region.intersection(then.range);
    if (inside.empty()) return {};
    const bool from_end = then.name == 0 || then.name == stack;
    const uint64_t shift =
        from_end ? now.range.end - then.range.end : now.range.start - then.range.start;  // modulo 2^64
    const AddressRange there = {inside.start + shift, inside.end + shift};
    // An address that wrapped lies in no mapping.
    return there.empty() ? there : there.intersection(now.range);
}

// The pieces of the regions that reach into a mapping, from region `first` on.
bool move_regions(const SavedTarget& target, const NamedRange& then, const NamedRange& now, size_t& first,
                  Vector<SavedRegion>& pieces) {
    while (first < target.regions.size() && target.regions[first].range.end <= then.range.start) ++first;
    for (size_t at = first; at < target.regions.size() && target.regions[at].range.start < then.range.end; ++at) {
        SavedRegion piece = target.regions[at];
        piece.range = moved(piece.range, then, now);
        if (!piece.range.empty() && !pieces.push_back(piece)) return false;
    }
    return true;
}

}  // namespace

uint64_t mapping_name_of(const char* text, size_t length, uint64_t offset) {
    if (length == 0) return 0;
    uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
    const auto add = [&hash](uint8_t byte) { hash = (hash ^ byte) * 0x100000001b3; };
    for (size_t i = 0; i < length; ++i) add(static_cast<uint8_t>(text[i]));
    for (unsigned i = 0; i < 8; ++i) add(static_cast<uint8_t>(offset >> (8 * i)));
    return std::max<uint64_t>(hash, 1);
}

bool move_to_mappings(SavedTarget& target, std::span<const NamedRange> now, uint64_t& found_bytes,
                      uint64_t& saved_bytes) {
    DAMON_CHECK(target.names.size() == target.ranges.size());
    Vector<NamedRange> all, then, here;
    Vector<Match> pairs;
    found_bytes = saved_bytes = 0;
    for (size_t i = 0; i < target.ranges.size(); ++i) {
        if (!all.push_back(NamedRange{target.ranges[i], target.names[i]})) return false;
        saved_bytes += target.ranges[i].size();
    }
    if (!take_largest(all.span(), then) || !take_largest(now, here)) return false;
    if (!match(then.span(), here.span(), pairs)) return false;
    Vector<SavedRegion> pieces;
    Vector<AddressRange> ranges;
    Vector<uint64_t> names;
    size_t first = 0;
    for (const Match pair : pairs) {
        const NamedRange& from = then[pair.then];
        const NamedRange& to = here[pair.now];
        if (!move_regions(target, from, to, first, pieces)) return false;
        if (!ranges.push_back(to.range) || !names.push_back(to.name)) return false;
        found_bytes += std::min(from.range.size(), to.range.size());
    }
    target.regions.swap(pieces);
    target.ranges.swap(ranges);
    target.names.swap(names);
    return true;
}

}  // namespace damon
