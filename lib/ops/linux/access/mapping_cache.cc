#include "ops/linux/access/mapping_cache.h"

#include <cerrno>

namespace damon {
namespace {

constexpr size_t kUsualMappings = 1024;

// Registrations live in the kernel's mapping, and splitting or growing it keeps them.
void inherit_registration(CachedMapping& now, const CachedMapping& before) {
    if (now.shared == before.shared && now.range.intersects(before.range)) now.registered |= before.registered;
}

void inherit_failures(CachedMapping& now, const CachedMapping& before) {
    if (now.shared != before.shared || now.writable != before.writable || now.range != before.range) return;
    now.failed_ways = before.failed_ways;
    now.unknown = before.unknown;
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

void MappingCache::forget_registrations() {
    for (CachedMapping& mapping : mappings_) {
        mapping.registered = 0;
        mapping.owned = 0;
        mapping.failed_ways = 0;
    }
}

CachedMapping MappingCache::fresh(const Mapping& mapping) const {
    CachedMapping cached;
    cached.range = mapping.range;
    cached.page_bytes = mapping.page_bytes;
    cached.writable = mapping.writable;
    cached.shared = mapping.shared;
    cached.read_in = interval_;
    return cached;
}

bool MappingCache::reload(AccessStatistics& statistics, ProcMaps::Visit also, void* context) {
    reading_.clear();
    reading_failed_ = false;
    struct Visitor {
        MappingCache* self;
        ProcMaps::Visit also;
        void* context;
    } visitor = {this, also, context};
    const auto visit = [](void* both, const Mapping& mapping) {
        const Visitor& given = *static_cast<Visitor*>(both);
        if (given.also != nullptr) given.also(given.context, mapping);
        if (mapping.vsyscall) return;
        if (!given.self->reading_.push_back(given.self->fresh(mapping))) given.self->reading_failed_ = true;
    };
    uint64_t bad_lines = 0;
    const int error = maps_.read_all(visit, &visitor, bad_lines);
    statistics.bad_maps_lines += bad_lines;
    if (error != 0 || reading_failed_) return false;
    ++statistics.mappings_read;
    size_t before = 0;
    for (CachedMapping& now : reading_) {
        while (before < mappings_.size() && mappings_[before].range.end <= now.range.start) ++before;
        for (size_t i = before; i < mappings_.size() && mappings_[i].range.start < now.range.end; ++i) {
            inherit_registration(now, mappings_[i]);
        }
    }
    mappings_.swap(reading_);
    hint_ = 0;
    return true;
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
        if (may_reload_) reload(statistics);
        may_reload_ = false;
        return find(address);
    }
    ++statistics.mappings_queried;
    if (error != 0) return nullptr;
    put(mapping);
    return find(address);
}

// Out of memory: what could not be kept is found again by the next reading.
void MappingCache::put(const Mapping& mapping) {
    CachedMapping now = fresh(mapping);
    const size_t first = first_ending_after(mapping.range.start);
    size_t last = first;
    CachedMapping before_it;
    CachedMapping behind_it;
    for (; last < mappings_.size() && mappings_[last].range.start < now.range.end; ++last) {
        const CachedMapping& old = mappings_[last];
        inherit_registration(now, old);
        inherit_failures(now, old);
        // The rest of an overlapped one stays as it was known: its registration must not be forgotten.
        if (old.range.start < now.range.start) {
            before_it = old;
            before_it.range.end = now.range.start;
        }
        if (old.range.end > now.range.end) {
            behind_it = old;
            behind_it.range.start = now.range.end;
        }
    }
    mappings_.erase(first, last);
    size_t at = first;
    for (const CachedMapping& part : {before_it, now, behind_it}) {
        if (!part.range.empty() && mappings_.insert(at, part)) ++at;
    }
    hint_ = first;
}

}  // namespace damon
