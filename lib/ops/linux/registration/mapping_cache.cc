#include "ops/linux/registration/mapping_cache.h"

#include <algorithm>
#include <cerrno>

#include "ops/linux/registration/left_registrations.h"

namespace damon {
namespace {

constexpr size_t kUsualMappings = 1024;
// Readings after which what a mapping grew by is registered though it did not grow again: each such growth is a mapping
// more for good, but memory that is never seen is worse, and the sooner so the more it is.
constexpr uint64_t kPatience = 60;
uint32_t patience(uint64_t grown_bytes, uint64_t stood_bytes) {
    return static_cast<uint32_t>(std::min(kPatience, 4 + 4 * (stood_bytes / grown_bytes)));
}

// Registrations live in the kernel's mapping, and splitting or growing it keeps them.
void inherit_registration(CachedMapping& now, const CachedMapping& before) {
    if (now.shared == before.shared && now.range.intersects(before.range)) now.registered |= before.registered;
}

void inherit_failures(CachedMapping& now, const CachedMapping& before) {
    if (now.shared != before.shared || now.writable != before.writable || now.range != before.range) return;
    now.failed_modes = before.failed_modes;
    now.unknown = before.unknown;
}

// The least range around both.
AddressRange hull(AddressRange a, AddressRange b) {
    if (a.empty() || b.empty()) return a.empty() ? b : a;
    return {std::min(a.start, b.start), std::max(a.end, b.end)};
}

// A part of what stood: another one in its place, which may grow to be as large.
bool is_replaced(const CachedMapping& old, const CachedMapping& now) {
    return old.is_settling() && old.stood.intersection(now.range) != old.stood;
}

// What may be registered of a mapping that has just been read, from what was known of the memory `before`.
void inherit_settled(CachedMapping& now, std::span<const CachedMapping> before) {
    now.registrable = now.stood = {};
    for (const CachedMapping& old : before) {
        // Memory in a reservation's place is new, unless its pages show that it is registered still.
        if (old.shared != now.shared || old.reserved != now.reserved || !old.range.intersects(now.range)) continue;
        if (is_replaced(old, now)) continue;
        now.registrable = hull(now.registrable, old.registrable.intersection(now.range));
        now.stood = hull(now.stood, old.stood.intersection(now.range));
        now.held_back |= old.held_back;
        now.renewed |= old.renewed;
        now.still = std::max(now.still, old.still);
        now.patience = std::max(now.patience, old.patience);
    }
}

void clip(CachedMapping& mapping) {
    mapping.registrable = mapping.registrable.intersection(mapping.range);
    mapping.stood = mapping.stood.intersection(mapping.range);
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
    first_reading_ = true;
}

void MappingCache::forget_registrations() {
    for (CachedMapping& mapping : mappings_) {
        mapping.registered = 0;
        mapping.owned = 0;
        mapping.failed_modes = 0;
    }
}

void MappingCache::doubt_registrations(AddressRange range) {
    if (range.empty()) return;
    for (size_t i = first_ending_after(range.start); i < mappings_.size(); ++i) {
        if (mappings_[i].range.start >= range.end) return;
        mappings_[i].owned = 0;
    }
}

CachedMapping MappingCache::fresh(const Mapping& mapping) const {
    CachedMapping cached;
    cached.range = mapping.range;
    cached.page_bytes = mapping.page_bytes;
    cached.writable = mapping.writable;
    cached.shared = mapping.shared;
    cached.reserved = !mapping.usable();
    cached.anonymous = mapping.inode == 0;
    cached.registrable = mapping.range;
    cached.read_in = interval_;
    return cached;
}

// Bytes of the mappings next to number `idx` of the reading with which it would be one, were it not for registrations.
uint64_t MappingCache::bytes_beside(size_t idx) const {
    const CachedMapping& now = reading_[idx];
    const auto as_one = [&now](const CachedMapping& other) {
        return !now.shared && now.anonymous && other.anonymous && other.shared == now.shared &&
               other.writable == now.writable && other.reserved == now.reserved;
    };
    uint64_t bytes = 0;
    if (idx > 0 && reading_[idx - 1].range.end == now.range.start && as_one(reading_[idx - 1])) {
        bytes += reading_[idx - 1].range.size();
    }
    if (idx + 1 < reading_.size() && now.range.end == reading_[idx + 1].range.start && as_one(reading_[idx + 1])) {
        bytes += reading_[idx + 1].range.size();
    }
    return bytes;
}

// Decides what may be registered of mapping number `idx` of the reading; `before` are those in its place that were
// known.
void MappingCache::settle(size_t idx, std::span<const CachedMapping> before, Settle settle) {
    CachedMapping& now = reading_[idx];
    const AddressRange range = now.range;
    if (when_ == RegisterWhen::kSettled && !first_reading_) {
        inherit_settled(now, before);
        if (settle == Settle::kLater) return;
        const bool is_new = now.stood.empty();
        if (is_new || now.stood != range) {
            // What was registered on its own before is no growth of what lies beside it.
            const uint64_t stood_bytes = (is_new ? 0 : now.stood.size()) + (now.renewed ? 0 : bytes_beside(idx));
            const uint64_t grown_bytes = is_new ? range.size() : range.size() - now.stood.size();
            now.registrable = is_new ? AddressRange() : now.stood;
            now.held_back = grown_bytes < stood_bytes;
            now.still = 0;
            now.patience = patience(grown_bytes, stood_bytes);
        } else if (!now.held_back) {
            now.registrable = range;
            now.renewed = false;
        } else if (++now.still >= now.patience && now.registrable != range) {
            now.registrable = range;
            now.held_back = false;
        }
    }
    now.stood = range;
}

bool MappingCache::reload(AccessStatistics& statistics, Settle settle_when, ProcMaps::Visit also, void* context) {
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
    for (size_t i = 0; i < reading_.size(); ++i) {
        CachedMapping& now = reading_[i];
        while (before < mappings_.size() && mappings_[before].range.end <= now.range.start) ++before;
        size_t behind = before;
        while (behind < mappings_.size() && mappings_[behind].range.start < now.range.end) {
            inherit_registration(now, mappings_[behind++]);
        }
        settle(i, mappings_.span().subspan(before, behind - before), settle_when);
    }
    first_reading_ = false;
    mappings_.swap(reading_);
    hint_ = 0;
    adopt_left_registrations();
    return true;
}

void MappingCache::adopt_left_registrations() {
    Vector<LeftRegistration> left;
    while (take_registrations(left)) {
        for (const LeftRegistration& registration : left) {
            size_t i = first_ending_after(registration.range.start);
            for (; i < mappings_.size() && mappings_[i].range.start < registration.range.end; ++i) {
                mappings_[i].registered |= registration.modes;
            }
        }
    }
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
        if (may_reload_) reload(statistics, Settle::kLater);
        may_reload_ = false;
        return find(address);
    }
    ++statistics.mappings_queried;
    if (error != 0) return nullptr;
    put(mapping);
    return find(address);
}

void MappingCache::renew(CachedMapping& mapping) {
    mapping.registered = mapping.owned = 0;
    if (when_ != RegisterWhen::kSettled) return;
    mapping.registrable = mapping.stood = {};
    mapping.renewed = true;
}

uint64_t MappingCache::next_start(uint64_t address) {
    Mapping next;
    return maps_.query_next(address, next) == 0 ? next.range.start : 0;
}

// Out of memory: what could not be kept is found again by the next reading.
void MappingCache::put(const Mapping& mapping) {
    CachedMapping now = fresh(mapping);
    const size_t first = first_ending_after(mapping.range.start);
    size_t last = first;
    CachedMapping before_it;
    CachedMapping behind_it;
    for (; last < mappings_.size() && mappings_[last].range.start < now.range.end; ++last) {
        CachedMapping& old = mappings_[last];
        if (is_replaced(old, now)) old.stood = {};
        inherit_registration(now, old);
        inherit_failures(now, old);
        // The rest of an overlapped one stays as it was known: its registration must not be forgotten.
        if (old.range.start < now.range.start) {
            before_it = old;
            before_it.range.end = now.range.start;
            clip(before_it);
        }
        if (old.range.end > now.range.end) {
            behind_it = old;
            behind_it.range.start = now.range.end;
            clip(behind_it);
        }
    }
    if (when_ == RegisterWhen::kSettled) inherit_settled(now, mappings_.span().subspan(first, last - first));
    hint_ = first;
    // Nearly always: the one that was known. Among tens of thousands, moving those behind it would take a millisecond.
    if (last == first + 1 && before_it.range.empty() && behind_it.range.empty()) {
        mappings_[first] = now;
        return;
    }
    mappings_.erase(first, last);
    size_t at = first;
    for (const CachedMapping& part : {before_it, now, behind_it}) {
        if (!part.range.empty() && mappings_.insert(at, part)) ++at;
    }
}

}  // namespace damon
