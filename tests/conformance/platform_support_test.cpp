// SPDX-License-Identifier: BSD-2-Clause
//
// libsel4vmmplatsupport on the fake host, but for images (platform_images_test.cpp): memory, devices, vCPUs, and what a refused request
// leaves behind.
#include <platform_support/platform_tests.h>
#include <platform_support_fixture.hpp>

#include <sel4vm/arch/processor.h>
#include <sel4vm/sel4_arch/processor.h>
#include <sel4vmmplatsupport/arch/ac_device.h>
#include <sel4vmmplatsupport/arch/generic_forward_device.h>
#include <sel4vmmplatsupport/arch/guest_boot_init.h>
#include <sel4vmmplatsupport/arch/guest_reboot.h>
#include <sel4vmmplatsupport/arch/guest_vcpu_fault.h>
#include <sel4vmmplatsupport/arch/irq_defs.h>
#include <sel4vmmplatsupport/arch/service.h>
#include <sel4vmmplatsupport/arch/smc.h>
#include <sel4vmmplatsupport/guest_memory_util.h>
#include <sel4vmmplatsupport/guest_vcpu_util.h>

namespace sel4vm::test {
namespace {

// ---------------------------------------------------------------- What every host must do

TEST(PlatformSupportOnAnyHost, PassesOnTheFakeOne) {
    for (size_t i = 0; i < platform_support_test_count; ++i) {
        SCOPED_TRACE(platform_support_tests[i].name);
        vm_host_t host;
        ASSERT_EQ(vm_host_open(&host), 0);
        conformance_t t{};
        t.host = &host;
        t.failed = [](conformance_t *, const char *file, int line, const char *what) {
            ADD_FAILURE_AT(file, line) << what;
        };
        t.live = [](conformance_t *c) { return fake::Host::of(*c->host).live(); };
        conformance_run(&t, &platform_support_tests[i]);
        vm_host_close(&host);
    }
}

// ---------------------------------------------------------------- Memory and devices

memory_fault_result_t count_and_ignore(vm_t *, vm_vcpu_t *, uintptr_t, size_t, void *cookie) {
    ++*static_cast<unsigned *>(cookie);
    return FAULT_IGNORE;
}

TEST_F(PlatformSupport, FreshPagesBehindAReservationAreMemory) {
    unsigned faults = 0;
    vm_memory_reservation_t *range = vm_reserve_memory_at(vm(), DEVICE, 0x3000, count_and_ignore, &faults);
    ASSERT_EQ(map_frame_alloc_reservation(vm(), range), 0);
    run({A64_LOAD(3u, 0x1234u), A64_STR_X(3u, 1u, 1024u), A64_LDR_X(4u, 1u, 1024u), A64_STR_X(4u, 2u, 0u)});
    EXPECT_EQ(result(0), 0x1234U);
    EXPECT_EQ(faults, 0U);
    EXPECT_EQ(map_frame_alloc_reservation(vm(), range), -1) << "it is mapped already";
    EXPECT_EQ(map_frame_alloc_reservation(vm(), nullptr), -1);
}

TEST_F(PlatformSupport, ASharedPageIsTheVmmsAndTheGuests) {
    unsigned faults = 0;
    void *page = create_allocated_reservation_frame(vm(), DEVICE, seL4_AllRights, count_and_ignore, &faults);
    ASSERT_NE(page, nullptr);
    auto *words = static_cast<volatile u64 *>(page);
    words[0] = 0x77;
    run({A64_LDR_X(3u, 1u, 0u), A64_STR_X(3u, 1u, 1u)});
    EXPECT_EQ(words[1], 0x77U);
    EXPECT_EQ(faults, 0U);
    EXPECT_EQ(create_allocated_reservation_frame(vm(), DEVICE, seL4_AllRights, count_and_ignore, &faults), nullptr)
        << "the range is taken";
    EXPECT_EQ(create_allocated_reservation_frame(vm(), DEVICE + 0x1004, seL4_AllRights, count_and_ignore, &faults),
              nullptr);
}

TEST_F(PlatformSupport, WritesToAReadOnlySharedPageGoToTheCallback) {
    unsigned faults = 0;
    void *page = create_allocated_reservation_frame(vm(), DEVICE, seL4_CanRead, count_and_ignore, &faults);
    ASSERT_NE(page, nullptr);
    *static_cast<volatile u64 *>(page) = 5;
    run({A64_LDR_X(3u, 1u, 0u), A64_STR_X(3u, 2u, 0u), A64_STR_X(3u, 1u, 8u)});
    EXPECT_EQ(result(0), 5U);
    EXPECT_EQ(faults, 1U);
}

TEST_F(PlatformSupport, APassedThroughDeviceIsTheDevice) {
    volatile u8 *registers = fake().add_device(DEVICE, 1);
    registers[16] = 9;
    const device description = device_at(DEVICE, 0x1000);
    ASSERT_EQ(vm_install_passthrough_device(vm(), &description), 0);
    run({A64_LDRB(3u, 1u, 16u), A64_STR_X(3u, 2u, 0u), A64_STRB(3u, 1u, 17u)});
    EXPECT_EQ(result(0), 9U);
    EXPECT_EQ(registers[17], 9);
    const device elsewhere = device_at(DEVICE + 0x100000, 0x1000);
    EXPECT_EQ(vm_install_passthrough_device(vm(), &elsewhere), -1) << "there is no such device";
    EXPECT_NE(vm_reserve_memory_at(vm(), elsewhere.pstart, 0x1000, count_and_ignore, nullptr), nullptr)
        << "nothing was left behind";
    EXPECT_EQ(vm_install_passthrough_device(vm(), nullptr), -1);
}

TEST_F(PlatformSupport, PagesOfDevicesAndMemoryMayBeMixed) {
    volatile u8 *registers = fake().add_device(DEVICE + 0x1000, 1);
    registers[0] = 3;
    unsigned faults = 0;
    vm_memory_reservation_t *range = vm_reserve_memory_at(vm(), DEVICE, 0x3000, count_and_ignore, &faults);
    ASSERT_EQ(map_maybe_device_reservation(vm(), range), 0);
    run({A64_STR_X(1u, 1u, 0u), A64_LDR_X(3u, 1u, 0u), A64_STR_X(3u, 2u, 0u), A64_LDRB(3u, 1u, 0x1000u - 1u),
         A64_ADD(1u, 1u, 0xfffu), A64_LDRB(4u, 1u, 1u), A64_STR_X(4u, 2u, 1u)});
    EXPECT_EQ(result(0), DEVICE);
    EXPECT_EQ(result(1), 3U);
    EXPECT_EQ(faults, 0U);
}

TEST_F(PlatformSupport, AListenedDeviceIsReachedInTheAccesssOwnWidth) {
    volatile u8 *registers = fake().add_device(DEVICE, 1);
    registers[5] = 0x66;
    const device description = device_at(DEVICE, 0x1000);
    ASSERT_EQ(vm_install_listening_device(vm(), &description), 0);
    const usize lines = fake::shared_log().lines.size();
    run({A64_LDRB(3u, 1u, 5u), A64_STR_X(3u, 2u, 0u), A64_LOAD(4u, 0xaabbu), A64_STRH(4u, 1u, 3u),
         A64_LDR_X(5u, 1u, 0u), A64_STR_X(5u, 2u, 1u)});
    EXPECT_EQ(result(0), 0x66U);
    EXPECT_EQ(registers[6], 0xbb);
    EXPECT_EQ(registers[7], 0xaa);
    EXPECT_EQ(registers[8], 0);
    EXPECT_EQ(result(1), 0xaabb'6600'0000'0000U);
    EXPECT_EQ(fake::shared_log().lines.size(), lines + 3);
}

TEST_F(PlatformSupport, OnlyBitsOfTheMaskAreWritten) {
    volatile u8 *registers = fake().add_device(DEVICE, 1);
    for (int i = 0; i < 16; ++i)
        registers[i] = 0x11;
    u32 mask[2] = {0x0000'ff00, 0xffff'ffff};
    const device description = device_at(DEVICE, 0x1000);
    ASSERT_EQ(vm_install_generic_ac_device(vm(), &description, mask, sizeof mask, VACDEV_REPORT_AND_MASK), 0);
    run({A64_LOAD(3u, 0xddccbbaau), A64_STR_W(3u, 1u, 0u), A64_STR_W(3u, 1u, 1u), A64_STR_W(3u, 1u, 2u),
         A64_STRB(3u, 1u, 1u), A64_LDR_W(4u, 1u, 0u), A64_STR_X(4u, 2u, 0u)});
    EXPECT_EQ(result(0), 0x1111'aa11U);
    EXPECT_EQ(registers[4], 0xaa);
    EXPECT_EQ(registers[7], 0xdd);
    EXPECT_EQ(registers[8], 0x11) << "beyond the mask nothing is written";
    const device other = device_at(DEVICE + 0x1000, 0x1000);
    EXPECT_EQ(vm_install_generic_ac_device(vm(), &other, mask, sizeof mask, VACDEV_MASK_ONLY), -1) << "no such device";
    EXPECT_EQ(vm_install_generic_ac_device(vm(), &description, nullptr, 4, VACDEV_MASK_ONLY), -1);
}

// A C function has no cookie here: what the forwarded accesses were.
struct Forwarded {
    u32 address;
    u32 value;
    bool write;
    friend bool operator==(const Forwarded &, const Forwarded &) = default;
};
std::vector<Forwarded> forwarded;

TEST_F(PlatformSupport, AForwardedDevicesRegistersAreCalls) {
    forwarded.clear();
    const generic_forward_cfg functions{[](uint32_t address, uint32_t value) {
                                            forwarded.push_back({address, value, true});
                                        },
                                        [](uint32_t address) {
                                            forwarded.push_back({address, 0, false});
                                            return 0x1122'3300 + address;
                                        }};
    const device description = device_at(DEVICE, 0x1000);
    ASSERT_EQ(vm_install_generic_forward_device(vm(), &description, functions), 0);
    run({A64_LDR_W(3u, 1u, 2u), A64_STR_X(3u, 2u, 0u), A64_LDRB(3u, 1u, 9u), A64_STR_X(3u, 2u, 1u),
         A64_STR_W(3u, 1u, 3u), A64_LOAD(4u, 0xeeu), A64_STRB(4u, 1u, 18u), A64_STR_X(4u, 1u, 4u)});
    EXPECT_EQ(result(0), 0x1122'3308U);
    EXPECT_EQ(result(1), 0x33U);
    const std::vector<Forwarded> expected{{8, 0, false},           {8, 0, false},    {12, 0x33, true}, {16, 0, false},
                                          {16, 0x11ee'3310, true}, {32, 0xee, true}, {36, 0, true}};
    EXPECT_EQ(forwarded, expected);
    EXPECT_EQ(vm_install_generic_forward_device(vm(), &description, functions), -1) << "the range is taken";
    EXPECT_EQ(vm_install_generic_forward_device(vm(), &description, {nullptr, nullptr}), -1);
}

TEST(DeviceList, FindsWhatWasAddedAndRefusesOverlaps) {
    device_list_t list;
    ASSERT_EQ(device_list_init(&list), 0);
    const auto make = [](seL4_Word base, seL4_Word size) { return device{"d", base, size, nullptr, nullptr}; };
    for (const device &d : {make(0x3000, 0x1000), make(0x1000, 0x1000), make(~seL4_Word{0} - 0xfff, 0x1000)})
        ASSERT_EQ(add_device(&list, &d), 0);
    for (const device &d : {make(0x3800, 0x1000), make(0x2800, 0x900), make(0x1000, 1), make(0x9000, 0),
                            make(~seL4_Word{0}, 2), make(0, ~seL4_Word{0})})
        EXPECT_EQ(add_device(&list, &d), -1) << d.pstart;
    EXPECT_EQ(list.num_devices, 3);
    ASSERT_NE(find_device_by_pa(&list, 0x1fff), nullptr);
    EXPECT_EQ(find_device_by_pa(&list, 0x1fff)->pstart, 0x1000U);
    EXPECT_EQ(find_device_by_pa(&list, 0x3000)->pstart, 0x3000U);
    EXPECT_NE(find_device_by_pa(&list, ~uintptr_t{0}), nullptr);
    EXPECT_EQ(find_device_by_pa(&list, 0x2000), nullptr);
    EXPECT_EQ(find_device_by_pa(nullptr, 0x2000), nullptr);
    EXPECT_EQ(add_device(nullptr, nullptr), -1);
    std::free(list.devices);
}

// ---------------------------------------------------------------- vCPUs

TEST_F(PlatformSupport, APlatformVcpuHasItsHandlerAndItsRegisters) {
    vm_vcpu_t *vcpu = create_vmm_plat_vcpu(vm(), 0);
    ASSERT_NE(vcpu, nullptr);
    EXPECT_EQ(vcpu->vcpu_arch.unhandled_vcpu_callback, vmm_handle_arm_vcpu_exception);
    ASSERT_EQ(vcpu_set_bootargs(vcpu, 0x1000, 0, 0x2000), 0);
    seL4_UserContext context;
    ASSERT_EQ(vm_get_thread_context(vcpu, &context), 0);
    EXPECT_EQ(context.pc, 0x1000U);
    EXPECT_EQ(context.x0, 0x2000U);
    EXPECT_EQ(vcpu_set_bootargs(nullptr, 0, 0, 0), -1);
    EXPECT_EQ(create_vmm_plat_vcpu(nullptr, 0), nullptr);
}

TEST_F(PlatformSupport, ExceptionsGoToTheHandlerOfTheirClass) {
    EXPECT_EQ(vmm_handle_arm_vcpu_exception(guest_.vcpu, HSR_SYSREG_64_EXCEPTION << HSR_EXCEPTION_CLASS_SHIFT, nullptr),
              VM_VCPU_FAULT_UNHANDLED);
    const auto handler = [](vm_vcpu_t *, uint32_t hsr) { return hsr == 0xe2000007 ? 0 : -5; };
    ASSERT_EQ(register_arm_vcpu_exception_handler(HSR_SWBRK_32_EXCEPTION, handler), 0);
    EXPECT_EQ(vmm_handle_arm_vcpu_exception(guest_.vcpu, 0xe2000007, nullptr), 0);
    EXPECT_EQ(vmm_handle_arm_vcpu_exception(guest_.vcpu, 0xe2000008, nullptr), -5);
    ASSERT_EQ(register_arm_vcpu_exception_handler(HSR_SWBRK_32_EXCEPTION, nullptr), 0);
    EXPECT_EQ(vmm_handle_arm_vcpu_exception(guest_.vcpu, 0xe2000007, nullptr), VM_VCPU_FAULT_UNHANDLED);
    EXPECT_EQ(register_arm_vcpu_exception_handler(64, nullptr), -1);
}

TEST_F(PlatformSupport, RebootHooksRunInOrderUntilOneFails) {
    reboot_hooks_list_t list;
    ASSERT_EQ(vmm_init_reboot_hooks_list(&list), 0);
    std::vector<int> called;
    struct Hook {
        std::vector<int> *called;
        int name;
        int result;
    };
    Hook hooks[3] = {{&called, 1, 0}, {&called, 2, 0}, {&called, 3, -1}};
    const auto run_hook = [](vm_t *, void *token) {
        const Hook &hook = *static_cast<Hook *>(token);
        hook.called->push_back(hook.name);
        return hook.result;
    };
    EXPECT_EQ(vmm_register_reboot_callback(&list, nullptr, nullptr), -1);
    EXPECT_EQ(vmm_register_reboot_callback(nullptr, run_hook, nullptr), -1);
    ASSERT_EQ(vmm_register_reboot_callback(&list, run_hook, &hooks[0]), 0);
    ASSERT_EQ(vmm_register_reboot_callback(&list, run_hook, &hooks[1]), 0);
    EXPECT_EQ(vmm_process_reboot_callbacks(vm(), &list), 0);
    EXPECT_EQ(called, (std::vector<int>{1, 2}));

    // The guest asks for a reset; the third hook refuses, so the VM stops.
    ASSERT_EQ(vmm_register_reboot_callback(&list, run_hook, &hooks[2]), 0);
    ASSERT_EQ(vmm_set_reboot_hooks(vm(), &list), 0);
    const uint32_t code[] = {A64_CALL(PSCI_SYSTEM_RESET), A64_B(0)};
    guest_load(&guest_, CODE, code, std::size(code));
    ASSERT_TRUE(guest_begin(&guest_));
    EXPECT_EQ(vm_run(vm()), 0);
    EXPECT_EQ(vm()->run.exit_reason, VM_GUEST_RESET_EXIT);
    EXPECT_EQ(called, (std::vector<int>{1, 2, 1, 2, 3}));
    std::free(list.rb_hooks);
}

// Everything that makes something, with each request of the host refused in turn: a refusal is an error, never a leak.
TEST(PlatformSupportRefusals, LeaveNothingBehind) {
    vm_host_t host;
    ASSERT_EQ(vm_host_open(&host), 0);
    fake::Host &fake = fake::Host::of(host);
    static_cast<void>(fake.add_device(DEVICE, 4));
    const Bytes kernel = arm64_image(0x80000, 0);
    fake.add_file("kernel", std::string(kernel.begin(), kernel.end()));
    const size_t before = fake.live();
    usize refused = 1;
    for (usize last = 0; refused < 2000; ++refused) {
        fake.refuse_at(refused);
        const usize start = fake.requests();
        vm_t vm;
        if (vm_init(&vm, &host.vka, &host.simple, host.vspace, &host.io_ops, host.endpoint, "vm") == 0) {
            u32 mask = 1;
            guest_kernel_image_t image;
            const device first{"first", DEVICE, 0x1000, nullptr, nullptr};
            const device second{"second", DEVICE + 0x1000, 0x1000, nullptr, nullptr};
            const device third{"third", DEVICE + 0x2000, 0x1000, nullptr, nullptr};
            const device memory{"memory", DEVICE + 0x10000, 0x2000, nullptr, nullptr};
            static_cast<void>(vm_ram_register_at(&vm, RAM, RAM_SIZE, false));
            static_cast<void>(create_vmm_plat_vcpu(&vm, 0));
            static_cast<void>(vm_load_guest_kernel(&vm, "kernel", RAM, 0, &image));
            static_cast<void>(vm_install_passthrough_device(&vm, &first));
            static_cast<void>(vm_install_listening_device(&vm, &second));
            static_cast<void>(vm_install_generic_ac_device(&vm, &third, &mask, 4, VACDEV_MASK_ONLY));
            static_cast<void>(vm_install_ram_only_device(&vm, &memory));
            static_cast<void>(
                create_allocated_reservation_frame(&vm, DEVICE + 0x20000, seL4_AllRights, count_and_ignore, nullptr));
            static_cast<void>(
                create_device_reservation_frame(&vm, DEVICE + 0x3000, seL4_AllRights, count_and_ignore, nullptr));
            EXPECT_EQ(vm_destroy(&vm), 0);
        }
        last = fake.requests() - start;
        ASSERT_EQ(fake.live(), before) << "request " << refused;
        if (last < refused)
            break; // all went through
    }
    EXPECT_GT(refused, 40U);
    fake.refuse_at(0);
    vm_host_close(&host);
}

TEST_F(PlatformSupport, SmcRegistersAreNumberedAsTheCallingConventionHasThem) {
    seL4_UserContext context{};
    context.x0 = 0x84000000;
    EXPECT_EQ(smc_get_function_id(&context), 0x84000000U);
    for (seL4_Word i = 1; i <= 7; ++i)
        smc_set_arg(&context, i, 100 + i);
    EXPECT_EQ(context.x1, 101U);
    EXPECT_EQ(context.x7, 107U);
    EXPECT_EQ(smc_get_arg(&context, 7), 107U);
    EXPECT_EQ(smc_get_arg(&context, 0), 0U);
    EXPECT_EQ(smc_get_arg(&context, 8), 0U);
    smc_set_arg(&context, 8, 1);
    smc_set_arg(&context, 0, 1);
    EXPECT_EQ(smc_set_return_value(&context, 3), 3U);
    EXPECT_EQ(context.x0, 3U);
    EXPECT_EQ(smc_forward(guest_.vcpu, &context, seL4_CapNull), -1);
    EXPECT_EQ(vmm_install_service(vm(), 1, VM_CSPACE_SLOT, 0), -1) << "the library's own slot";
    EXPECT_EQ(vmm_install_service(vm(), 1, 16, 0), -1);
}

} // namespace
} // namespace sel4vm::test
