// Memory cgroups by their id, the inode number of the group's directory. Version 2, or the memory controller of version
// 1 where that is mounted. Allocates nothing.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>

namespace damon {

// Of /proc/PID/cgroup: the path of the group that memory is charged to, a part of `text`; `in_v1`: below the memory
// controller of version 1. Empty: it does not say.
std::string_view memory_cgroup_path(std::string_view text, bool& in_v1);

// The group of process `pid` (0: this one); 0: not known.
uint64_t memcg_id_of(pid_t pid);

// Opens the directory of the group: looks through all of them below `root` (usually "/sys/fs/cgroup"). -ENOENT: there
// is none with this id, or another negative errno.
int open_cgroup(const char* root, uint64_t memcg_id);

}  // namespace damon
