// Parameter structures that begin with their size: programs and library may be of different releases.
#pragma once

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/status.h"

namespace damon {

// Smaller than this, a size cannot be meant: it does not even cover the first members. Nor can one above a page be:
// it was never set.
inline constexpr uint32_t kSmallestStructBytes = 16;
inline constexpr uint32_t kLargestStructBytes = 4096;

// Whether `given` is there, has a size that some release's structure can have, and sets nothing that this release
// lacks.
template <typename T>
Status check_struct(const char* name, const T* given) {
    if (given == nullptr) return Status::fail(-EINVAL, "struct %s is NULL", name);
    const uint32_t size = given->size;
    if (size < kSmallestStructBytes || size % alignof(T) != 0) {
        return Status::fail(-EINVAL, "struct %s has size %u; %s_init() sets it to %u", name, size, name,
                            static_cast<unsigned>(sizeof(T)));
    }
    if (size > kLargestStructBytes) {
        return Status::fail(-E2BIG, "struct %s has size %u; no release has more than %u", name, size,
                            kLargestStructBytes);
    }
    const auto* bytes = reinterpret_cast<const unsigned char*>(given);
    for (size_t i = sizeof(T); i < size; ++i) {
        if (bytes[i] != 0) {
            return Status::fail(-E2BIG, "struct %s of %u bytes sets byte %llu, which this release (%u bytes) lacks",
                                name, size, static_cast<unsigned long long>(i), static_cast<unsigned>(sizeof(T)));
        }
    }
    return {};
}

// As check_struct, and no smaller than this release's: for structures whose last members are answers.
template <typename T>
Status check_whole_struct(const char* name, const T* given) {
    Status status = check_struct(name, given);
    if (status.ok() && given->size < sizeof(T)) {
        status = Status::fail(-EINVAL, "struct %s has size %u; it must be at least %u", name, given->size,
                              static_cast<unsigned>(sizeof(T)));
    }
    return status;
}

// What a later release may give a meaning must not be set by a caller of this one. `known` came by copy_struct.
template <typename T>
Status check_reserved(const char* name, const T& known) {
    uint64_t set = 0;
    if constexpr (requires { known.reserved; }) set = known.reserved;
    if constexpr (requires { known.reserved2; }) set = set != 0 ? set : known.reserved2;
    if (set == 0) return {};
    return Status::fail(-EINVAL, "struct %s has %llu in a reserved member; it must be 0", name,
                        static_cast<unsigned long long>(set));
}

// Copies the caller's structure over `known`, which holds the defaults: an older caller's missing tail keeps them, a
// newer caller's unknown tail must be zero.
template <typename T>
Status copy_struct(const char* name, const T* given, T& known) {
    Status status = check_struct(name, given);
    if (!status.ok()) return status;
    memcpy(&known, given, given->size < sizeof(T) ? given->size : sizeof(T));
    known.size = sizeof(T);
    return status;
}

// As copy_struct, and the reserved members are 0.
template <typename T>
Status read_struct(const char* name, const T* given, T& known) {
    Status status = copy_struct(name, given, known);
    return status.ok() ? check_reserved(name, known) : status;
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
