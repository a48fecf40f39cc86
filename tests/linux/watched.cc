#include "watched.h"

#include <sys/wait.h>

#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>

#include "support/declared_skip.h"

namespace damon::test {

Memory::Memory(size_t nr_pages, Kind kind, size_t alignment) : nr_pages_(nr_pages) {
    mapping_bytes_ = bytes() + alignment;
    int fd = -1;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    if (kind == Kind::kShared) {
        fd = memfd_create("watched", MFD_CLOEXEC);
        if (fd < 0 || ftruncate(fd, static_cast<off_t>(mapping_bytes_)) != 0) abort();
        flags = MAP_SHARED;
    }
    mapping_ = mmap(nullptr, mapping_bytes_, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (fd >= 0) close(fd);
    if (mapping_ == MAP_FAILED) abort();
    start_ = reinterpret_cast<uint64_t>(mapping_);
    if (alignment != 0) {
        start_ = (start_ + alignment - 1) & ~(alignment - 1);
    } else {
        madvise(mapping_, mapping_bytes_, MADV_NOHUGEPAGE);
    }
}

Memory::~Memory() { munmap(mapping_, mapping_bytes_); }

void Memory::fill() {
    for (size_t page = 0; page < nr_pages_; ++page) {
        auto* words = reinterpret_cast<uint64_t*>(address(page));
        for (size_t i = 0; i < page_bytes() / sizeof *words; ++i) words[i] = page * 1'000'003 + i;
    }
}

bool Memory::is_as_filled() const {
    for (size_t page = 0; page < nr_pages_; ++page) {
        const auto* words = reinterpret_cast<const uint64_t*>(address(page));
        for (size_t i = 0; i < page_bytes() / sizeof *words; ++i) {
            if (words[i] != page * 1'000'003 + i) return false;
        }
    }
    return true;
}

std::vector<Sample> Memory::samples(std::initializer_list<size_t> pages) const {
    std::vector<Sample> samples;
    for (const size_t page : pages) {
        Sample sample;
        // Somewhere inside of the page, as the engine draws it.
        sample.addr = address(page) + 123 * (page + 1) % page_bytes();
        sample.region = {address(page), address(page) + page_bytes()};
        samples.push_back(sample);
    }
    return samples;
}

std::vector<Sample> Memory::samples() const {
    std::vector<Sample> samples;
    for (size_t page = 0; page < nr_pages_; ++page) samples.push_back(this->samples({page})[0]);
    return samples;
}

std::string answers(std::span<const Sample> samples) {
    std::string text;
    for (const Sample& sample : samples) {
        const bool full = !sample.writes_only;
        switch (sample.seen) {
            case Seen::kYes:
                text += full ? 'Y' : 'y';
                break;
            case Seen::kNo:
                text += full ? 'N' : 'n';
                break;
            case Seen::kUnknown:
                text += '?';
                break;
        }
    }
    return text;
}

std::string plain_answers(std::span<const Sample> samples) {
    std::string text = answers(samples);
    for (char& letter : text) letter = static_cast<char>(tolower(letter));
    return text;
}

std::string way_name(const testing::TestParamInfo<AccessCheck>& info) {
    return info.param == AccessCheck::kUffdWp ? "UffdWp" : info.param == AccessCheck::kUffdRwp ? "UffdRwp" : "Zap";
}

Checker::Checker(AccessCheck choice) {
    const AccessCheckProbe probe = access_check_probe(static_cast<int32_t>(choice));
    if (!probe.available && (choice == AccessCheck::kUffdRwp || choice == AccessCheck::kUffdWp)) {
        declared_skip(choice == AccessCheck::kUffdRwp ? "uffd-rwp" : "uffd-wp", probe.reason);
        return;
    }
    const Status status = checker_.start(choice, 4096);
    works_ = status.ok();
    EXPECT_TRUE(works_) << status.text();
}

bool undeclared_memory_can_be_seen() {
    const AccessCheckProbe probe = access_check_probe(static_cast<int32_t>(AccessCheck::kUffdWp));
    if (!probe.available) declared_skip("uffd-wp", probe.reason);
    return probe.available;
}

long smaps_kb(uint64_t address, const char* name) {
    FILE* file = fopen("/proc/self/smaps", "re");
    char line[4096];
    long kb = -1;
    bool inside = false;
    while (fgets(line, sizeof line, file) != nullptr) {
        unsigned long start = 0;
        unsigned long end = 0;
        if (sscanf(line, "%lx-%lx ", &start, &end) == 2) inside = start <= address && address < end;
        if (inside && strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':') {
            sscanf(line + strlen(name) + 1, "%ld", &kb);
        }
    }
    fclose(file);
    return kb;
}

void work_for_seconds(double seconds) {
    const clock_t begin = clock();
    while (static_cast<double>(clock() - begin) / CLOCKS_PER_SEC < seconds) {
    }
}

int in_child(int (*body)()) {
    const pid_t child = fork();
    if (child == 0) _exit(body());
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) return -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace damon::test
