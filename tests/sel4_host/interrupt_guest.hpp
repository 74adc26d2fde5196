// SPDX-License-Identifier: BSD-2-Clause
//
// A guest of the tests of waiting: each of its vCPUs opens its interrupt controller, may arm its timer, executes WFI and records
// what it saw. One source of timeouts belongs to it.
#pragma once

#include <sel4_host/double/host.hpp>

#include <suite/guest.h>

#include <gtest/gtest.h>

#include <vector>

namespace sel4vm::sel4_double {

inline constexpr u64 kClientBadge = 0x10;
inline constexpr u64 kTimeoutBadge = 0x20;
inline constexpr int kSpi = 40;

/// A timer of the client's, as vm_options_t wants it: a device of the double's machine that signals.
class TestTimeouts {
public:
    explicit TestTimeouts(vm_host_t &host) : host_(host), kernel_(kernel_of(host)) {
        EXPECT_EQ(vm_host_make_signal(&host, kTimeoutBadge, &signal_), 0);
    }
    ~TestTimeouts() {
        drop();
        vm_host_free_signal(&host_, signal_);
    }
    TestTimeouts(const TestTimeouts &) = delete;
    TestTimeouts &operator=(const TestTimeouts &) = delete;

    [[nodiscard]] vm_timeout_source_t source() {
        return {[](void *cookie, uint64_t ticks) { return static_cast<TestTimeouts *>(cookie)->arm(ticks); },
                [](void *cookie) { static_cast<TestTimeouts *>(cookie)->cancel(); }, this, kTimeoutBadge};
    }

    std::vector<u64> armed; ///< for when, each time
    unsigned cancelled = 0;
    u64 early = 0; ///< the next notification comes so many ticks before its time

private:
    int arm(u64 ticks) {
        drop();
        armed.push_back(ticks);
        kernel_.timers.emplace(ticks - std::exchange(early, u64{0}), [this] { seL4_Signal(signal_); });
        return 0;
    }
    void cancel() {
        ++cancelled;
        drop();
    }
    void drop() { kernel_.timers.clear(); }

    vm_host_t &host_;
    Kernel &kernel_;
    seL4_CPtr signal_ = 0;
};

/// A host and a VM of one or two vCPUs.
class InterruptGuest {
public:
    enum class Timer : u8 { off, armed };

    InterruptGuest() {
        shared().options = {};
        EXPECT_EQ(vm_host_open(&host), 0);
        t.host = &host;
        t.failed = [](conformance_t *, const char *file, int line, const char *what) {
            ADD_FAILURE_AT(file, line) << what;
        };
    }
    ~InterruptGuest();
    InterruptGuest(const InterruptGuest &) = delete;
    InterruptGuest &operator=(const InterruptGuest &) = delete;

    /// Makes the VM, its vCPUs and its interrupt controller.
    void make(const vm_timeout_source_t *source, unsigned vcpus = 1);
    /// The vCPU's program, started: `ticks` until its timer fires.
    void start(unsigned vcpu, Timer timer, u64 ticks);
    /// To the power-off by vCPU 0.
    void run() { EXPECT_TRUE(guest_finish(&guest)); }

    // What vCPU `n` recorded.
    [[nodiscard]] u64 intid(unsigned n) { return guest_result(&guest, 4 * n); }
    [[nodiscard]] u64 deadline(unsigned n) { return guest_result(&guest, 4 * n + 1); }
    [[nodiscard]] u64 after_wait(unsigned n) { return guest_result(&guest, 4 * n + 2); }

    [[nodiscard]] Kernel &kernel() { return kernel_of(host); }

    vm_host_t host{};
    conformance_t t{};
    test_guest_t guest{};
    std::vector<vm_vcpu_t *> vcpus;

private:
    bool made_ = false;
};

} // namespace sel4vm::sel4_double
