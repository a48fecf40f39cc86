// Memory whose accesses the tests know, and samples over it. Nothing here sleeps or races: a test arms, touches the
// pages that it wants touched, and looks.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "model/sample.h"
#include "ops/linux/access/access_check_table.h"
#include "ops/linux/access/access_checker.h"

namespace damon::test {

inline uint64_t page_bytes() { return static_cast<uint64_t>(sysconf(_SC_PAGESIZE)); }

enum class Kind { kAnonymous, kShared };

// Pages of known content, none of them huge unless asked. kShared: a shared mapping of a nameless file, not declared.
class Memory {
public:
    explicit Memory(size_t nr_pages, Kind kind = Kind::kAnonymous, size_t alignment = 0);
    ~Memory();
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;

    size_t nr_pages() const { return nr_pages_; }
    uint64_t bytes() const { return nr_pages_ * page_bytes(); }
    uint64_t address(size_t page) const { return start_ + page * page_bytes(); }
    char* data(size_t page = 0) const { return reinterpret_cast<char*>(address(page)); }
    AddressRange range() const { return {start_, start_ + bytes()}; }

    // Writes a pattern of its own into every page.
    void fill();
    // Whether every byte is as fill left it.
    bool is_as_filled() const;

    void read(size_t page) const { (void)*reinterpret_cast<volatile const char*>(address(page)); }
    // Writes the byte that is there already: the content stays as filled.
    void write(size_t page) const {
        auto* byte = reinterpret_cast<volatile char*>(address(page));
        *byte = *byte;
    }

    // One sample per page given, in that order; all pages without a list.
    std::vector<Sample> samples(std::initializer_list<size_t> pages) const;
    std::vector<Sample> samples() const;

private:
    size_t nr_pages_ = 0;
    uint64_t start_ = 0;
    void* mapping_ = nullptr;
    size_t mapping_bytes_ = 0;
};

// The answers as letters: y, n, ? in the order of the samples; upper case where reads could be seen too.
std::string answers(std::span<const Sample> samples);
// The same, all in lower case: what was answered, by whatever way.
std::string plain_answers(std::span<const Sample> samples);

// A started checker; the test fails, or skips as declared, where the way does not work here.
class Checker {
public:
    explicit Checker(AccessCheck choice);
    bool works() const { return works_; }
    AccessChecker& operator*() { return checker_; }
    AccessChecker* operator->() { return &checker_; }
    uint64_t unknown(UnknownReason unknown) const {
        return checker_.statistics().unknown[static_cast<unsigned>(unknown)];
    }

private:
    AccessChecker checker_;
    bool works_ = false;
};

// For tests of kAuto on memory that is not declared: false, and the test is skipped, where no way sees such memory.
bool undeclared_memory_can_be_seen();

// For tests of what holds for every way that works on private memory: the parameter is the way.
class EveryWay : public testing::TestWithParam<AccessCheck> {};
std::string way_name(const testing::TestParamInfo<AccessCheck>& info);
#define INSTANTIATE_EVERY_WAY(suite) \
    INSTANTIATE_TEST_SUITE_P(Ways, suite, testing::Values(AccessCheck::kUffdWp, AccessCheck::kUffdRwp), way_name)

// A number of kB that smaps tells of the mapping at `address`, for instance "AnonHugePages"; -1: no such line.
long smaps_kb(uint64_t address, const char* name);

// Processor time of this process.
void work_for_seconds(double seconds);
// How long the balancing of NUMA nodes takes to look for pages to mark, of a process that works.
inline constexpr double kBalancingSeconds = 1.5;

// A child process that runs `body`; the result is its exit code, or 128 + the signal that ended it.
int in_child(int (*body)());

}  // namespace damon::test
