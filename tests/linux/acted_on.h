// Memory for actions, requests for them, and what came of them.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>

#include "ops/linux/actions/action_executor.h"
#include "watched.h"

namespace damon::test {

// A file of known content on a real file system, deleted already, and a mapping of it. works() is false where the
// folder for temporary files lies in memory: the test skips as declared.
class FileMemory {
public:
    // Written so many pages at a time, which the page cache may keep as one large folio.
    explicit FileMemory(size_t nr_pages, int flags = MAP_PRIVATE, size_t pages_a_write = 1);
    ~FileMemory();
    FileMemory(const FileMemory&) = delete;
    FileMemory& operator=(const FileMemory&) = delete;

    bool works() const { return data_ != nullptr; }
    uint64_t address(size_t page) const { return reinterpret_cast<uint64_t>(data_) + page * page_bytes(); }
    AddressRange range(size_t first, size_t last) const { return {address(first), address(last)}; }
    AddressRange range() const { return range(0, nr_pages_); }
    // Reads every page in [first, last).
    void touch(size_t first, size_t last) const;
    // Whether every byte is as it was written.
    bool is_as_filled() const;

private:
    size_t nr_pages_ = 0;
    char* data_ = nullptr;
};

// One scheme and the executor that serves it.
class Acting {
public:
    explicit Acting(DamosAction action);
    ~Acting() { executor.stop(); }

    Outcome apply(AddressRange range, int32_t pid = 0);
    void filter(FilterType type, bool matching, bool allow, AddressRange sizes = {});
    uint64_t skipped(Skip why) const { return executor.statistics().skipped_bytes[static_cast<int32_t>(why)]; }

    SchemeParams scheme;
    ActionExecutor executor;
    uint64_t now_us = 0;               // a test that goes through several passes moves it on
    AccessChecker* checker = nullptr;  // how the memory's accesses are seen
};

// Bytes of the range that the page tables hold.
uint64_t present_bytes(AddressRange range);
// Bytes of the range that are in memory, mapped or not.
uint64_t in_memory_bytes(AddressRange range);
bool has_swap();
// "enabled" of transparent huge pages is not "never".
bool has_huge_pages();

}  // namespace damon::test
