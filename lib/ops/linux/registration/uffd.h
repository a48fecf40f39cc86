// The one userfaultfd of this process, shared by all contexts (fact 3). Only its asynchronous modes are used: the
// kernel resolves every fault itself, so no access and no system call of the program ever waits for the monitor or
// fails.
//
// The descriptor is opened by its first user and closed by its last. Mappings are registered in parts only where a
// growth began: a block split in two could no longer be moved by one mremap of the program. A forked child owns none of
// it: every function below then answers -ECHILD, and the child's first user of its own starts afresh. The program may
// close any descriptor: see os/own_file.h and uffd_verify.
#pragma once

#include <cstdint>

#include "model/address_range.h"

namespace damon {

struct UffdFeatures {
    bool wp_async = false;   // asynchronous write protection
    bool rwp_async = false;  // asynchronous read-write protection
    int error = 0;           // negative errno of the opening, where there is neither
};

// What the kernel offers to this process, asked with a descriptor that is thrown away. Whether it works as it says is
// for the behaviour probes of uffd_wp and uffd_rwp.
UffdFeatures uffd_offered();

// Becomes one of the users; opens the descriptor where there is none. 0, or a negative errno and then not a user.
int uffd_acquire(UffdFeatures& features);
void uffd_release();

// Whether the descriptor is still there. Where the program has closed it (closefrom, dup2 over its number), all
// registrations and marks are gone: it is opened anew, uffd_epoch and uffd_generation grow. Once an interval is enough:
// what could hurt a file of the program is checked by itself. 0, or a negative errno: there is none now.
int uffd_verify();
// Counts descriptors: registrations made under another value are gone.
uint64_t uffd_generation();

// Registers the mappings of `range` (uapi::kRegisterMode*). 0, or: -EBUSY: some of it belongs to a userfaultfd of the
// program's own, or to this one in the other mode; -EINVAL, -EPERM: not possible for this kind of mapping; -ENOENT,
// -ENOMEM, -EAGAIN: the mapping is gone.
int uffd_register(AddressRange range, uint64_t mode);

// Drops the registration and every mark in `range`, which lies in one mapping and was registered in `mode`. Answers of
// other contexts that are under way become unknown, and those contexts register again by themselves: see uffd_epoch. 0
// or a negative errno; -ENOMEM: this would be one mapping more than a process may have.
// `grown` (may be null) receives by how much uffd_epoch grew for it, for who knows that none of its own answers is of
// this range.
int uffd_unregister(AddressRange range, uint64_t mode, uint64_t* grown = nullptr);

// Neighbouring parts of a mapping that are registered with different descriptors are mappings of their own, and become
// one again when they are registered with the same one, or with none. All other functions here find the descriptor
// that a part is registered with by themselves.
enum class UffdFile : uint8_t { kFirst, kSecond };
// Parts that are registered with the second descriptor begin and end at a border of the mapping or at a multiple of it.
inline constexpr uint64_t kUffdSplitBytes = uint64_t{2} << 20;
// 0 or a negative errno. It is closed with the first one.
int uffd_open_second();
// Registers `range` with `file`, wherever it is registered now; its marks go where that changes. `grown` as for
// uffd_unregister. Errors as for uffd_register.
int uffd_assign(AddressRange range, uint64_t mode, UffdFile file, uint64_t* grown);

// Lifts the marks of `mode` in `range`, which is registered and stays so. Answers of all contexts that are under way
// become unknown. 0 or a negative errno; -EBUSY: the marks are of a userfaultfd of the program's own.
int uffd_lift(AddressRange range, uint64_t mode);

// Lifts the marks of `mode` in `range`, of pages that this context armed itself: nobody else is told. 0 or a negative
// errno.
int uffd_lift_own(AddressRange range, uint64_t mode);

// How many users there are.
uint32_t uffd_users();

// Read-write-protects a page, or a whole huge page. 0 or a negative errno.
int uffd_rwprotect(AddressRange range);

// Counts unregistrations. A look whose arm saw another value cannot trust what it sees.
uint64_t uffd_epoch();

}  // namespace damon
