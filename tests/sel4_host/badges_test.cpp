// SPDX-License-Identifier: BSD-2-Clause
//
// Badges that the client chose for its vCPUs, beside signals and other VMs on the same endpoint.
#include <sel4_host/double/host.hpp>

#include <suite/guest.h>

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace sel4vm::sel4_double {
namespace {

constexpr u32 kPowerOff[] = {A64_POWER_OFF};

TEST(Sel4Badges, TheClientMayChooseThem) {
    shared() = {};
    vm_host_t host{};
    ASSERT_EQ(vm_host_open(&host), 0);
    conformance_t t{};
    t.host = &host;
    t.failed = [](conformance_t *, const char *file, int line, const char *what) {
        ADD_FAILURE_AT(file, line) << what;
    };
    seL4_CPtr signal = 0;
    ASSERT_EQ(vm_host_make_signal(&host, 0x1'0000, &signal), 0);
    vm_options_t options{};
    options.first_badge = 0x100;
    test_guest_t first;
    ASSERT_TRUE(guest_make(&first, &t, &options));
    vm_options_t beside{};
    beside.peer = &first.vm;
    test_guest_t second;
    ASSERT_TRUE(guest_make(&second, &t, &beside));
    u64 heard = 0;
    const auto hear = [](vm_t *, seL4_Word badge, seL4_MessageInfo_t, void *cookie) {
        *static_cast<u64 *>(cookie) |= badge;
        return 0;
    };
    for (test_guest_t *guest : {&first, &second}) {
        ASSERT_EQ(vm_register_notification_callback(&guest->vm, hear, &heard), 0);
        guest_load(guest, CODE, kPowerOff, std::size(kPowerOff));
        ASSERT_TRUE(guest_begin(guest));
    }
    seL4_Signal(signal);
    EXPECT_TRUE(guest_finish(&first));
    EXPECT_TRUE(guest_finish(&second));
    EXPECT_EQ(heard, 0x1'0000U);
    guest_destroy(&second);
    guest_destroy(&first);
    vm_host_free_signal(&host, signal);
    EXPECT_EQ(kernel_of(host).violation, "");
    vm_host_close(&host);
    EXPECT_EQ(shared().left, 0U);
}

/// What vm_init_with_options() says to these options, and its VM's first vCPU after it; what was printed comes along.
std::string refusal_of(vm_host_t &host, const vm_options_t &options) {
    testing::internal::CaptureStdout();
    vm_t vm{};
    const int made =
        vm_init_with_options(&vm, &host.vka, &host.simple, host.vspace, &host.io_ops, host.endpoint, "guest", &options);
    const vm_vcpu_t *const vcpu = made == 0 ? vm_create_vcpu(&vm, host.priority) : nullptr;
    EXPECT_EQ(vcpu, nullptr);
    if (made == 0)
        vm_destroy(&vm);
    std::fflush(stdout);
    return testing::internal::GetCapturedStdout();
}

TEST(Sel4Badges, WhatSomebodyHasIsRefusedAndTheMessageSaysWho) {
    shared() = {};
    vm_host_t host{};
    ASSERT_EQ(vm_host_open(&host), 0);
    vm_timeout_source_t timeouts{[](void *, uint64_t) { return 0; }, [](void *) {}, nullptr, 0x20};
    vm_options_t options{};
    options.timeout_source = &timeouts;
    options.first_badge = 0x21;
    EXPECT_NE(
        refusal_of(host, options).find("badge 0x21, chosen for vCPU 0, has a bit of what the source of timeouts has"),
        std::string::npos);
    options.first_badge = u64{1} << 63;
    EXPECT_NE(refusal_of(host, options).find("chosen for vCPU 0, has a bit of what the endpoint has"),
              std::string::npos);
    options.first_badge = 0;
    timeouts.badge = u64{1} << 63;
    EXPECT_NE(refusal_of(host, options)
                  .find("the badge of the source of timeouts, 0x8000000000000000, has a bit of what the endpoint has"),
              std::string::npos);
    timeouts.badge = 0;
    EXPECT_NE(refusal_of(host, options).find("the badge of the source of timeouts, 0x0, has no bit"),
              std::string::npos);
    EXPECT_EQ(kernel_of(host).violation, "");
    vm_host_close(&host);
    EXPECT_EQ(shared().left, 0U);
}

} // namespace
} // namespace sel4vm::sel4_double
