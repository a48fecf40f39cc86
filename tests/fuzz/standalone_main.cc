// Drives a fuzz target without libFuzzer: every file of a corpus, then a number of random inputs, half of them changed
// corpus files, all of them from numbered seeds. Usage: <program> <corpus directory> <random inputs> [<first seed>]
// On a failure it prints the command that repeats the input, and leaves the program the way the target did.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/random.h"
#include "fuzz/fuzz_target.h"

namespace {

char now_running[4096];  // what to print when the target fails, whatever state the heap is in then

void report_failure(int number) {
    (void)!write(STDERR_FILENO, now_running, strlen(now_running));
    signal(number, SIG_DFL);
    raise(number);
}

std::vector<std::filesystem::path> files_of(const char* directory) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

using Bytes = std::vector<uint8_t>;

Bytes contents_of(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(stream), {}};
    return {bytes.begin(), bytes.end()};
}

// Cuts a piece out, writes it elsewhere, or changes single bytes; a few times.
Bytes changed(Bytes bytes, damon::Random& random) {
    for (uint64_t left = random.between(1, 8); left > 0 && !bytes.empty(); --left) {
        const size_t from = random.between(0, bytes.size());
        const size_t count = random.between(0, std::min<size_t>(64, bytes.size() - from) + 1);
        const Bytes piece(bytes.begin() + from, bytes.begin() + from + count);
        switch (random.between(0, 4)) {
            case 0:
                bytes[from] = static_cast<uint8_t>(random.between(0, 256));
                break;
            case 1:
                bytes[from] ^= static_cast<uint8_t>(1u << random.between(0, 8));
                break;
            case 2:
                bytes.erase(bytes.begin() + from, bytes.begin() + from + count);
                break;
            default:
                bytes.insert(bytes.begin() + random.between(0, bytes.size()), piece.begin(), piece.end());
                break;
        }
    }
    return bytes;
}

// Of those from nothing, bytes are mostly small: more of them choose ordinary steps.
Bytes random_input(uint64_t seed, const std::vector<Bytes>& corpus) {
    damon::Random random(seed);
    if (seed % 2 == 0) return changed(corpus[random.between(0, corpus.size())], random);
    Bytes bytes(random.between(1, 2'000));
    const uint64_t span = random.between(0, 2) == 0 ? 256 : 240;
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.between(0, span));
    return bytes;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: %s <corpus directory> <random inputs> [<first seed>]\n", argv[0]);
        return 2;
    }
    for (const int number : {SIGABRT, SIGILL, SIGSEGV, SIGFPE, SIGBUS}) signal(number, report_failure);
    const std::vector<std::filesystem::path> files = files_of(argv[1]);
    if (files.empty()) {
        fprintf(stderr, "%s is empty\n", argv[1]);
        return 1;
    }
    std::vector<Bytes> corpus;
    for (const std::filesystem::path& file : files) {
        snprintf(now_running, sizeof now_running, "input: %s\n", file.c_str());
        corpus.push_back(contents_of(file));
        LLVMFuzzerTestOneInput(corpus.back().data(), corpus.back().size());
    }
    const uint64_t first = argc > 3 ? strtoull(argv[3], nullptr, 0) : 1;
    const uint64_t count = strtoull(argv[2], nullptr, 0);
    for (uint64_t seed = first; seed < first + count; ++seed) {
        snprintf(now_running, sizeof now_running, "repeat: %s %s 1 %llu\n", argv[0], argv[1],
                 static_cast<unsigned long long>(seed));
        const Bytes bytes = random_input(seed, corpus);
        LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    }
    printf("%zu corpus files and %llu random inputs\n", files.size(), static_cast<unsigned long long>(count));
    return 0;
}
