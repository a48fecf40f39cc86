// The reader of saved bytes, which may say anything.
#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <utility>

#include "model/saved_context.h"
#include "model/saved_layout.h"
#include "model/unknown_reason.h"

namespace damon {
namespace {

constexpr uint8_t kAllEvidence = 7;
constexpr uint32_t kHighestScore = 99;
constexpr uint64_t kHistoryLimit = uint64_t{1} << 63;  // of a quota's throughput

// Little-endian numbers one after the other; whoever made the span knows that they are there.
class Reader {
public:
    explicit Reader(std::span<const uint8_t> bytes) : bytes_(bytes) {}
    uint8_t u8() { return static_cast<uint8_t>(number(1)); }
    uint32_t u32() { return static_cast<uint32_t>(number(4)); }
    uint64_t u64() { return number(8); }

private:
    uint64_t number(size_t nr_bytes) {
        DAMON_CHECK(nr_bytes <= bytes_.size() - at_);
        uint64_t value = 0;
        for (size_t i = 0; i < nr_bytes; ++i) value |= uint64_t{bytes_[at_ + i]} << (8 * i);
        at_ += nr_bytes;
        return value;
    }

    std::span<const uint8_t> bytes_;
    size_t at_ = 0;
};

struct Section {
    std::span<const uint8_t> records;
    uint32_t record_bytes = 0;
    uint64_t nr_records = 0;
    bool found = false;

    Reader record(uint64_t idx) const { return Reader(records.subspan(idx * record_bytes, record_bytes)); }
};

// What is read, and how far.
struct Reading {
    Section sections[kNrSavedSections];
    SavedContext saved;
    uint64_t next_range = 0;
    uint64_t next_region = 0;
    uint64_t next_name = 0;
};

[[gnu::format(printf, 1, 2)]] Status wrong(const char* format, ...);

Status wrong(const char* format, ...) {
    char text[Status::kTextBytes];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return Status::fail(-EINVAL, "saved bytes: %s", text);
}

Status read_header(std::span<const uint8_t> bytes, uint32_t& nr_sections) {
    if (bytes.size() < kSavedHeaderBytes) {
        return wrong("%zu of them; the header alone has %zu", bytes.size(), kSavedHeaderBytes);
    }
    if (memcmp(bytes.data(), kSavedMagic, sizeof kSavedMagic) != 0) {
        return wrong("they do not begin with \"damonsav\": damon_ctx_save() did not write them");
    }
    Reader header(bytes.subspan(sizeof kSavedMagic));
    const uint32_t version = header.u32();
    if (version != kSavedVersion) {
        return wrong("version %" PRIu32 "; this library knows version %" PRIu32, version, kSavedVersion);
    }
    const uint32_t crc = header.u32();
    const uint64_t length = header.u64();
    if (length != bytes.size()) return wrong("%zu of them; they were %" PRIu64, bytes.size(), length);
    if (crc != saved_crc(bytes)) {
        return wrong("damaged: their checksum is %08" PRIx32 ", and was %08" PRIx32, saved_crc(bytes), crc);
    }
    nr_sections = header.u32();
    const uint32_t reserved = header.u32();
    return reserved == 0 ? Status{} : wrong("the header's last word is %" PRIu32 "; it must be 0", reserved);
}

// One section from the front of `rest`.
Status take_section(std::span<const uint8_t>& rest, Section (&sections)[kNrSavedSections]) {
    if (rest.size() < kSavedSectionBytes) return wrong("a section's head is cut off");
    Section found;
    found.found = true;
    Reader head(rest.subspan(4));
    found.record_bytes = head.u32();
    found.nr_records = head.u64();
    const size_t left = rest.size() - kSavedSectionBytes;
    if (found.record_bytes == 0 || found.nr_records > left / found.record_bytes) {
        return wrong("section %.4s: %" PRIu64 " records of %" PRIu32 " bytes; %zu bytes are left",
                     reinterpret_cast<const char*>(rest.data()), found.nr_records, found.record_bytes, left);
    }
    const size_t nr_bytes = found.nr_records * found.record_bytes;
    found.records = rest.subspan(kSavedSectionBytes, nr_bytes);
    for (size_t i = 0; i < kNrSavedSections; ++i) {
        const SavedSectionKind& kind = kSavedSections[i];
        if (memcmp(rest.data(), kind.name, 4) != 0) continue;
        if (sections[i].found) return wrong("section %s: there are two of it", kind.name);
        if (found.record_bytes < kind.record_bytes) {
            return wrong("section %s: records of %" PRIu32 " bytes; they must have %" PRIu32, kind.name,
                         found.record_bytes, kind.record_bytes);
        }
        sections[i] = found;
    }
    rest = rest.subspan(kSavedSectionBytes + nr_bytes);
    return {};
}

Status find_sections(std::span<const uint8_t> bytes, Section (&sections)[kNrSavedSections]) {
    uint32_t nr_sections = 0;
    if (Status status = read_header(bytes, nr_sections); !status.ok()) return status;
    std::span<const uint8_t> rest = bytes.subspan(kSavedHeaderBytes);
    for (uint32_t i = 0; i < nr_sections; ++i) {
        if (Status status = take_section(rest, sections); !status.ok()) return status;
    }
    if (!rest.empty()) return wrong("%zu bytes follow the last section", rest.size());
    for (size_t i = 0; i < kNrSavedSections; ++i) {
        if (!sections[i].found && i != kSavedName) return wrong("section %s is missing", kSavedSections[i].name);
    }
    return {};
}

Status read_context(const Section& section, SavedContext& saved) {
    if (section.nr_records != 1) return wrong("section CNTX: %" PRIu64 " records; it has one", section.nr_records);
    Reader record = section.record(0);
    saved.sample_us = record.u64();
    saved.aggr_us = record.u64();
    saved.addr_unit = record.u64();
    saved.nr_probes = record.u32();
    if (saved.aggr_us == 0) return wrong("aggr_us is 0; it must be above");
    if (saved.sample_us > saved.aggr_us) {
        return wrong("sample_us is %" PRIu64 "; it must be at most aggr_us, %" PRIu64, saved.sample_us, saved.aggr_us);
    }
    if (saved.addr_unit == 0) return wrong("addr_unit is 0; it must be above");
    if (saved.nr_probes > kMaxProbes) {
        return wrong("nr_probes is %" PRIu32 "; it must be at most %u", saved.nr_probes, kMaxProbes);
    }
    return {};
}

// Number `idx` of target `target_idx`; the one before ends at `previous_end`.
Status check_order(const char* what, AddressRange range, uint64_t idx, size_t target_idx, uint64_t previous_end) {
    if (range.start >= previous_end && range.start < range.end) return {};
    return wrong("target %zu: %s %" PRIu64 " [%#" PRIx64 ", %#" PRIx64 ") must start at %#" PRIx64
                 " or above and end above its start",
                 target_idx, what, idx, range.start, range.end, previous_end);
}

Status read_ranges(Reading& reading, size_t target_idx, uint64_t nr_ranges) {
    Vector<AddressRange>& ranges = reading.saved.targets[target_idx].ranges;
    uint64_t previous_end = 0;
    for (uint64_t i = 0; i < nr_ranges; ++i) {
        Reader record = reading.sections[kSavedRnge].record(reading.next_range++);
        AddressRange range;
        range.start = record.u64();
        range.end = record.u64();
        if (Status status = check_order("range", range, i, target_idx, previous_end); !status.ok()) return status;
        previous_end = range.end;
        if (!ranges.push_back(range)) return Status::fail(-ENOMEM, "no memory for %" PRIu64 " ranges", nr_ranges);
    }
    return {};
}

// Of the ranges of a target by mapping.
Status read_names(Reading& reading, size_t target_idx, uint64_t nr_ranges) {
    SavedTarget& target = reading.saved.targets[target_idx];
    if (target.place != SavedPlace::kByMapping) return {};
    const Section& section = reading.sections[kSavedName];
    if (nr_ranges > section.nr_records - reading.next_name) {
        return wrong("target %zu: %" PRIu64 " mappings; %" PRIu64 " names are left", target_idx, nr_ranges,
                     section.nr_records - reading.next_name);
    }
    for (uint64_t i = 0; i < nr_ranges; ++i) {
        Reader record = section.record(reading.next_name++);
        if (!target.names.push_back(record.u64())) {
            return Status::fail(-ENOMEM, "no memory for %" PRIu64 " names", nr_ranges);
        }
    }
    return {};
}

SavedRegion region_of(Reader record) {
    SavedRegion region;
    region.range.start = record.u64();
    region.range.end = record.u64();
    region.age_us = record.u64();
    region.idle_us = record.u64();
    region.nr_accesses = record.u32();
    region.age = record.u32();
    region.evidence = record.u8();
    region.unknown_reason = record.u8();
    record.u8();
    record.u8();
    for (uint8_t& hits : region.probe_hits) hits = record.u8();
    return region;
}

Status check_region(const SavedRegion& region, uint64_t idx, size_t target_idx, uint64_t max_nr_accesses) {
    if (region.nr_accesses > max_nr_accesses) {
        return wrong("target %zu: region %" PRIu64 ": nr_accesses is %" PRIu32 "; a window has %" PRIu64 " samples",
                     target_idx, idx, region.nr_accesses, max_nr_accesses);
    }
    if (region.evidence > kAllEvidence) {
        return wrong("target %zu: region %" PRIu64 ": evidence is %d; it must be at most %d", target_idx, idx,
                     region.evidence, kAllEvidence);
    }
    if (region.unknown_reason >= kNrUnknowns) {
        return wrong("target %zu: region %" PRIu64 ": unknown_reason is %d; it must be below %u", target_idx, idx,
                     region.unknown_reason, kNrUnknowns);
    }
    return {};
}

Status read_regions(Reading& reading, size_t target_idx, uint64_t nr_regions) {
    Vector<SavedRegion>& regions = reading.saved.targets[target_idx].regions;
    const uint64_t samples = reading.saved.aggr_us / std::max<uint64_t>(reading.saved.sample_us, 1);
    const uint64_t max_nr_accesses = std::clamp<uint64_t>(samples, 1, UINT32_MAX);
    uint64_t previous_end = 0;
    for (uint64_t i = 0; i < nr_regions; ++i) {
        const SavedRegion region = region_of(reading.sections[kSavedRegn].record(reading.next_region++));
        Status status = check_order("region", region.range, i, target_idx, previous_end);
        if (status.ok()) status = check_region(region, i, target_idx, max_nr_accesses);
        if (!status.ok()) return status;
        previous_end = region.range.end;
        if (!regions.push_back(region)) return Status::fail(-ENOMEM, "no memory for %" PRIu64 " regions", nr_regions);
    }
    return {};
}

Status read_target(Reading& reading, size_t target_idx) {
    Reader record = reading.sections[kSavedTrgt].record(target_idx);
    const uint64_t nr_ranges = record.u64();
    const uint64_t nr_regions = record.u64();
    const uint32_t place = record.u32();
    if (place >= kNrSavedPlaces) {
        return wrong("target %zu: place is %" PRIu32 "; it must be below %" PRIu32, target_idx, place, kNrSavedPlaces);
    }
    const uint64_t ranges_left = reading.sections[kSavedRnge].nr_records - reading.next_range;
    const uint64_t regions_left = reading.sections[kSavedRegn].nr_records - reading.next_region;
    if (nr_ranges > ranges_left || nr_regions > regions_left) {
        return wrong("target %zu: %" PRIu64 " ranges and %" PRIu64 " regions; %" PRIu64 " and %" PRIu64 " are left",
                     target_idx, nr_ranges, nr_regions, ranges_left, regions_left);
    }
    reading.saved.targets[target_idx].place = static_cast<SavedPlace>(place);
    Status status = read_ranges(reading, target_idx, nr_ranges);
    if (status.ok()) status = read_names(reading, target_idx, nr_ranges);
    if (!status.ok()) return status;
    return read_regions(reading, target_idx, nr_regions);
}

Status read_targets(Reading& reading) {
    const uint64_t nr_targets = reading.sections[kSavedTrgt].nr_records;
    if (!reading.saved.targets.resize(nr_targets)) {
        return Status::fail(-ENOMEM, "no memory for %" PRIu64 " targets", nr_targets);
    }
    for (size_t i = 0; i < nr_targets; ++i) {
        if (Status status = read_target(reading, i); !status.ok()) return status;
    }
    const uint64_t ranges_left = reading.sections[kSavedRnge].nr_records - reading.next_range;
    const uint64_t regions_left = reading.sections[kSavedRegn].nr_records - reading.next_region;
    const uint64_t names_left = reading.sections[kSavedName].nr_records - reading.next_name;
    if (ranges_left != 0 || regions_left != 0 || names_left != 0) {
        return wrong("%" PRIu64 " ranges, %" PRIu64 " regions and %" PRIu64 " names belong to no target", ranges_left,
                     regions_left, names_left);
    }
    return {};
}

Status read_scheme(Reader record, size_t idx, SavedScheme& scheme) {
    const uint32_t action = record.u32();
    const uint32_t flags = record.u32();
    SchemeStats& stats = scheme.stats;
    for (uint64_t* value : {&stats.nr_tried, &stats.sz_tried, &stats.nr_applied, &stats.sz_applied,
                            &stats.sz_ops_filter_passed, &stats.qt_exceeds, &stats.nr_snapshots}) {
        *value = record.u64();
    }
    for (uint64_t* value : {&scheme.esz, &scheme.esz_bp, &scheme.charged_sz, &scheme.window_us,
                            &scheme.total_charged_sz, &scheme.total_charged_ns, &scheme.resume_addr}) {
        *value = record.u64();
    }
    scheme.resume_target = record.u32();
    scheme.min_score = record.u32();
    if (action >= static_cast<uint32_t>(kNrDamosActions)) {
        return wrong("scheme %zu: action is %" PRIu32 "; it must be below %" PRId32, idx, action, kNrDamosActions);
    }
    if ((flags & ~(kSavedWindowOpen | kSavedResumes)) != 0) {
        return wrong("scheme %zu: flags is %#" PRIx32 "; only the lowest two bits are known", idx, flags);
    }
    if (scheme.min_score > kHighestScore) {
        return wrong("scheme %zu: min_score is %" PRIu32 "; it must be at most %" PRIu32, idx, scheme.min_score,
                     kHighestScore);
    }
    if (scheme.total_charged_sz >= kHistoryLimit || scheme.total_charged_ns >= kHistoryLimit) {
        return wrong("scheme %zu: its throughput history must be below 2^63", idx);
    }
    scheme.action = static_cast<DamosAction>(action);
    scheme.window_open = (flags & kSavedWindowOpen) != 0;
    scheme.resumes = (flags & kSavedResumes) != 0;
    return {};
}

Status read_schemes(const Section& section, SavedContext& saved) {
    if (!saved.schemes.resize(section.nr_records)) {
        return Status::fail(-ENOMEM, "no memory for %" PRIu64 " schemes", section.nr_records);
    }
    for (size_t i = 0; i < section.nr_records; ++i) {
        if (Status status = read_scheme(section.record(i), i, saved.schemes[i]); !status.ok()) return status;
        if (saved.schemes[i].resumes && saved.schemes[i].resume_target >= saved.targets.size()) {
            return wrong("scheme %zu: goes on in target %" PRIu32 "; there are %zu", i, saved.schemes[i].resume_target,
                         saved.targets.size());
        }
    }
    return {};
}

}  // namespace

Status decode(std::span<const uint8_t> bytes, SavedContext& out) {
    Reading reading;
    Status status = find_sections(bytes, reading.sections);
    if (status.ok()) status = read_context(reading.sections[kSavedCntx], reading.saved);
    if (status.ok()) status = read_targets(reading);
    if (status.ok()) status = read_schemes(reading.sections[kSavedSchm], reading.saved);
    if (status.ok()) out = std::move(reading.saved);
    return status;
}

}  // namespace damon
