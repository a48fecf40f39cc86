#include "ops/linux/mapping_cache.h"

#include <cerrno>

namespace damon {
namespace {

constexpr size_t kUsualMappings = 1024;

CachedMapping fresh(const Mapping& mapping) {
    CachedMapping cached;
    cached.range = mapping.range;
    cached.page_bytes = mapping.page_bytes;
    cached.writable = mapping.writable;
    cached.shared = mapping.shared;
    return cached;
}

// What was learnt of a mapping holds for its remains too, as long as it is of the same kind: registrations live in the
// kernel's mapping, and splitting or growing it keeps them. Failures are tried again.
void inherit(CachedMapping& now, const CachedMapping& before) {
    if (now.shared != before.shared || !now.range.intersects(before.range)) return;
    now.registered |= before.registered;
    if (now.range == before.range && now.writable == before.writable) {
        now.failed_ways = before.failed_ways;
        now.blind = before.blind;
        if (now.page_bytes == 0) now.page_bytes = before.page_bytes;
    }
}

}  // namespace

int MappingCache::open() {
    if (!mappings_.reserve(kUsualMappings) || !reading_.reserve(kUsualMappings)) return -ENOMEM;
    return maps_.open(0);
}

void MappingCache::close() {
    maps_.close();
    mappings_.clear();
    hint_ = 0;
}

void MappingCache::reload(AccessStatistics& statistics) {
    reading_.clear();
    reading_failed_ = false;
    const auto visit = [](void* context, const Mapping& mapping) {
        auto* self = static_cast<MappingCache*>(context);
        if (mapping.vsyscall) return;
        if (!self->reading_.push_back(fresh(mapping))) self->reading_failed_ = true;
    };
    if (maps_.read_all(visit, this, statistics.bad_maps_lines) != 0 || reading_failed_) return;
    ++statistics.mappings_read;
    size_t before = 0;
    for (CachedMapping& now : reading_) {
        while (before < mappings_.size() && mappings_[before].range.end <= now.range.start) ++before;
        for (size_t i = before; i < mappings_.size() && mappings_[i].range.start < now.range.end; ++i) {
            inherit(now, mappings_[i]);
        }
    }
    mappings_.swap(reading_);
    hint_ = 0;
}

size_t MappingCache::first_ending_after(uint64_t address) const {
    size_t low = 0;
    size_t high = mappings_.size();
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (mappings_[middle].range.end <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

CachedMapping* MappingCache::find(uint64_t address) {
    if (hint_ >= mappings_.size() || !mappings_[hint_].range.contains(address)) hint_ = first_ending_after(address);
    if (hint_ >= mappings_.size() || !mappings_[hint_].range.contains(address)) return nullptr;
    return &mappings_[hint_];
}

CachedMapping* MappingCache::reread(uint64_t address, AccessStatistics& statistics) {
    Mapping mapping;
    const int error = maps_.query(address, mapping);
    if (error == -ENOTTY) {
        reload(statistics);
        return find(address);
    }
    ++statistics.mappings_queried;
    if (error == 0) put(mapping);
    return error == 0 ? find(address) : nullptr;
}

// Takes the place of everything that it overlaps. Out of memory: the next complete reading will find it.
void MappingCache::put(const Mapping& mapping) {
    CachedMapping now = fresh(mapping);
    const size_t first = first_ending_after(mapping.range.start);
    size_t last = first;
    while (last < mappings_.size() && mappings_[last].range.start < mapping.range.end) inherit(now, mappings_[last++]);
    if (first < last) {
        mappings_[first] = now;
        mappings_.erase(first + 1, last);
    } else {
        (void)mappings_.insert(first, now);
    }
    hint_ = first;
}

}  // namespace damon
