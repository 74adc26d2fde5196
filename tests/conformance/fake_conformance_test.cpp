// SPDX-License-Identifier: BSD-2-Clause
//
// The conformance suite on the fake host, whose vCPUs execute its programs; and what only this host can do: refuse each
// request in turn.
#include <conformance/skipped.hpp>

#include <bindings/fake/host.hpp>
#include <suite/conformance.h>
#include <suite/guest.h>

#include <sel4vm/arch/vgic.h>
#include <sel4vm/guest_irq_controller.h>

#include <gtest/gtest.h>

namespace sel4vm::test {
namespace {

struct FakeConformance : conformance_t {
    FakeConformance() : conformance_t{} {
        EXPECT_EQ(vm_host_open(&environment), 0);
        host = &environment;
        abilities = CONFORMANCE_HAS_FRAMES | CONFORMANCE_HAS_SMP | CONFORMANCE_TRAPS_PMU;
        failed = [](conformance_t *, const char *file, int line, const char *what) {
            ADD_FAILURE_AT(file, line) << what;
        };
        live = [](conformance_t *t) { return fake::Host::of(*t->host).live(); };
        repetitions = 1000;
    }
    FakeConformance(const FakeConformance &) = delete;
    FakeConformance &operator=(const FakeConformance &) = delete;
    ~FakeConformance() { vm_host_close(&environment); }
    vm_host_t environment{};
};

class SuiteTest : public testing::Test {
public:
    explicit SuiteTest(const conformance_test_t &test) : test_(test) {}
    void TestBody() override {
        FakeConformance t;
        if (conformance_run(&t, &test_) == 0)
            conformance::say_skipped(t, test_);
    }

private:
    const conformance_test_t &test_;
};

const bool registered = [] {
    for (size_t i = 0; i < conformance_test_count; ++i) {
        const conformance_test_t &test = conformance_tests[i];
        testing::RegisterTest("Conformance", test.name, nullptr, nullptr, __FILE__, __LINE__,
                              [&test]() -> SuiteTest * { return new SuiteTest(test); });
    }
    return true;
}();

/// Everything that a client does, as far as it gets; refusals are no failures here, only leaks and crashes are.
void use_everything(vm_host_t &host) {
    fake::Host &fake = fake::Host::of(host);
    vka_object_t frames[2] = {};
    seL4_CPtr caps[2] = {};
    for (int i = 0; i < 2; ++i) {
        if (vka_alloc_frame(&host.vka, seL4_PageBits, &frames[i]) == 0)
            caps[i] = frames[i].cptr;
    }
    vm_t vm;
    vm_t other;
    if (vm_init(&vm, &host.vka, &host.simple, host.vspace, &host.io_ops, host.endpoint, "first") == 0) {
        const vm_options_t options{&vm, nullptr, nullptr, 0, true};
        if (vm_init_with_options(&other, &host.vka, &host.simple, host.vspace, &host.io_ops, host.endpoint, "second",
                                 &options) == 0) {
            vm_memory_reservation_t *later =
                vm_reserve_memory_at(&other, DEVICE, 0x2000, default_error_fault_callback, nullptr);
            static_cast<void>(later != nullptr && vm_map_reservation_frames(&other, later, caps, 2, seL4_PageBits));
            static_cast<void>(vm_ram_register_at(&other, RAM, 0x400000, false));
            EXPECT_EQ(vm_destroy(&other), 0);
        }
        vm_vcpu_t *vcpu = vm_create_vcpu(&vm, 1);
        static_cast<void>(vm_create_vcpu(&vm, 1));
        static_cast<void>(vm_create_default_irq_controller(&vm));
        const uint32_t code[] = {A64_LOAD(1U, DEVICE), A64_STR_W(A64_XZR, 1U, 0U), A64_POWER_OFF};
        if (vm_ram_register_at(&vm, RAM, RAM_SIZE, false) == 0) {
            EXPECT_EQ(vm_ram_touch(&vm, CODE, sizeof(code), vm_guest_ram_write_callback, const_cast<uint32_t *>(code)),
                      0);
        }
        static_cast<void>(vm_memory_make_anon(&vm, 0x20000000, 0x100000));
        static_cast<void>(vm_ram_register(&vm, 0x10000));
        vm_ram_mark_allocated(&vm, RAM + 0x1000, 0x1000);
        uintptr_t at = 0;
        vm_memory_reservation_t *anonymous =
            vm_reserve_anon_memory(&vm, 0x2000, 0, default_error_fault_callback, nullptr, &at);
        if (anonymous != nullptr) {
            static_cast<void>(vm_map_reservation_frames(&vm, anonymous, caps, 2, seL4_PageBits));
            EXPECT_EQ(vm_free_reserved_memory(&vm, anonymous), 0);
        }
        // A guest without memory must come back, too.
        EXPECT_EQ(vm_set_fault_policy(&vm, VM_FAULT_POLICY_RETURN), 0);
        if (vcpu != nullptr) {
            static_cast<void>(vm_assign_vcpu_target(vcpu, 1));
            static_cast<void>(vm_register_irq(vcpu, 40, nullptr, nullptr));
            static_cast<void>(vm_register_irq(vcpu, 41, nullptr, nullptr));
            EXPECT_EQ(vm_set_thread_context_reg(vcpu, 0, CODE), 0);
            if (vcpu_start(vcpu) == 0)
                static_cast<void>(vm_run(&vm));
        }
        EXPECT_EQ(vm_destroy(&vm), 0);
    }
    for (int i = 0; i < 2; ++i) {
        if (caps[i] != seL4_CapNull)
            vka_free_object(&host.vka, &frames[i]);
    }
    fake.refuse_at(0);
}

TEST(Refusals, NothingLeaksWhicheverRequestTheHostRefuses) {
    vm_host_t host{};
    ASSERT_EQ(vm_host_open(&host), 0);
    fake::Host &fake = fake::Host::of(host);
    const usize live = fake.live();
    use_everything(host);
    ASSERT_EQ(fake.live(), live);
    const usize before = fake.requests();
    use_everything(host);
    const usize requests = fake.requests() - before;
    EXPECT_GT(requests, 40U);
    for (usize n = 1; n <= requests; ++n) {
        fake.refuse_at(n);
        fake::shared_log().lines.clear();
        use_everything(host);
        ASSERT_EQ(fake.live(), live) << "after request " << n << " was refused";
    }
    vm_host_close(&host);
}

TEST(Refusals, AWrongCallWritesOneLine) {
    fake::shared_log().lines.clear();
    EXPECT_EQ(vm_run(nullptr), -1);
    EXPECT_EQ(fake::shared_log().lines.size(), 1U);
    EXPECT_EQ(fake::shared_log().lines[0].text, "vm_run: vm is NULL");
    // By the name that the client called, though they are one.
    EXPECT_EQ(vm_install_vgic_with(nullptr, nullptr), -1);
    EXPECT_EQ(vm_install_vgic(nullptr), -1);
    EXPECT_EQ(vm_create_default_irq_controller(nullptr), -1);
    ASSERT_EQ(fake::shared_log().lines.size(), 4U);
    EXPECT_EQ(fake::shared_log().lines[1].text, "vm_install_vgic_with: vm is NULL");
    EXPECT_EQ(fake::shared_log().lines[2].text, "vm_install_vgic: vm is NULL");
    EXPECT_EQ(fake::shared_log().lines[3].text, "vm_create_default_irq_controller: vm is NULL");
}

int remember(vm_t *, seL4_Word badge, seL4_MessageInfo_t tag, void *cookie) {
    auto *seen = static_cast<std::pair<u64, u64> *>(cookie);
    *seen = {badge, seL4_MessageInfo_get_label(tag)};
    return -1;
}

TEST(Refusals, AMessageOnTheEndpointBringsItsTag) {
    FakeConformance t;
    vm_t vm;
    std::pair<u64, u64> seen;
    ASSERT_EQ(guest_init_vm(&t, &vm, nullptr), 0);
    ASSERT_EQ(vm_register_notification_callback(&vm, remember, &seen), 0);
    fake::Host::of(t.environment).send(0x99, seL4_MessageInfo_new(7, 0, 0, 2).words[0]);
    EXPECT_EQ(vm_run(&vm), -1);
    EXPECT_EQ(seen, (std::pair<u64, u64>{0x99, 7}));
    EXPECT_EQ(vm_destroy(&vm), 0);
}

struct CountingLock {
    int held = 0;
    int taken = 0;
};

TEST(Refusals, TheClientsLockIsHeldInPairsWhileObjectsAreMade) {
    FakeConformance t;
    CountingLock counts;
    const vm_lock_t lock{[](void *cookie) {
                             auto *count = static_cast<CountingLock *>(cookie);
                             EXPECT_EQ(count->held++, 0);
                             ++count->taken;
                         },
                         [](void *cookie) { --static_cast<CountingLock *>(cookie)->held; }, &counts};
    const vm_options_t options{nullptr, &lock, nullptr, 0, false};
    vm_t vm;
    ASSERT_EQ(guest_init_vm(&t, &vm, &options), 0);
    EXPECT_NE(vm_create_vcpu(&vm, 1), nullptr);
    EXPECT_EQ(vm_ram_register_at(&vm, RAM, 0x1000, false), 0);
    EXPECT_EQ(vm_destroy(&vm), 0);
    EXPECT_EQ(counts.taken, 4);
    EXPECT_EQ(counts.held, 0);
}

} // namespace
} // namespace sel4vm::test
