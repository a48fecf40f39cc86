// The texts in which Linux reports memory: pure parsers.
#pragma once

#include <cstdint>
#include <string_view>

namespace damon {

// The number behind "name:", as in /proc/meminfo and a node's meminfo; in kB there. False: not in the text.
bool meminfo_value(std::string_view text, std::string_view name, uint64_t& value);

// A number, or "max" for UINT64_MAX, as in the files of a memory group.
bool limit_value(std::string_view text, uint64_t& value);

// Of /proc/pressure/memory: how long some task waited for memory, microseconds since boot.
bool some_pressure_total(std::string_view text, uint64_t& total_us);

// Of a group's memory.numa_stat: bytes on its lists (anonymous, file and unevictable memory) on one node, with all
// groups below. Version 2 has bytes by list, version 1 a total in pages. False: no such text. A node that is not
// named has 0.
bool cgroup_node_bytes(std::string_view text, int32_t nid, uint64_t page_bytes, uint64_t& bytes);

// Of whole lines of /proc/vmstat: pages that reclaim has looked at since boot, whoever asked for it.
uint64_t reclaim_scanned_pages(std::string_view text);

}  // namespace damon
