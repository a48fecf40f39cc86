// Parameter structures that begin with their size: programs and library may be of different releases.
#pragma once

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/status.h"

namespace damon {

// Smaller than this, a size cannot be meant: it does not even cover the first members.
inline constexpr uint32_t kSmallestStructBytes = 16;

// Copies the caller's structure over `known`, which holds the defaults: an older caller's missing tail keeps them, a
// newer caller's unknown tail must be zero.
template <typename T>
Status read_struct(const char* name, const T* given, T& known) {
    if (given == nullptr) return Status::fail(-EINVAL, "struct %s is NULL", name);
    const uint32_t size = given->size;
    if (size < kSmallestStructBytes || size % 4 != 0) {
        return Status::fail(-EINVAL, "struct %s has size %u; %s_init() sets it to %u", name, size, name,
                            static_cast<unsigned>(sizeof(T)));
    }
    const auto* bytes = reinterpret_cast<const unsigned char*>(given);
    for (size_t i = sizeof(T); i < size; ++i) {
        if (bytes[i] != 0) {
            return Status::fail(-E2BIG, "struct %s of %u bytes sets byte %llu, which this release (%u bytes) lacks",
                                name, size, static_cast<unsigned long long>(i), static_cast<unsigned>(sizeof(T)));
        }
    }
    memcpy(&known, given, size < sizeof(T) ? size : sizeof(T));
    known.size = sizeof(T);
    return {};
}

// Whether `out` can take an answer.
template <typename T>
Status check_out_struct(const char* name, const T* out) {
    if (out == nullptr) return Status::fail(-EINVAL, "struct %s is NULL", name);
    if (out->size < kSmallestStructBytes || out->size % 4 != 0) {
        return Status::fail(-EINVAL, "struct %s has size %u; %s_init() sets it to %u", name, out->size, name,
                            static_cast<unsigned>(sizeof(T)));
    }
    return {};
}

// Writes as much of the answer as the caller's structure holds; what this release does not know becomes zero.
template <typename T>
void write_struct(const T& answer, T* out) {
    const uint32_t size = out->size;
    const size_t known = size < sizeof(T) ? size : sizeof(T);
    memcpy(out, &answer, known);
    if (size > sizeof(T)) memset(reinterpret_cast<unsigned char*>(out) + sizeof(T), 0, size - sizeof(T));
    out->size = size;
}

}  // namespace damon
