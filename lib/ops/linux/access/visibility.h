// How much of what a program does with a mapping its monitor sees.
#pragma once

#include <cstdint>

namespace damon {

enum class Visibility : uint8_t {
    kReadsAndWrites,
    kWritesOnly,  // what is only read looks cold
    kNone,        // no access check works there, or none was tried yet
};

}  // namespace damon
