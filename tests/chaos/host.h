// A program that uses memory in every way that we know: the same calls with the same arguments for the same seed. What
// the library must not change is what they answer.
#pragma once

#include <mutex>
#include <string>

#include "base/random.h"
#include "host_log.h"
#include "places.h"

namespace damon::test {

// What a host does for the library's sake, at the moments that damon_c.h asks for.
class Embedding {
public:
    virtual ~Embedding() = default;
    // Before a place is unmapped, moved or replaced, and after it was mapped.
    virtual void place_goes(Place& place) = 0;
    virtual void place_came(Place& place) = 0;
    // A pair around what only works without the library.
    virtual void keep_away(const Place& place) = 0;
    virtual void come_back(const Place& place) = 0;
    // Whether a stop may still be giving back what it held.
    virtual bool releasing() const = 0;
    // In a child of fork. False: something was wrong.
    virtual bool in_child() = 0;
};

class Host {
public:
    static constexpr uint32_t kNrPlaces = 12;

    // `embedding` may be null: a host that knows nothing of the library.
    Host(uint64_t seed, HostLog& log, Embedding* embedding);
    ~Host();
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;

    void step();
    // Reads everything, and unmaps it.
    void finish();
    static uint32_t count_mappings();

private:
    using CallFn = void (Host::*)(Place& place);
    struct Call {
        const char* name;
        uint32_t weight;
        CallFn run;
    };
    static const Call kCalls[];
    static const size_t kNrCalls;
    friend const char* host_call_name(size_t call);

    struct Piece {
        uint64_t offset = 0;
        uint64_t bytes = 0;
    };

    // What an mremap() that failed with EFAULT may be put down to.
    bool is_known_fault(const Place& place, bool away);
    static int64_t move_by_copy(const Place& place, const Place& free);
    void note(int64_t result, uint64_t digest = 0);
    void known(Known what) { log_.known[static_cast<size_t>(what)].fetch_add(1); }
    // Whole pages of a place.
    Piece piece(const Place& place);
    uint64_t digest(const Place& place) const;
    void fill(Place& place, Piece piece);
    bool may_leave_excluded();
    void keep_away(const Place& place, bool wanted);
    void come_back(const Place& place, bool wanted);
    void forget(Place& place);

    // host_calls.cc: mappings and their content
    void map(Place& place);
    void unmap(Place& place);
    void write_pages(Place& place);
    void read_pages(Place& place);
    void protect(Place& place);
    void commit_reserved(Place& place);
    void grow_beside(Place& place);
    void remap_larger(Place& place);
    void remap_smaller(Place& place);
    void remap_elsewhere(Place& place);
    void discard(Place& place);
    void advise(Place& place);
    void collapse(Place& place);
    void lock(Place& place);
    void system_calls(Place& place);

    // host_process.cc: what is not memory
    void own_userfaultfd(Place& place);
    void own_written_pages(Place& place);
    void fork_child(Place& place);
    void exec_child(Place& place);
    void close_all(Place& place);
    void take_numbers(Place& place);
    void cancel_thread(Place& place);
    void interrupt(Place& place);
    void allocate(Place& place);
    void deep_stack(Place& place);

    HostLog& log_;
    Embedding* embedding_;
    Random random_;
    Place places_[kNrPlaces];
    size_t current_ = 0;  // call
    uint32_t current_place_ = 0;
    std::string scratch_path_;
};

const char* host_call_name(size_t call);

}  // namespace damon::test
