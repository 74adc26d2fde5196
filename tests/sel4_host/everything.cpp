// SPDX-License-Identifier: BSD-2-Clause
#include <sel4_host/everything.hpp>

#include <sel4_host/double/vcpu.hpp>

#include <suite/guest.h>

#include <sel4vmmplatsupport/arch/ac_device.h>
#include <sel4vmmplatsupport/arch/service.h>
#include <sel4vmmplatsupport/arch/smc.h>
#include <sel4vmmplatsupport/device_utils.h>
#include <sel4vmmplatsupport/guest_image.h>
#include <sel4vmmplatsupport/guest_memory_util.h>
#include <sel4vmmplatsupport/guest_vcpu_util.h>

#include <algorithm>

#include <gtest/gtest.h>

namespace sel4vm::sel4_double {

namespace {

constexpr u64 kOneToOne = 0x1'0000'0000;          // also a physical address of RAM
constexpr u64 kDeviceOfEnvironment = 0x0c10'0000; // its frame is handed out by simple
constexpr u64 kDevices = 0x0c00'0000;             // made of device memory
constexpr unsigned kFrames = 4;

memory_fault_result_t ignore(vm_t *, vm_vcpu_t *, uintptr_t, size_t, void *) { return FAULT_IGNORE; }

/// The page provider of frames [0, kFrames) for addresses that begin at a multiple of their size together.
vm_frame_t next_frame(uintptr_t at, void *cookie) {
    const auto *const frames = static_cast<const seL4_CPtr *>(cookie);
    const uintptr_t index = at / 0x1000 % kFrames;
    return {frames[index], seL4_AllRights, at & ~uintptr_t{0xfff}, seL4_PageBits};
}

/// The guest's SMCs go to the firmware where that is possible.
int forward(vm_vcpu_t *vcpu, seL4_UserContext *registers) {
    if (registers->x0 == 0xc300'0001)
        static_cast<void>(smc_forward(vcpu, registers, static_cast<seL4_ARM_SMC>(registers->x1)));
    return vm_serve_smc(vcpu, registers);
}

} // namespace

EverythingHost::EverythingHost() {
    EXPECT_EQ(vm_host_open(&host), 0);
    environment().add_device_frame(kDeviceOfEnvironment);
    smc_ = kernel().give(Capability(*new Smc));
}

void EverythingHost::use_memory(vm_t &vm, const seL4_CPtr *frames) {
    seL4_CPtr caps[kFrames];
    std::copy_n(frames, kFrames, caps);
    static_cast<void>(vm_ram_register_at(&vm, RAM + 2 * RAM_SIZE, 0x3000, false));
    static_cast<void>(vm_ram_register_at(&vm, kOneToOne, 0x2000, true));
    static_cast<void>(vm_memory_make_anon(&vm, 0x2000'0000, 0x10'0000));
    static_cast<void>(vm_ram_register(&vm, 0x10000));
    vm_memory_reservation_t *const mapped = vm_reserve_memory_at(&vm, 0x3000'0000, 0x2000, ignore, nullptr);
    static_cast<void>(mapped != nullptr && vm_map_reservation_frames(&vm, mapped, caps, 2, seL4_PageBits));
    uintptr_t at = 0;
    vm_memory_reservation_t *const anonymous = vm_reserve_anon_memory(&vm, 0x2000, 0, ignore, nullptr, &at);
    if (anonymous != nullptr) {
        static_cast<void>(vm_map_reservation(&vm, anonymous, next_frame, caps));
        EXPECT_EQ(vm_free_reserved_memory(&vm, anonymous), 0);
    }
    static_cast<void>(vm_ram_register_at_custom_iterator(&vm, 0x7000'0000, kFrames * 0x1000, next_frame, caps));
}

void EverythingHost::use_platform_support(vm_t &vm) {
    u32 mask = 1;
    guest_kernel_image_t image;
    const device first{"first", kDeviceOfEnvironment, 0x1000, nullptr, nullptr};
    const device second{"second", kDevices, 0x1000, nullptr, nullptr};
    const device third{"third", kDevices + 0x1000, 0x1000, nullptr, nullptr};
    const device memory{"memory", 0x5000'0000, 0x2000, nullptr, nullptr};
    static_cast<void>(vm_load_guest_kernel(&vm, "/dev/null", RAM, 0, &image));
    static_cast<void>(vm_install_passthrough_device(&vm, &first));
    static_cast<void>(vm_install_listening_device(&vm, &second));
    static_cast<void>(vm_install_generic_ac_device(&vm, &third, &mask, 4, VACDEV_MASK_ONLY));
    static_cast<void>(vm_install_ram_only_device(&vm, &memory));
    static_cast<void>(create_allocated_reservation_frame(&vm, 0x5100'0000, seL4_AllRights, ignore, nullptr));
    static_cast<void>(create_device_reservation_frame(&vm, kDevices + 0x2000, seL4_AllRights, ignore, nullptr));
    static_cast<void>(vmm_install_service(&vm, host.endpoint, VM_CSPACE_SLOT + 1, 7));
}

// A read of what is not there, a firmware call, and off.
void EverythingHost::run_twice(vm_t &vm, vm_vcpu_t &vcpu) {
    const uint32_t code[] = {A64_LOAD(1U, DEVICE), A64_STR_W(A64_XZR, 1U, 0U), A64_LOAD(1U, static_cast<u32>(smc_)),
                             A64_CALL(0xc300'0001U), A64_POWER_OFF};
    if (vm_ram_register_at(&vm, RAM, RAM_SIZE, false) != 0)
        return;
    EXPECT_EQ(vm_ram_touch(&vm, CODE, sizeof code, vm_guest_ram_write_callback, const_cast<uint32_t *>(code)), 0);
    static_cast<void>(vm_register_smc_handler_callback(&vm, forward));
    for (int round = 0; round < 2; ++round) {
        EXPECT_EQ(vm_set_thread_context_reg(&vcpu, 0, CODE), 0);
        if (vcpu_start(&vcpu) != 0)
            return;
        while (vm_run(&vm) != 0 && vm.run.exit_reason == VM_GUEST_MMIO_EXIT)
            advance_vcpu_fault(&vcpu);
    }
}

void EverythingHost::use_everything() {
    vka_object_t objects[kFrames] = {};
    seL4_CPtr frames[kFrames] = {};
    for (unsigned i = 0; i < kFrames; ++i) {
        if (vka_alloc_frame(&host.vka, seL4_PageBits, &objects[i]) == 0)
            frames[i] = objects[i].cptr;
    }
    vm_t vm;
    vm_t other;
    if (vm_init(&vm, &host.vka, &host.simple, host.vspace, &host.io_ops, host.endpoint, "first") == 0) {
        vm_options_t options{};
        options.peer = &vm;
        options.defer_memory_map = true;
        if (vm_init_with_options(&other, &host.vka, &host.simple, host.vspace, &host.io_ops, host.endpoint, "second",
                                 &options) == 0) {
            use_memory(other, frames);
            static_cast<void>(create_vmm_plat_vcpu(&other, 1));
            static_cast<void>(vm_create_default_irq_controller(&other));
            EXPECT_EQ(vm_destroy(&other), 0);
        }
        static_cast<void>(vm_set_fault_policy(&vm, VM_FAULT_POLICY_RETURN));
        vm_vcpu_t *const vcpu = vm_create_vcpu(&vm, 1);
        static_cast<void>(vm_create_vcpu(&vm, 1));
        static_cast<void>(vm_create_default_irq_controller(&vm));
        use_memory(vm, frames);
        use_platform_support(vm);
        if (vcpu != nullptr) {
            static_cast<void>(vm_assign_vcpu_target(vcpu, 1));
            static_cast<void>(vm_register_irq(vcpu, 40, nullptr, nullptr));
            run_twice(vm, *vcpu);
        }
        EXPECT_EQ(vm_destroy(&vm), 0);
    }
    for (vka_object_t &object : objects) {
        if (object.cptr != seL4_CapNull)
            vka_free_object(&host.vka, &object);
    }
}

} // namespace sel4vm::sel4_double
