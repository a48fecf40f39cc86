// The writer.
#include "model/saved_context.h"

#include <utility>

#include "base/check.h"
#include "model/saved_layout.h"

namespace damon {
namespace {

class Writer {
public:
    explicit Writer(std::span<uint8_t> out) : out_(out) {}

    void u8(uint8_t value) {
        DAMON_CHECK(at_ < out_.size());
        out_[at_++] = value;
    }
    void u32(uint32_t value) { number(value, 4); }
    void u64(uint64_t value) { number(value, 8); }
    void text(const char* letters, size_t nr) {
        for (size_t i = 0; i < nr; ++i) u8(static_cast<uint8_t>(letters[i]));
    }
    void section(SavedSectionIdx idx, size_t nr_records) {
        text(kSavedSections[idx].name, 4);
        u32(kSavedSections[idx].record_bytes);
        u64(nr_records);
    }
    size_t at() const { return at_; }

private:
    void number(uint64_t value, unsigned nr_bytes) {
        for (unsigned i = 0; i < nr_bytes; ++i) u8(static_cast<uint8_t>(value >> (8 * i)));
    }

    std::span<uint8_t> out_;
    size_t at_ = 0;
};

size_t nr_ranges(const SavedContext& saved) {
    size_t nr = 0;
    for (const SavedTarget& target : saved.targets) nr += target.ranges.size();
    return nr;
}

size_t nr_regions(const SavedContext& saved) {
    size_t nr = 0;
    for (const SavedTarget& target : saved.targets) nr += target.regions.size();
    return nr;
}

size_t nr_names(const SavedContext& saved) {
    size_t nr = 0;
    for (const SavedTarget& target : saved.targets) nr += target.names.size();
    return nr;
}

void write_region(const SavedRegion& region, Writer& out) {
    out.u64(region.range.start);
    out.u64(region.range.end);
    out.u64(region.age_us);
    out.u64(region.idle_us);
    out.u32(region.nr_accesses);
    out.u32(region.age);
    out.u8(region.evidence);
    out.u8(region.unknown_reason);
    out.u8(0);
    out.u8(0);
    static_assert(kMaxProbes == 4);
    for (const uint8_t hits : region.probe_hits) out.u8(hits);
}

void write_scheme(const SavedScheme& scheme, Writer& out) {
    out.u32(static_cast<uint32_t>(scheme.action));
    out.u32((scheme.window_open ? kSavedWindowOpen : 0) | (scheme.resumes ? kSavedResumes : 0));
    const SchemeStats& stats = scheme.stats;
    for (const uint64_t value : {stats.nr_tried, stats.sz_tried, stats.nr_applied, stats.sz_applied,
                                 stats.sz_ops_filter_passed, stats.qt_exceeds, stats.nr_snapshots}) {
        out.u64(value);
    }
    for (const uint64_t value : {scheme.esz, scheme.esz_bp, scheme.charged_sz, scheme.window_us,
                                 scheme.total_charged_sz, scheme.total_charged_ns, scheme.resume_addr}) {
        out.u64(value);
    }
    out.u32(scheme.resume_target);
    out.u32(scheme.min_score);
    out.u64(0);
}

void write_targets(const SavedContext& saved, Writer& out) {
    out.section(kSavedTrgt, saved.targets.size());
    for (const SavedTarget& target : saved.targets) {
        out.u64(target.ranges.size());
        out.u64(target.regions.size());
        out.u32(static_cast<uint32_t>(target.place));
        out.u32(0);
    }
    out.section(kSavedRnge, nr_ranges(saved));
    for (const SavedTarget& target : saved.targets) {
        for (const AddressRange range : target.ranges) {
            out.u64(range.start);
            out.u64(range.end);
        }
    }
    out.section(kSavedRegn, nr_regions(saved));
    for (const SavedTarget& target : saved.targets) {
        for (const SavedRegion& region : target.regions) write_region(region, out);
    }
}

uint32_t crc_of(uint32_t crc, std::span<const uint8_t> bytes) {
    for (const uint8_t byte : bytes) {
        crc ^= byte;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320u : 0u);
    }
    return crc;
}

}  // namespace

uint32_t saved_crc(std::span<const uint8_t> bytes) {
    return ~crc_of(crc_of(~0u, bytes.first(kSavedCrcAt)), bytes.subspan(kSavedCrcAt + 4));
}

bool SavedContext::copy_from(const SavedContext& other) {
    SavedContext copy;
    if (!copy.targets.copy_from(other.targets) || !copy.schemes.copy_from(other.schemes)) return false;
    copy.sample_us = other.sample_us;
    copy.aggr_us = other.aggr_us;
    copy.addr_unit = other.addr_unit;
    copy.nr_probes = other.nr_probes;
    *this = std::move(copy);
    return true;
}

size_t encoded_bytes(const SavedContext& saved) {
    const size_t nr_records[kNrSavedSections] = {
        1, saved.targets.size(), nr_ranges(saved), nr_regions(saved), saved.schemes.size(), nr_names(saved)};
    size_t bytes = kSavedHeaderBytes;
    for (size_t i = 0; i < kNrSavedSections; ++i) {
        if (i == kSavedName && nr_records[i] == 0) continue;
        bytes += kSavedSectionBytes + nr_records[i] * kSavedSections[i].record_bytes;
    }
    return bytes;
}

void encode(const SavedContext& saved, std::span<uint8_t> out) {
    DAMON_CHECK(out.size() == encoded_bytes(saved));
    Writer writer(out);
    writer.text(kSavedMagic, sizeof kSavedMagic);
    writer.u32(kSavedVersion);
    writer.u32(0);  // the checksum
    writer.u64(out.size());
    const bool has_names = nr_names(saved) != 0;
    writer.u32(kNrSavedSections - (has_names ? 0 : 1));
    writer.u32(0);
    writer.section(kSavedCntx, 1);
    writer.u64(saved.sample_us);
    writer.u64(saved.aggr_us);
    writer.u64(saved.addr_unit);
    writer.u32(saved.nr_probes);
    writer.u32(0);
    write_targets(saved, writer);
    writer.section(kSavedSchm, saved.schemes.size());
    for (const SavedScheme& scheme : saved.schemes) write_scheme(scheme, writer);
    if (has_names) writer.section(kSavedName, nr_names(saved));
    for (const SavedTarget& target : saved.targets) {
        for (const uint64_t name : target.names) writer.u64(name);
    }
    DAMON_CHECK(writer.at() == out.size());
    Writer(out.subspan(kSavedCrcAt, 4)).u32(saved_crc(out));
}

}  // namespace damon
