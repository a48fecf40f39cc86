// The numbers of the byte format of SavedContext that its writer and its reader share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace damon {

inline constexpr char kSavedMagic[8] = {'d', 'a', 'm', 'o', 'n', 's', 'a', 'v'};
inline constexpr uint32_t kSavedVersion = 1;
inline constexpr size_t kSavedCrcAt = 12;
inline constexpr size_t kSavedHeaderBytes = 32;
inline constexpr size_t kSavedSectionBytes = 16;

struct SavedSectionKind {
    char name[5];
    uint32_t record_bytes;  // in version 1
};
enum SavedSectionIdx : size_t {
    kSavedCntx,
    kSavedTrgt,
    kSavedRnge,
    kSavedRegn,
    kSavedSchm,
    kSavedName,
    kNrSavedSections
};
inline constexpr SavedSectionKind kSavedSections[kNrSavedSections] = {{"CNTX", 32}, {"TRGT", 24},  {"RNGE", 16},
                                                                      {"REGN", 48}, {"SCHM", 136}, {"NAME", 8}};

inline constexpr uint32_t kSavedWindowOpen = 1u << 0;
inline constexpr uint32_t kSavedResumes = 1u << 1;

// Of IEEE 802.3, of all bytes but the field that holds it.
uint32_t saved_crc(std::span<const uint8_t> bytes);

}  // namespace damon
