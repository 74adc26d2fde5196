// SPDX-License-Identifier: BSD-2-Clause
//
// An interrupt that a client injects in its notification callback is one system call, made there and then: the guest is neither
// stopped nor kicked for it.
#include <sel4_host/double/host.hpp>

#include <suite/irq_guest.h>

#include <gtest/gtest.h>

namespace sel4vm::sel4_double {
namespace {

constexpr seL4_Word kBadge = 0x10;
constexpr u32 kReady = 16;

// Says so in result 1, which the guest waits for.
#define TELL A64_LOAD(11U, 1U), A64_STR_X(11U, 2U, 1U)
HANDLERS(count_irq, A64_NOP, TELL);
FOR_BOTH(say_ready_and_spin, A64_UNMASK_IRQ, A64_STR_W(A64_XZR, 1U, kReady / 4), A64_LDR_X(4U, 2U, 1U), A64_CBZ(4U, -1),
         A64_POWER_OFF);

struct Client {
    vm_host_t host{};
    conformance_t t{};
    test_guest_t guest{};
    seL4_CPtr signal = 0;
    unsigned calls = 0; ///< that an injection took
};

memory_fault_result_t on_access(vm_t *, vm_vcpu_t *vcpu, uintptr_t, size_t, void *cookie) {
    seL4_Signal(static_cast<Client *>(cookie)->signal);
    advance_vcpu_fault(vcpu);
    return FAULT_HANDLED;
}

int forward(vm_t *, seL4_Word, seL4_MessageInfo_t, void *cookie) {
    auto &client = *static_cast<Client *>(cookie);
    const unsigned before = kernel_of(client.host).calls;
    EXPECT_EQ(vm_inject_irq(client.guest.vcpu, SPI), 0);
    client.calls = kernel_of(client.host).calls - before;
    return 0;
}

TEST(Sel4Forwarding, AnInterruptIsOneCallInsideTheCallback) {
    shared() = {};
    Client client;
    ASSERT_EQ(vm_host_open(&client.host), 0);
    client.t.host = &client.host;
    client.t.failed = [](conformance_t *, const char *file, int line, const char *what) {
        ADD_FAILURE_AT(file, line) << what;
    };
    test_guest_t &guest = client.guest;
    ASSERT_TRUE(guest_make(&guest, &client.t, nullptr));
    ASSERT_EQ(vm_create_default_irq_controller(&guest.vm), 0);
    vm_vgic_config_t config{};
    ASSERT_EQ(vm_get_vgic(&guest.vm, &config), 0);
    guest.seen[5] = config.version;
    LOAD_VERSION(&guest, CODE, say_ready_and_spin);
    LOAD_VERSION(&guest, VECTORS + 0x280, count_irq);
    seL4_UserContext context{};
    context.pc = CODE;
    context.x1 = DEVICE;
    context.x26 = config.distributor;
    context.x27 = config.version == 2 ? config.cpu_interface : config.redistributor;
    ASSERT_EQ(vm_set_thread_context(guest.vcpu, context), 0);
    ASSERT_EQ(vm_host_make_signal(&client.host, kBadge, &client.signal), 0);
    ASSERT_NE(vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, on_access, &client), nullptr);
    ASSERT_EQ(vm_register_notification_callback(&guest.vm, forward, &client), 0);
    ASSERT_EQ(vm_register_irq(guest.vcpu, SPI, nullptr, nullptr), 0);
    ASSERT_EQ(vcpu_start(guest.vcpu), 0);
    EXPECT_TRUE(guest_finish(&guest));
    EXPECT_EQ(client.calls, 1U);
    guest_destroy(&guest);
    vm_host_free_signal(&client.host, client.signal);
    EXPECT_EQ(kernel_of(client.host).violation, "");
    vm_host_close(&client.host);
    EXPECT_EQ(shared().left, 0U);
}

} // namespace
} // namespace sel4vm::sel4_double
