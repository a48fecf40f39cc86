// A file system like that of a kernel with DAMON, in a temporary folder, and a small kdamond behind it: it makes
// folders where a number of them is written, obeys the commands of "state", and knows regions that a test gives it.
// Everything happens inside the write that asks for it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "model/snapshot.h"
#include "ops/offload/sysfs_tree.h"

namespace damon::test {

// While one lives, no SysfsTree of the process can see the real kernel; the youngest is the kernel.
class FakeKernelDamon {
public:
    // `missing`: names of files and folders that this kernel does not have, for instance "pause".
    explicit FakeKernelDamon(std::vector<std::string> missing = {});
    ~FakeKernelDamon();
    FakeKernelDamon(const FakeKernelDamon&) = delete;
    FakeKernelDamon& operator=(const FakeKernelDamon&) = delete;

    // --- what the test decides; any thread ---
    void set_regions(std::vector<RegionInfo> regions);
    void tune(uint64_t sample_us, uint64_t aggr_us);
    void kill_worker();                                          // as where the targets have ended
    void refuse(const std::string& path, int negative_errno);    // the next write to this file, below the kdamond
    void be_busy(int nr_writes);                                 // so many writes find the kernel busy
    void put(const std::string& path, const std::string& text);  // from below the root: somebody else's write

    // --- what can be seen ---
    std::string content(const std::string& path) const;  // from below the kdamonds' folder
    bool exists(const std::string& path) const;
    // Below contexts/0: what the worker goes by since it was turned on or committed to.
    std::string committed(const std::string& path) const;
    // The commands that "state" received.
    std::vector<std::string> commands() const;
    int nr_writes() const;

    static constexpr const char* kKdamonds = "sys/kernel/mm/damon/admin/kdamonds";

private:
    using Folder = std::filesystem::path;

    static int written(const char* path, const char* text);
    int react(const std::string& path, const std::string& text);
    int react_to_number(const std::string& path, size_t nr);
    int obey(const std::string& command);
    void make_kdamonds(size_t nr);
    void fill(const Folder& folder, const std::vector<std::string>& files);
    void fill_context(const Folder& folder);
    void fill_scheme(const Folder& folder);
    void commit();
    void try_schemes();
    void try_scheme(size_t scheme_idx);
    void write_stats() const;
    void set_worker(bool runs);
    std::string committed_or(const std::string& path, const std::string& otherwise) const;

    FakeKernelDamon* const elder_;
    mutable std::recursive_mutex mutex_;
    Folder root_;
    Folder kdamonds_;
    std::string root_text_;
    FakeKernel hook_;
    std::vector<std::string> missing_;
    std::vector<RegionInfo> regions_;
    std::map<std::string, std::string> committed_;
    std::map<std::string, int> refusals_;
    std::vector<std::map<std::string, uint64_t>> stats_;  // by scheme
    std::vector<std::string> commands_;
    uint64_t tuned_sample_us_ = 0;
    uint64_t tuned_aggr_us_ = 0;
    bool runs_ = false;
    int busy_writes_ = 0;
    int nr_writes_ = 0;
    int next_pid_ = 4242;
};

}  // namespace damon::test
