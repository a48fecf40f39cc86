// The process that schemes act on: its mappings, what its page tables say, and advice to its memory. Opened when the
// first action comes, and kept.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>

#include "base/vector.h"
#include "os/own_file.h"
#include "os/page_sizes.h"
#include "os/proc_maps.h"
#include "os/range_scan.h"

namespace damon {

class ActionSubject {
public:
    ActionSubject() = default;
    ~ActionSubject() { close(); }
    ActionSubject(const ActionSubject&) = delete;
    ActionSubject& operator=(const ActionSubject&) = delete;

    // `pid` 0: this process. 0 or a negative errno, and then nothing is held.
    int open(pid_t pid, const PageSizes& sizes);
    void close();
    bool is_open() const { return scan_.is_open(); }
    pid_t pid() const { return pid_; }
    bool own() const { return pid_ == 0; }

    // The mapping that covers `address`, or else the first one above it. 0; -ENOENT: there is none. Where this kernel
    // cannot be asked for one, all are read, once after every forget_mappings.
    int next_mapping(uint64_t address, Mapping& mapping);
    void forget_mappings() { list_read_ = false; }

    RangeScan& scan() { return scan_; }
    bool sees_huge() const { return scan_.sees_huge(); }

    // Files whose pages in memory the kernel reports: it reports every page of a file that this process may not write.
    // Known of the latest one of which it has reported a page as not in memory.
    void note_told(uint64_t inode) { told_inode_ = inode; }
    bool is_told(uint64_t inode) const { return inode != 0 && told_inode_ == inode; }

    // Gives advice on the ranges, one after the other. `done`: bytes of those that were advised, from the first on. 0,
    // or the negative errno of the range that stopped it.
    int advise(std::span<const AddressRange> ranges, int advice, uint64_t& done);

private:
    int read_list();
    bool ask_in_batches();

    pid_t pid_ = 0;
    uint64_t told_inode_ = 0;
    OwnFile pidfd_;
    bool batches_refused_ = false;
    bool list_read_ = false;
    ProcMaps maps_;
    RangeScan scan_;
    Vector<Mapping> list_;
};

}  // namespace damon
