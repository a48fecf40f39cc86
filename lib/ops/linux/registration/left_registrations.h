// Registrations that a context leaves behind because another one uses the same userfaultfd: unregistering would drop
// the other's marks. The next context that reads the mappings takes them over, and the last one to end unregisters all.
#pragma once

#include <cstdint>

#include "base/vector.h"
#include "model/address_range.h"

namespace damon {

struct LeftRegistration {
    AddressRange range;
    uint8_t modes = 0;  // uapi::kRegisterMode*
};

// Any thread. `left` is empty afterwards; without memory they stay registered until the userfaultfd is closed.
void leave_registrations(Vector<LeftRegistration>& left);
// Some of what was left by contexts of this process; false: nothing is.
bool take_registrations(Vector<LeftRegistration>& left);

}  // namespace damon
