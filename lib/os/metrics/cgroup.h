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

// What a group may still take.
struct MemcgRoom {
    uint64_t limit = 0;  // bytes, not 0
    uint64_t free = 0;   // the limit minus what the group uses, its page cache included
};

// Of this process's group and those around it that have a limit, the one with the least share of it free. Version 2:
// memory.high limits too. `root`: where proc and sys are looked for. 0; -ENODATA: none of them has a limit; -ENOENT:
// that cannot be read here.
int own_memcg_room(const char* root, MemcgRoom& room);

}  // namespace damon
