// What a context has learned, as a value and as bytes that another process can take over (damon_ctx_save()).
//
// The bytes: a header, then sections of records of one size, all little-endian, without padding.
//
//     header    magic "damonsav", version u32, CRC-32 u32 of everything but itself, length u64 of everything,
//               number of sections u32, 0 u32
//     section   name (4 letters), bytes of a record u32, number of records u64, the records
//
// "CNTX" (one record), "TRGT", "RNGE" and "REGN" (each target's, one target after the other), "SCHM", and "NAME" (of
// the ranges of targets by mapping, which alone have it). A reader skips sections that it does not know, and the rest
// of records that are longer than it knows: a later release may add both without a new version.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/status.h"
#include "base/vector.h"
#include "model/address_range.h"
#include "model/probe.h"
#include "model/scheme.h"

namespace damon {

struct SavedRegion {
    AddressRange range;
    uint64_t age_us = 0;
    uint64_t idle_us = 0;
    uint32_t nr_accesses = 0;  // of a whole window
    uint32_t age = 0;          // windows
    uint8_t evidence = 0;      // RegionEvidence
    uint8_t unknown_reason = 0;
    uint8_t probe_hits[kMaxProbes] = {};
    bool operator==(const SavedRegion&) const = default;
};

// How the memory of a target is found again.
enum class SavedPlace : uint32_t {
    kByPosition = 0,  // range number n is the range number n of then, wherever it lies
    kByAddress = 1,   // addresses mean the same: simulated, physical, the program's own
    kByMapping = 2,   // ranges are mappings of a process: found again by name, order and size (saved_mappings.h)
    kNotSaved = 3,    // mappings of another process
};
inline constexpr uint32_t kNrSavedPlaces = 3;  // that bytes may say

struct SavedTarget {
    SavedPlace place = SavedPlace::kByPosition;
    Vector<AddressRange> ranges;  // by position or mapping: in order, disjoint; they may touch
    Vector<uint64_t> names;       // by mapping: of each range, Mapping::name
    Vector<SavedRegion> regions;  // in order, disjoint

    // Deep copy; false when out of memory.
    [[nodiscard]] bool copy_from(const SavedTarget& other) {
        if (!ranges.copy_from(other.ranges) || !regions.copy_from(other.regions)) return false;
        if (!names.copy_from(other.names)) return false;
        place = other.place;
        return true;
    }
    bool operator==(const SavedTarget&) const = default;
};

struct SavedScheme {
    DamosAction action = DamosAction::kStat;
    SchemeStats stats;
    uint64_t esz = 0, esz_bp = 0;
    uint64_t charged_sz = 0;
    uint64_t window_us = 0;  // since the charge window opened
    uint64_t total_charged_sz = 0, total_charged_ns = 0;
    uint64_t resume_addr = 0;
    uint32_t resume_target = 0;
    uint32_t min_score = 0;
    bool window_open = false;
    bool resumes = false;
    bool operator==(const SavedScheme&) const = default;
};

struct SavedContext {
    uint64_t sample_us = 0, aggr_us = 0;  // what counts and ages are told in
    uint64_t addr_unit = 1;
    uint32_t nr_probes = 0;
    Vector<SavedTarget> targets;
    Vector<SavedScheme> schemes;

    // Deep copy; false when out of memory, and then this is as it was.
    [[nodiscard]] bool copy_from(const SavedContext& other);
    bool operator==(const SavedContext&) const = default;
};

size_t encoded_bytes(const SavedContext& saved);
// `out` has encoded_bytes().
void encode(const SavedContext& saved, std::span<uint8_t> out);
// The bytes are not trusted: -EINVAL with the field that is wrong, -ENOMEM; `out` is then as it was. Takes no more
// memory than a small multiple of the bytes.
Status decode(std::span<const uint8_t> bytes, SavedContext& out);

}  // namespace damon
