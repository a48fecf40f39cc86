// What a fork, an exec, a kill, another user and another userfaultfd make of the monitor (facts 2, 3 and 9).
#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <thread>

#include "ops/linux/registration/declared_ranges.h"
#include "os/proc_maps.h"
#include "os/smaps.h"
#include "os/uapi.h"
#include "support/declared_skip.h"
#include "watched.h"

namespace damon::test {
namespace {

// A userfaultfd of the program's own with the memory registered; closed at the end.
class OwnUserfaultfd {
public:
    explicit OwnUserfaultfd(const Memory& memory) {
        fd_ = static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | uapi::kUffdUserModeOnly));
        uapi::UffdApi api;
        api.features = uapi::kFeatureWpAsync;
        uapi::UffdRegister request;
        request.range = {memory.address(0), memory.bytes()};
        request.mode = uapi::kRegisterModeWp;
        works_ =
            fd_ >= 0 && ioctl(fd_, uapi::kUffdioApi, &api) == 0 && ioctl(fd_, uapi::kUffdioRegister, &request) == 0;
    }
    ~OwnUserfaultfd() { close(fd_); }
    bool works() const { return works_; }

private:
    int fd_ = -1;
    bool works_ = false;
};

TEST(OtherUserfaultfd, IsLeftAloneAndTheNextWayIsTaken) {
    Checker checker(AccessCheck::kAuto);
    Checker writes(AccessCheck::kUffdWp);
    if (!checker.works() || !writes.works()) return;
    Memory anonymous(4);
    Memory shared(64, Kind::kShared);
    anonymous.fill();
    shared.fill();
    ASSERT_EQ(shared_declare(shared.range()), 0);
    const OwnUserfaultfd first(anonymous);
    const OwnUserfaultfd second(shared);
    ASSERT_TRUE(first.works() && second.works());

    auto samples = anonymous.samples();
    for (int round = 0; round < 3; ++round) {
        checker->arm(samples);
        anonymous.write(1);
        checker->look(samples);
        EXPECT_EQ(answers(samples), "????");
    }
    EXPECT_EQ(checker.unknown(UnknownReason::kForeign), 12u);

    auto few = shared.samples({0, 20, 40});
    checker->arm(few);
    shared.read(20);
    checker->look(few);
    EXPECT_EQ(answers(few), "NYN");
    checker->disarm();
    writes->disarm();

    // Its registrations are still there, and nobody armed pages that the program did not arm: all read as written.
    for (const Memory* memory : {&anonymous, &shared}) {
        PageScan scan;
        ASSERT_EQ(scan.open(page_bytes()), 0);
        const uint64_t page = memory->address(0);
        uint32_t state = 0;
        scan.look({&page, 1}, {&state, 1});
        EXPECT_NE(state & uapi::kPageWpAllowed, 0u);
        EXPECT_NE(state & uapi::kPageWritten, 0u);
    }
    EXPECT_TRUE(anonymous.is_as_filled());
    EXPECT_TRUE(shared.is_as_filled());
    EXPECT_EQ(shared_withdraw(shared.range()), 0);
}

// The objects that a child inherits.
AccessChecker* inherited_checker;
std::vector<Sample>* inherited_samples;
const Memory* inherited_memory;

int child_uses_what_it_inherited() {
    AccessChecker& checker = *inherited_checker;
    std::vector<Sample>& samples = *inherited_samples;
    checker.look(samples);
    if (plain_answers(samples) != "????????") return 1;
    checker.arm(samples);
    inherited_memory->write(5);
    checker.look(samples);
    if (plain_answers(samples) != "????????") return 2;
    checker.refresh();
    checker.disarm();
    checker.stop();
    if (!inherited_memory->is_as_filled()) return 3;
    // One of its own works.
    AccessChecker own;
    if (!own.start(AccessCheck::kUffdWp, 100).ok()) return 4;
    own.arm(samples);
    inherited_memory->write(6);
    own.look(samples);
    own.stop();
    return plain_answers(samples) == "nnnnnnyn" ? 0 : 5;
}

class Fork : public EveryWay {};
INSTANTIATE_EVERY_WAY(Fork);

TEST_P(Fork, TheChildDoesNothingAndTheParentsMarksStay) {
    Checker checker(GetParam());
    if (!checker.works()) return;
    Memory memory(8);
    memory.fill();
    auto samples = memory.samples();
    checker->arm(samples);
    memory.write(1);
    auto for_child = samples;
    inherited_checker = &*checker;
    inherited_samples = &for_child;
    inherited_memory = &memory;
    EXPECT_EQ(in_child(child_uses_what_it_inherited), 0);
    checker->look(samples);
    EXPECT_EQ(plain_answers(samples), "nynnnnnn");
    checker->arm(samples);
    memory.write(2);
    checker->look(samples);
    EXPECT_EQ(plain_answers(samples), "nnynnnnn");
    EXPECT_TRUE(memory.is_as_filled());
}

int child_checks_declared_memory() {
    AccessChecker own;
    if (!own.start(AccessCheck::kZap, 100).ok()) return 1;
    std::vector<Sample> samples = inherited_memory->samples({0, 20, 40});
    own.arm(samples);
    inherited_memory->read(20);
    own.look(samples);
    own.stop();
    if (answers(samples) != "NYN") return 2;
    // The parent's pins are not of this process: withdrawing does not wait for them.
    return shared_withdraw(inherited_memory->range()) == 0 ? 0 : 3;
}

TEST(ForkOfSharedRanges, DeclarationsAreInheritedAndPinsAreNot) {
    Memory memory(64, Kind::kShared);
    memory.fill();
    ASSERT_EQ(shared_declare(memory.range()), 0);
    SharedPin pin;
    ASSERT_TRUE(pin.pin(memory.address(0)));
    inherited_memory = &memory;
    EXPECT_EQ(in_child(child_checks_declared_memory), 0);
    pin.unpin();
    EXPECT_EQ(shared_withdraw(memory.range()), 0);
    EXPECT_TRUE(memory.is_as_filled());
}

int killed_with_everything_armed() {
    AccessChecker checker;
    if (!checker.start(AccessCheck::kAuto, 100).ok()) return 1;
    std::vector<Sample> samples = inherited_memory->samples();
    checker.arm(samples);
    inherited_memory->write(3);
    raise(SIGKILL);
    return 2;
}

TEST(Kill, EndsCleanlyAndSharedMemoryKeepsItsContent) {
    Memory memory(64, Kind::kShared);
    memory.fill();
    ASSERT_EQ(shared_declare(memory.range()), 0);
    inherited_memory = &memory;
    for (int i = 0; i < 3; ++i) EXPECT_EQ(in_child(killed_with_everything_armed), 128 + SIGKILL);
    EXPECT_TRUE(memory.is_as_filled());
    EXPECT_EQ(shared_withdraw(memory.range()), 0);
}

int as_nobody() {
    if (setgid(65534) != 0 || setuid(65534) != 0) return 1;
    // As after an exec by that user; a process that changed its user may otherwise not open its own /proc files.
    prctl(PR_SET_DUMPABLE, 1);
    for (int32_t id = static_cast<int32_t>(AccessCheck::kUffdRwp); id <= static_cast<int32_t>(AccessCheck::kUffdWp);
         ++id) {
        const AccessCheckProbe probe = access_check_probe(id);
        if (probe.error == EOPNOTSUPP) continue;  // not for the want of a privilege: this kernel has no such thing
        AccessChecker checker;
        if (!checker.start(static_cast<AccessCheck>(id), 100).ok()) return 10 + id;
        const bool zap = id == static_cast<int32_t>(AccessCheck::kZap);
        Memory memory(64, zap ? Kind::kShared : Kind::kAnonymous);
        memory.fill();
        if (zap && shared_declare(memory.range()) != 0) return 20 + id;
        auto samples = memory.samples({0, 20, 40});
        checker.arm(samples);
        memory.write(20);
        checker.look(samples);
        if (plain_answers(samples) != "nyn") return 30 + id;
        // The kernel's own accesses resolve as well.
        int ends[2];
        checker.arm(samples);
        if (pipe(ends) != 0 || write(ends[1], "data", 4) != 4 || read(ends[0], memory.data(40), 4) != 4) return 40 + id;
        checker.look(samples);
        if (plain_answers(samples) != "nny") return 50 + id;
        checker.stop();
        if (zap && shared_withdraw(memory.range()) != 0) return 60 + id;
    }
    return 0;
}

TEST(Nobody, NeedsNoPrivilege) { EXPECT_EQ(in_child(as_nobody), 0); }

int nobody_who_may_not_read_its_own_maps() {
    if (setgid(65534) != 0 || setuid(65534) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0) return 1;
    AccessChecker checker;
    const Status status = checker.start(AccessCheck::kAuto, 100);
    return !status.ok() && status.error() == -EACCES ? 0 : 2;
}

TEST(Nobody, ProcessesThatHideTheirMapsAreRefusedWithTheReason) {
    EXPECT_EQ(in_child(nobody_who_may_not_read_its_own_maps), 0);
}

int watch_after_the_end_of_the_first_thread() {
    std::thread([] {
        // Of a process whose first thread has ended /proc/self shows nothing any more, or does not open.
        bool is_shown = true;
        for (int ms = 0; is_shown && ms < 60'000; ++ms, usleep(1000)) {
            char letter = 0;
            const int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
            is_shown = read(fd, &letter, 1) > 0;
            close(fd);
        }
        if (is_shown) _exit(4);
        Checker checker(AccessCheck::kUffdWp);
        if (!checker.works()) _exit(2);
        Memory memory(64);
        memory.fill();
        auto samples = memory.samples({0, 20, 40});
        checker->arm(samples);
        memory.write(20);
        checker->look(samples);
        _exit(plain_answers(samples) == "nyn" ? 0 : 3);
    }).detach();
    syscall(SYS_exit, 0);
    return 1;
}

TEST(FirstThread, MayHaveEndedBeforeTheStart) {
    if (thread_sanitized()) return declared_skip("sanitizer", "it knows no threads of a child");
    if (!Checker(AccessCheck::kUffdWp).works()) return;
    EXPECT_EQ(in_child(watch_after_the_end_of_the_first_thread), 0);
}

// Files of /proc that are a thread's cannot be read once it has ended; who comes later reads on.
TEST(Files, OfAThreadThatHasEndedAreOpenedAgainByWhoReadsOn) {
    Memory memory(2);
    memory.fill();
    struct Seen {
        AddressRange wanted;
        bool found = false;
    } seen{memory.range(), false};
    ProcMaps maps;
    SmapsFile smaps;
    std::thread([&] {
        EXPECT_EQ(maps.open(0), 0);
        EXPECT_EQ(smaps.open(), 0);
    }).join();
    uint64_t bad_lines = 0;
    const auto in_maps = [](void* context, const Mapping& mapping) {
        auto* wanted = static_cast<Seen*>(context);
        wanted->found |= mapping.range.covers(wanted->wanted);
    };
    EXPECT_EQ(maps.read_all(in_maps, &seen, bad_lines), 0);
    EXPECT_TRUE(seen.found);
    seen.found = false;
    const auto in_smaps = [](void* context, const SmapsEntry& entry) {
        auto* wanted = static_cast<Seen*>(context);
        wanted->found |= entry.range.covers(wanted->wanted);
    };
    int64_t got = 1;
    while (got > 0) std::thread([&] { got = smaps.read(SmapsFile::kLargeRead, in_smaps, &seen); }).join();
    EXPECT_EQ(got, 0);
    EXPECT_TRUE(seen.found);
}

TEST(Descriptors, AreAllCloseOnExec) {
    Checker checker(AccessCheck::kAuto);
    ASSERT_TRUE(checker.works());
    Memory memory(4);
    memory.fill();
    auto samples = memory.samples();
    checker->arm(samples);
    int ours = 0;
    DIR* open_files = opendir("/proc/self/fd");
    ASSERT_NE(open_files, nullptr);
    while (const dirent* entry = readdir(open_files)) {  // ours have high numbers
        const int fd = atoi(entry->d_name);
        if (fd < 3) continue;
        char path[64];
        char target[256] = {};
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        if (readlink(path, target, sizeof target - 1) <= 0) continue;
        const std::string name = target;
        if (name.find("userfaultfd") == name.npos && name.find("/pagemap") == name.npos &&
            name.find("/maps") == name.npos) {
            continue;
        }
        ++ours;
        EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0) << name;
    }
    closedir(open_files);
    EXPECT_GE(ours, 2);
    checker->stop();
}

}  // namespace
}  // namespace damon::test
