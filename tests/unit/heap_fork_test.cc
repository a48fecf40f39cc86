// A fork in the middle of a change of the library's heap, by another thread: at every single instruction of it.
#include <gtest/gtest.h>

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

#include "base/heap.h"

namespace damon {
namespace {

constexpr size_t kBlock = 32 * 1024;  // the largest class; a chunk holds eight
constexpr size_t kSmall = 16;
constexpr size_t kLive = 40;
unsigned char* live[kLive];
size_t nr_live = 0;
uint64_t nr_forks = 0;
int first_failure = 0;

// What the child of a fork does: takes memory, uses it, and finds what there was as it was.
[[noreturn]] void use_heap() {
    for (const size_t bytes : {kSmall, kBlock}) {
        for (int i = 0; i < 10; ++i) {
            auto* block = static_cast<unsigned char*>(heap_allocate(bytes));
            if (block == nullptr) _exit(2);
            block[0] = block[bytes - 1] = 0xcc;
        }
    }
    for (size_t i = 0; i < nr_live; ++i) {
        if (live[i][0] != 0x11 || memcmp(live[i], live[i] + 1, kBlock - 1) != 0) _exit(3);
    }
    _exit(0);
}

void fork_here(int) {
    const auto child = static_cast<pid_t>(syscall(SYS_fork));
    if (child == 0) use_heap();
    int status = -1;
    waitpid(child, &status, 0);
    ++nr_forks;
    if (first_failure == 0) first_failure = status;
}

// The trap flag of the processor: SIGTRAP after each instruction, where the handler forks.
void set_stepping(bool on) {
    uint64_t flags = 0;
    asm volatile("pushfq; popq %0" : "=r"(flags));
    flags = on ? flags | 0x100 : flags & ~uint64_t{0x100};
    asm volatile("pushq %0; popfq" : : "r"(flags) : "cc", "memory");
}

unsigned char* take(bool stepping) {
    if (stepping) set_stepping(true);
    auto* block = static_cast<unsigned char*>(heap_allocate(kBlock));
    if (stepping) set_stepping(false);
    if (block != nullptr) memset(block, 0x11, kBlock);
    return block;
}

TEST(HeapFork, AChildHasAWholeHeapWheneverTheForkComes) {
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = fork_here;
    ASSERT_EQ(sigaction(SIGTRAP, &action, &before), 0);
    // The first ones empty the list of free blocks, the next ones go on to the end of a chunk; the last two begin
    // another.
    size_t in_chunk = 0;
    for (int left = -1; left != 0 && nr_live < kLive; ++nr_live) {
        if (left < 0 && nr_live >= 16 && in_chunk == 8) left = 2;
        live[nr_live] = take(left > 0);
        ASSERT_NE(live[nr_live], nullptr);
        in_chunk = nr_live > 0 && live[nr_live] == live[nr_live - 1] + kBlock ? in_chunk + 1 : 1;
        if (left > 0) --left;
    }
    ASSERT_LT(nr_live, kLive);
    void* small = heap_allocate(kSmall);
    set_stepping(true);
    heap_free(small, kSmall);
    small = heap_allocate(kSmall);
    set_stepping(false);
    heap_free(small, kSmall);
    sigaction(SIGTRAP, &before, nullptr);
    EXPECT_EQ(first_failure, 0) << "the wait status of a child";
    EXPECT_GT(nr_forks, 100u);
    while (nr_live > 0) heap_free(live[--nr_live], kBlock);
}

}  // namespace
}  // namespace damon

#endif
