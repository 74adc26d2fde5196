// SPDX-License-Identifier: BSD-2-Clause
//
// Badges that the client chose for its vCPUs, beside signals and other VMs on the same endpoint.
#include <sel4_host/double/host.hpp>

#include <suite/guest.h>

#include <gtest/gtest.h>

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

} // namespace
} // namespace sel4vm::sel4_double
