// What was learned as bytes: they give back what was written, and nothing else is believed.
#include "model/saved_context.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <string>
#include <vector>

#include "model/saved_layout.h"

namespace damon {
namespace {

using Bytes = std::vector<uint8_t>;

SavedRegion saved_region(AddressRange range, uint32_t nr_accesses, uint32_t age) {
    SavedRegion region;
    region.range = range;
    region.nr_accesses = nr_accesses;
    region.age = age;
    region.age_us = age * 100'000;
    region.idle_us = nr_accesses == 0 ? 7 : 0;
    region.evidence = 1;
    region.unknown_reason = 2;
    region.probe_hits[3] = 9;
    return region;
}

SavedScheme saved_scheme() {
    SavedScheme scheme;
    scheme.action = DamosAction::kPageout;
    scheme.stats = {1, 2, 3, 4, 5, 6, 7};
    scheme.esz = 8;
    scheme.esz_bp = 9;
    scheme.charged_sz = 10;
    scheme.window_us = 11;
    scheme.total_charged_sz = 12;
    scheme.total_charged_ns = 13;
    scheme.resume_addr = 0x2000;
    scheme.resume_target = 1;
    scheme.min_score = 99;
    scheme.window_open = scheme.resumes = true;
    return scheme;
}

// Two targets, one by position and one by address; a scheme in the middle of its round.
SavedContext sample_context() {
    SavedContext saved;
    saved.sample_us = 5'000;
    saved.aggr_us = 100'000;
    saved.addr_unit = 4;
    saved.nr_probes = 2;
    EXPECT_TRUE(saved.targets.resize(2));
    SavedTarget& first = saved.targets[0];
    EXPECT_TRUE(first.ranges.push_back({0x1000, 0x5000}) && first.ranges.push_back({0x5000, 0x9000}));
    EXPECT_TRUE(first.regions.push_back(saved_region({0x1000, 0x2000}, 20, 4)));
    EXPECT_TRUE(first.regions.push_back(saved_region({0x2000, 0x9000}, 0, 77)));
    saved.targets[1].place = SavedPlace::kByAddress;
    EXPECT_TRUE(saved.targets[1].regions.push_back(saved_region({0, UINT64_MAX}, 3, 1)));
    EXPECT_TRUE(saved.schemes.push_back(saved_scheme()));
    return saved;
}

Bytes encoded(const SavedContext& saved) {
    Bytes bytes(encoded_bytes(saved));
    encode(saved, bytes);
    return bytes;
}

void put(Bytes& bytes, size_t at, uint64_t value, size_t nr) {
    for (size_t i = 0; i < nr; ++i) bytes.at(at + i) = static_cast<uint8_t>(value >> (8 * i));
}

// As whoever means to deceive would leave them.
void sign(Bytes& bytes) {
    put(bytes, 16, bytes.size(), 8);
    put(bytes, kSavedCrcAt, saved_crc(bytes), 4);
}

// Where the records of a section begin.
size_t records_of(const Bytes& bytes, const char* name) {
    const auto found = std::search(bytes.begin(), bytes.end(), name, name + 4);
    EXPECT_NE(found, bytes.end());
    return static_cast<size_t>(found - bytes.begin()) + kSavedSectionBytes;
}

// The refusal of these bytes; what there was stays as it was.
std::string refusal(const Bytes& bytes) {
    SavedContext before = sample_context();
    before.aggr_us = 12345;
    SavedContext after;
    EXPECT_TRUE(after.copy_from(before));
    const Status status = decode(bytes, after);
    EXPECT_EQ(status.error(), -EINVAL);
    EXPECT_EQ(after, before);
    return status.text();
}

struct Field {
    const char* section;
    size_t offset;
    size_t bytes;
    uint64_t value;
    const char* refusal;
};

TEST(SavedContext, GivesBackWhatWasWritten) {
    const SavedContext saved = sample_context();
    const Bytes bytes = encoded(saved);
    SavedContext read;
    const Status status = decode(bytes, read);
    ASSERT_TRUE(status.ok()) << status.text();
    EXPECT_EQ(read, saved);
    EXPECT_EQ(encoded(read), bytes);
}

TEST(SavedContext, IsLittleEndianWithANamedVersionedHeader) {
    const Bytes bytes = encoded(sample_context());
    EXPECT_EQ(std::string(bytes.begin(), bytes.begin() + 8), "damonsav");
    EXPECT_EQ(Bytes(bytes.begin() + 8, bytes.begin() + 12), (Bytes{1, 0, 0, 0}));
    EXPECT_EQ(bytes[16], static_cast<uint8_t>(bytes.size()));
    // CRC-32 as zlib has it of the twelve characters in front of the field that is left out.
    const std::string text = "1234567890ab----";
    EXPECT_EQ(saved_crc(Bytes(text.begin(), text.end())), 0x8ce4e736u);
}

TEST(SavedContext, CutOffAtAnyLengthIsRefused) {
    const Bytes bytes = encoded(sample_context());
    for (size_t length = 0; length < bytes.size(); ++length) {
        Bytes cut(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(length));
        EXPECT_NE(refusal(cut), "") << length;
        if (cut.size() < kSavedHeaderBytes) continue;
        sign(cut);  // the checksum is not what saves the reader
        EXPECT_NE(refusal(cut), "") << length;
    }
}

TEST(SavedContext, AnyFlippedBitIsRefused) {
    const Bytes bytes = encoded(sample_context());
    for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
        Bytes damaged = bytes;
        damaged[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
        SavedContext read;
        ASSERT_EQ(decode(damaged, read).error(), -EINVAL) << "bit " << bit;
    }
}

TEST(SavedContext, ASignedLieIsRefusedByItsField) {
    const Bytes bytes = encoded(sample_context());
    const Field fields[] = {
        {"CNTX", 0, 8, 100'001, "sample_us is 100001"},
        {"CNTX", 8, 8, 0, "aggr_us is 0"},
        {"CNTX", 16, 8, 0, "addr_unit is 0"},
        {"CNTX", 24, 4, 5, "nr_probes is 5"},
        {"TRGT", 0, 8, UINT64_MAX, "target 0: 18446744073709551615 ranges"},
        {"TRGT", 8, 8, 4, "target 0: 2 ranges and 4 regions; 2 and 3 are left"},
        {"TRGT", 8, 8, 1, "0 ranges, 1 regions and 0 names belong to no target"},
        {"TRGT", 0, 8, 1, "1 ranges, 0 regions and 0 names belong to no target"},
        {"TRGT", 16, 4, 3, "target 0: place is 3"},
        {"TRGT", 16, 4, 2, "target 0: 2 mappings; 0 names are left"},
        {"RNGE", 0, 8, 0x5000, "target 0: range 0"},
        {"RNGE", 16, 8, 0x4fff, "target 0: range 1"},
        {"REGN", 8, 8, 0x1000, "target 0: region 0"},
        {"REGN", 48, 8, 0x1fff, "target 0: region 1"},
        {"REGN", 32, 4, 21, "target 0: region 0: nr_accesses is 21"},
        {"REGN", 40, 1, 8, "target 0: region 0: evidence is 8"},
        {"REGN", 41, 1, 15, "target 0: region 0: unknown_reason is 15"},
        {"SCHM", 0, 4, 12, "scheme 0: action is 12"},
        {"SCHM", 4, 4, 7, "scheme 0: flags is 0x7"},
        {"SCHM", 64 + 32, 8, uint64_t{1} << 63, "scheme 0: its throughput history"},
        {"SCHM", 120, 4, 2, "scheme 0: goes on in target 2"},
        {"SCHM", 124, 4, 100, "scheme 0: min_score is 100"},
    };
    for (const Field& field : fields) {
        Bytes lie = bytes;
        put(lie, records_of(lie, field.section) + field.offset, field.value, field.bytes);
        sign(lie);
        EXPECT_NE(refusal(lie).find(field.refusal), std::string::npos) << field.refusal << ": " << refusal(lie);
    }
}

TEST(SavedContext, SignedSectionHeadsThatLieAreRefused) {
    const Bytes bytes = encoded(sample_context());
    const Field fields[] = {
        {"REGN", 4, 4, 0, "section REGN: 3 records of 0 bytes"},
        {"REGN", 4, 4, 47, "section REGN: records of 47 bytes; they must have 48"},
        {"REGN", 4, 4, UINT32_MAX, "section REGN: 3 records of 4294967295 bytes"},
        {"REGN", 8, 8, UINT64_MAX / 48 + 2, "section REGN: 384307168202282327 records"},
        {"CNTX", 8, 8, 0, "section CNTX"},
        {"TRGT", 0, 4, 0x58544e43, "section CNTX: there are two of it"},
        {"TRGT", 0, 4, 0x58585858, "section TRGT is missing"},
    };
    for (const Field& field : fields) {
        Bytes lie = bytes;
        put(lie, records_of(lie, field.section) - kSavedSectionBytes + field.offset, field.value, field.bytes);
        sign(lie);
        EXPECT_NE(refusal(lie), "");
        // Where the next section is looked for in the wrong place, the first thing that is wrong there is named.
        const bool misplaced = std::string(field.section) == "CNTX" || field.value == 47;
        if (!misplaced) {
            EXPECT_NE(refusal(lie).find(field.refusal), std::string::npos) << field.refusal << ": " << refusal(lie);
        }
    }
}

TEST(SavedContext, AnotherVersionOrOtherBytesAreNamed) {
    Bytes bytes = encoded(sample_context());
    put(bytes, 8, 2, 4);
    sign(bytes);
    EXPECT_EQ(refusal(bytes), "saved bytes: version 2; this library knows version 1");
    EXPECT_NE(refusal(Bytes(200, 'x')).find("damonsav"), std::string::npos);
    EXPECT_NE(refusal({}).find("0 of them"), std::string::npos);
}

// What a later release may write and call version 1.
TEST(SavedContext, UnknownSectionsAndLongerRecordsAreReadPast) {
    const SavedContext saved = sample_context();
    Bytes bytes = encoded(saved);
    const size_t schemes = records_of(bytes, "SCHM");
    bytes.insert(bytes.end(), {1, 2, 3, 4, 5, 6, 7, 8});  // the one record of the last section is longer
    put(bytes, schemes - kSavedSectionBytes + 4, kSavedSections[kSavedSchm].record_bytes + 8, 4);
    bytes.insert(bytes.end(), {'N', 'E', 'W', '1', 3, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6});
    put(bytes, 24, kNrSavedSections, 4);  // without names, and with the new one
    sign(bytes);
    SavedContext read;
    const Status status = decode(bytes, read);
    ASSERT_TRUE(status.ok()) << status.text();
    EXPECT_EQ(read, saved);
}

TEST(SavedContext, MappingsKeepTheirNames) {
    SavedContext saved = sample_context();
    SavedTarget& target = saved.targets[0];
    target.place = SavedPlace::kByMapping;
    for (size_t i = 0; i < target.ranges.size(); ++i) ASSERT_TRUE(target.names.push_back(0x1234567890abcdef + i));
    Bytes bytes = encoded(saved);
    SavedContext read;
    const Status status = decode(bytes, read);
    ASSERT_TRUE(status.ok()) << status.text();
    EXPECT_EQ(read, saved);
    put(bytes, records_of(bytes, "TRGT") + 16, 0, 4);  // they are nobody's now
    sign(bytes);
    EXPECT_NE(refusal(bytes).find("names belong to no target"), std::string::npos);
}

}  // namespace
}  // namespace damon
