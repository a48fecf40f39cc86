#include "host.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace damon::test {

const Host::Call Host::kCalls[] = {
    {"map", 10, &Host::map},
    {"munmap", 3, &Host::unmap},
    {"write", 20, &Host::write_pages},
    {"read", 12, &Host::read_pages},
    {"mprotect", 6, &Host::protect},
    {"mprotect of reserved", 6, &Host::commit_reserved},
    {"grow by a mapping beside", 6, &Host::grow_beside},
    {"mremap larger", 5, &Host::remap_larger},
    {"mremap smaller", 3, &Host::remap_smaller},
    {"mremap elsewhere", 5, &Host::remap_elsewhere},
    {"discard", 5, &Host::discard},
    {"madvise", 6, &Host::advise},
    {"MADV_COLLAPSE", 2, &Host::collapse},
    {"mlock", 3, &Host::lock},
    {"system calls on the memory", 8, &Host::system_calls},
    {"own userfaultfd", 2, &Host::own_userfaultfd},
    {"own scan of written pages", 2, &Host::own_written_pages},
    {"fork", 2, &Host::fork_child},
    {"exec", 1, &Host::exec_child},
    {"close_range", 1, &Host::close_all},
    {"dup2 onto numbers", 2, &Host::take_numbers},
    {"pthread_cancel", 2, &Host::cancel_thread},
    {"signals", 3, &Host::interrupt},
    {"malloc", 4, &Host::allocate},
    {"deep stack", 1, &Host::deep_stack},
};
const size_t Host::kNrCalls = std::size(Host::kCalls);

const char* host_call_name(size_t call) { return call < Host::kNrCalls ? Host::kCalls[call].name : "?"; }

Host::Host(uint64_t seed, HostLog& log, Embedding* embedding) : log_(log), embedding_(embedding), random_(seed) {
    for (uint32_t index = 0; index < kNrPlaces; ++index) places_[index].index = index;
    char path[] = "/tmp/damon-chaos-XXXXXX";
    const int file = mkstemp(path);
    scratch_path_ = path;
    if (file >= 0) close(file);
    if (truncate(path, static_cast<off_t>(Place::kMaxBytes)) != 0) std::perror(path);
}

Host::~Host() { unlink(scratch_path_.c_str()); }

void Host::step() {
    uint32_t weights = 0;
    for (const Call& call : kCalls) weights += call.weight;
    uint64_t draw = random_.between(0, weights);
    current_ = 0;
    while (draw >= kCalls[current_].weight) draw -= kCalls[current_++].weight;
    Place& place = places_[random_.between(0, kNrPlaces)];
    current_place_ = place.index;
    log_.current.store(static_cast<uint32_t>(current_));
    (this->*kCalls[current_].run)(place);
}

void Host::note(int64_t result, uint64_t digest) {
    const uint64_t at = log_.nr_entries.load();
    if (at == HostLog::kMaxEntries) return;
    log_.entries[at] = {static_cast<uint32_t>(current_), current_place_, result, digest};
    log_.nr_entries.store(at + 1);
}

Host::Piece Host::piece(const Place& place) {
    const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    const uint64_t nr_pages = place.bytes / page;
    const uint64_t first = random_.between(0, nr_pages);
    const uint64_t nr = std::min(nr_pages - first, random_.between(1, 65));
    return {first * page, nr * page};
}

// FNV-1a over the first word of each page and one that moves with the page.
uint64_t Host::digest(const Place& place) const {
    const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    uint64_t sum = 0xcbf29ce484222325;
    for (uint64_t at = 0; at < place.bytes; at += page) {
        for (const uint64_t offset : {at, at + (at / page * 8) % page}) {
            uint64_t word = 0;
            std::memcpy(&word, place.data(offset), sizeof word);
            sum = (sum ^ word) * 0x100000001b3;
        }
    }
    return sum;
}

void Host::fill(Place& place, Piece piece) {
    const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    const uint64_t value = random_.next();
    for (uint64_t at = piece.offset; at < piece.offset + piece.bytes; at += page) {
        const uint64_t word = value ^ at;
        std::memcpy(place.data(at), &word, sizeof word);
        std::memcpy(place.data(at + (at / page * 8) % page), &word, sizeof word);
    }
}

bool Host::may_leave_excluded() { return random_.between(0, 2) == 0; }

void Host::keep_away(const Place& place, bool wanted) {
    if (wanted && embedding_ != nullptr) embedding_->keep_away(place);
}

void Host::come_back(const Place& place, bool wanted) {
    if (wanted && embedding_ != nullptr) embedding_->come_back(place);
}

void Host::forget(Place& place) {
    if (embedding_ != nullptr) embedding_->place_goes(place);
    munmap(place.data(), Place::kStride);
    place = Place{.index = place.index};
}

void Host::finish() {
    for (Place& place : places_) {
        if (!place.mapped()) continue;
        if (mprotect(place.data(), place.bytes, PROT_READ | PROT_WRITE) == 0) note(0, digest(place));
        forget(place);
    }
}

uint32_t Host::count_mappings() {
    FILE* maps = std::fopen("/proc/self/maps", "re");
    if (maps == nullptr) return 0;
    uint32_t nr = 0;
    char line[512];
    while (std::fgets(line, sizeof line, maps) != nullptr) {
        unsigned long start = 0;
        const Place first{.index = 0};
        const Place last{.index = kNrPlaces};
        if (std::sscanf(line, "%lx-", &start) == 1 && start >= first.start() && start < last.start()) ++nr;
    }
    std::fclose(maps);
    return nr;
}

}  // namespace damon::test
