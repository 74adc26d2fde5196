// SPDX-License-Identifier: BSD-2-Clause
//
// What the C interface says about a wrong argument: which one it is, its value, and the limit that it breaks. On the fake host, whose log can be
// read; that the calls fail is tested on every host (suite/misuse_tests.c).
#include <bindings/fake/host.hpp>
#include <hosts/fake/host_base.hpp>
#include <suite/guest.h>

#include <gtest/gtest.h>

#include <string>

namespace sel4vm::test {
namespace {

memory_fault_result_t never(vm_t *, vm_vcpu_t *, uintptr_t, size_t, void *) { return FAULT_ERROR; }
int no_touch(vm_t *, uintptr_t, void *, size_t, size_t, void *) { return 0; }

class CMessages : public testing::Test {
protected:
    CMessages() {
        EXPECT_EQ(vm_host_open(&host_), 0);
        EXPECT_EQ(init(host_.endpoint), 0);
        vcpu_ = vm_create_vcpu(&vm_, host_.priority);
        EXPECT_EQ(vm_ram_register_at(&vm_, RAM, RAM_SIZE, false), 0);
    }
    ~CMessages() override {
        vm_destroy(&vm_);
        vm_host_close(&host_);
    }
    int init(seL4_CPtr endpoint, vm_t *vm = nullptr) {
        return vm_init(vm == nullptr ? &vm_ : vm, &host_.vka, &host_.simple, host_.vspace, &host_.io_ops, endpoint,
                       "test");
    }
    /// The last line of the log.
    static std::string said() {
        const auto &lines = fake::shared_log().lines;
        return lines.empty() ? std::string() : lines.back().text;
    }
    std::string reserve(size_t size, size_t align, memory_fault_callback_fn callback, uintptr_t *addr) {
        EXPECT_EQ(vm_reserve_anon_memory(&vm_, size, align, callback, nullptr, addr), nullptr);
        return said();
    }
    std::string touch(uintptr_t addr, size_t size, ram_touch_callback_fn callback = no_touch) {
        EXPECT_EQ(vm_ram_touch(&vm_, addr, size, callback, nullptr), -1);
        return said();
    }

    vm_host_t host_{};
    vm_t vm_{};
    vm_vcpu_t *vcpu_ = nullptr;
};

TEST_F(CMessages, OfAnonymousReservations) {
    uintptr_t addr = 0;
    EXPECT_EQ(reserve(0x1000, 0, never, &addr),
              "vm_reserve_anon_memory: there is no anonymous range; vm_memory_make_anon() makes one");
    EXPECT_EQ(vm_memory_make_anon(&vm_, 0x8000'0000, 0x10'0000), 0);
    EXPECT_EQ(reserve(0x1000, 0, never, nullptr), "vm_reserve_anon_memory: addr is NULL, where the place is told");
    EXPECT_EQ(reserve(0x1000, 0, nullptr, &addr), "vm_reserve_anon_memory: fault_callback is NULL");
    EXPECT_EQ(reserve(0, 0, never, &addr), "vm_reserve_anon_memory: the size is 0");
    EXPECT_EQ(reserve(0x1000, 0x3000, never, &addr),
              "vm_reserve_anon_memory: align is 0x3000, which is no power of two");
    EXPECT_EQ(reserve(0x20'0000, 0x1'0000, never, &addr),
              "vm_reserve_anon_memory: no anonymous range has 0x200000 free bytes at a multiple of 0x10000");
}

TEST_F(CMessages, OfReservations) {
    EXPECT_EQ(vm_reserve_memory_at(&vm_, DEVICE, 0x1000, nullptr, nullptr), nullptr);
    EXPECT_EQ(said(), "vm_reserve_memory_at: fault_callback is NULL");
    EXPECT_EQ(vm_reserve_memory_at(&vm_, DEVICE, 0, never, nullptr), nullptr);
    EXPECT_EQ(said(), "vm_reserve_memory_at: the size is 0");
    EXPECT_EQ(vm_reserve_memory_at(&vm_, ~uintptr_t{0xfff}, 0x2000, never, nullptr), nullptr);
    EXPECT_EQ(said(), "vm_reserve_memory_at: 0x2000 bytes from 0xfffffffffffff000 on go beyond the last address");
    EXPECT_EQ(vm_memory_make_anon(&vm_, DEVICE, 0), -1);
    EXPECT_EQ(said(), "vm_memory_make_anon: the size is 0");
    EXPECT_EQ(vm_map_reservation(&vm_, nullptr, nullptr, nullptr), -1);
    EXPECT_EQ(said(), "vm_map_reservation: map_iterator is NULL");
}

TEST_F(CMessages, OfTouchedRam) {
    EXPECT_EQ(touch(RAM, 8, nullptr), "vm_ram_touch: touch_callback is NULL");
    EXPECT_EQ(touch(DEVICE, 8), "vm_ram_touch: 0x10000000 is no RAM");
    EXPECT_EQ(touch(RAM + RAM_SIZE - 0x1000, 0x1001),
              "vm_ram_touch: 0x40200000 is no RAM, and is among the 0x1001 bytes from 0x401ff000 on");
    EXPECT_EQ(touch(RAM, ~size_t{0}),
              "vm_ram_touch: 0x40200000 is no RAM, and is among the 0xffffffffffffffff bytes from 0x40000000 on");
}

TEST_F(CMessages, OfRam) {
    EXPECT_EQ(vm_ram_register_at(&vm_, 0x5000'0800, 0x1000, false), -1);
    EXPECT_EQ(said(), "vm_ram_register_at: the start 0x50000800 is no multiple of 0x1000");
    EXPECT_EQ(vm_ram_register_at(&vm_, 0x5000'0000, 0, false), -1);
    EXPECT_EQ(said(), "vm_ram_register_at: the size is 0");
    EXPECT_EQ(vm_ram_allocate(&vm_, 0x4000'0000), 0u);
    EXPECT_EQ(said(), "vm_ram_allocate: no free region has 0x40000000 bytes");
    vm_ram_free(&vm_, RAM, 0);
    EXPECT_EQ(said(), "vm_ram_free: the size is 0");
}

TEST_F(CMessages, OfRegisters) {
    uintptr_t value = 0;
    EXPECT_EQ(vm_get_thread_context_reg(vcpu_, 36, &value), -1);
    EXPECT_EQ(said(), "vm_get_thread_context_reg: there is no register 36; the last is 35");
    EXPECT_EQ(vm_get_thread_context_reg(vcpu_, 0, nullptr), -1);
    EXPECT_EQ(said(), "vm_get_thread_context_reg: value is NULL");
    EXPECT_EQ(vm_serve_smc(vcpu_, nullptr), -1);
    EXPECT_EQ(said(), "vm_serve_smc: regs is NULL");
}

TEST_F(CMessages, OfNewVms) {
    vm_t other;
    EXPECT_EQ(init(seL4_CapNull, &other), -1);
    EXPECT_EQ(said(), "vm_init: host_endpoint is 0, which is no capability");
    EXPECT_EQ(init(0x777, &other), -1);
    EXPECT_EQ(said(), "vm_init: host_endpoint is no endpoint of this host: 0x777");
    EXPECT_EQ(vm_init(&other, nullptr, &host_.simple, host_.vspace, &host_.io_ops, host_.endpoint, "test"), -1);
    EXPECT_EQ(said(), "vm_init: vka is NULL");
    EXPECT_EQ(vm_init(&other, &host_.vka, &host_.simple, host_.vspace, nullptr, host_.endpoint, "test"), -1);
    EXPECT_EQ(said(), "vm_init: io_ops is NULL");
    EXPECT_EQ(vm_init(&other, &host_.vka, &host_.simple, host_.vspace, &host_.io_ops, host_.endpoint, nullptr), -1);
    EXPECT_EQ(said(), "vm_init: name is NULL");
}

} // namespace
} // namespace sel4vm::test
