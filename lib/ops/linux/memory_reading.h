// What memory this process has: the populated parts of the mappings that it can use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/vector.h"
#include "model/address_range.h"
#include "ops/linux/thread_stacks.h"
#include "os/proc_maps.h"
#include "os/range_scan.h"

namespace damon {

// One reading: begin, every mapping in address order, finish. Worker only.
//
//   anonymous memory, shmem, memfd      what is present or swapped out
//   a private mapping of a file         its anonymous pages; with `files` the others too
//   a shared mapping of a file          nothing; with `files` what is present
//   no permission, special, a stack     nothing
//   the library's own                   nothing
//
// Large mappings are read in blocks: the memory around a populated page counts as populated, but at the ends of small
// runs of blocks. Below Linux 6.7 up to kMostExamined bytes are looked at; the rest is left out.
class MemoryReading {
public:
    static constexpr uint64_t kMostExamined = uint64_t{64} << 30;

    // 0 or a negative errno.
    int open(uint64_t page_bytes);
    void close();

    void begin(bool files);
    void add(const Mapping& mapping);
    // False: out of memory, or the kernel did not report them; there are no pieces then.
    [[nodiscard]] bool finish();

    // In address order; they may touch.
    std::span<const AddressRange> pieces() const { return pieces_.span(); }
    uint64_t piece_bytes() const { return piece_bytes_; }

private:
    struct Part {
        AddressRange range;
        bool only_anonymous = false;
    };
    // Small parts are looked at together, as one range with what lies between them.
    static constexpr size_t kMostInGroup = 256;

    void add_part(Part part);
    void read_large(Part part);
    void keep_run(AddressRange run, uint64_t page, bool only_anonymous);
    uint64_t end_of_pages(AddressRange range, bool only_anonymous);
    void read_group();
    void keep(AddressRange piece);
    uint64_t permitted(uint64_t bytes);

    RangeScan scan_;
    ThreadStacks stacks_;
    Vector<AddressRange> pieces_;
    Vector<AddressRange> own_;  // the library's own pages, sorted
    size_t next_own_ = 0;
    Part group_[kMostInGroup];
    size_t nr_in_group_ = 0;
    uint64_t group_bytes_ = 0;     // mapped between its first and its last part
    uint64_t examined_bytes_ = 0;  // where each page costs the same, populated or not
    uint64_t piece_bytes_ = 0;
    uint64_t block_bytes_ = 0;
    uint64_t nr_blocks_ = 0;
    size_t nr_cut_ = 0;
    uint64_t page_bytes_ = 4096;
    bool files_ = false;
    bool failed_ = false;
};

}  // namespace damon
