/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Pages, devices and device trees of libsel4vmmplatsupport, on any host.
 */
#include <platform_support/platform_tests.h>
#include <suite/guest.h>

#include <sel4vmmplatsupport/arch/generic_forward_device.h>
#include <sel4vmmplatsupport/arch/guest_reboot.h>
#include <sel4vmmplatsupport/device_utils.h>
#include <sel4vmmplatsupport/guest_device_tree.h>
#include <sel4vmmplatsupport/guest_memory_util.h>
#include <sel4vmmplatsupport/guest_vcpu_util.h>

/* x1 = DEVICE, x2 = RESULTS. */
#define BEGIN A64_LOAD(1u, DEVICE), A64_LOAD(2u, RESULTS)

static memory_fault_result_t count(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    test_guest_t *guest = cookie;
    (void)vm;
    (void)vcpu;
    (void)addr;
    (void)length;
    guest->calls++;
    return FAULT_IGNORE;
}

static void test_a_shared_page_is_the_vmms_and_the_guests(conformance_t *t) {
    static const uint32_t code[] = {BEGIN, A64_LDR_X(3u, 1u, 0u), A64_STR_X(3u, 1u, 1u), A64_POWER_OFF};
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    volatile uint64_t *page = create_allocated_reservation_frame(&guest.vm, DEVICE, seL4_AllRights, count, &guest);
    GUEST_LOAD(&guest, CODE, code);
    if (CHECK(t, page != NULL)) {
        CHECK(t, page[0] == 0);
        page[0] = 0x77;
        if (guest_begin(&guest) && guest_finish(&guest))
            CHECK(t, page[1] == 0x77 && guest.calls == 0);
    }
    guest_destroy(&guest);
}

static void test_a_write_to_a_read_only_shared_page_faults(conformance_t *t) {
    static const uint32_t code[] = {BEGIN, A64_LDR_X(3u, 1u, 0u), A64_STR_X(3u, 2u, 0u), A64_STR_X(2u, 1u, 0u),
                                    A64_POWER_OFF};
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    volatile uint64_t *page = create_allocated_reservation_frame(&guest.vm, DEVICE, seL4_CanRead, count, &guest);
    GUEST_LOAD(&guest, CODE, code);
    if (CHECK(t, page != NULL)) {
        page[0] = 0x55;
        if (guest_begin(&guest) && guest_finish(&guest))
            CHECK(t, guest_result(&guest, 0) == 0x55 && page[0] == 0x55 && guest.calls == 1);
    }
    guest_destroy(&guest);
}

static void test_fresh_pages_are_memory(conformance_t *t) {
    static const uint32_t code[] = {BEGIN,
                                    A64_ADD(3u, 1u, 0xff8u),
                                    A64_STR_X(3u, 3u, 1u),
                                    A64_LDR_X(4u, 3u, 1u),
                                    A64_STR_X(4u, 2u, 0u),
                                    A64_LDR_X(4u, 3u, 0u),
                                    A64_STR_X(4u, 2u, 1u),
                                    A64_POWER_OFF};
    const struct device memory = {"memory", DEVICE, 0x3000, NULL, NULL};
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    if (CHECK(t, vm_install_ram_only_device(&guest.vm, &memory) == 0) && guest_begin(&guest) && guest_finish(&guest))
        CHECK(t, guest_result(&guest, 0) == DEVICE + 0xff8 && guest_result(&guest, 1) == 0);
    CHECK(t, vm_install_ram_only_device(&guest.vm, &memory) == -1);
    guest_destroy(&guest);
}

/* The interface of a forwarded device has no cookie. */
static uint32_t forwarded_address, forwarded_value;

static void forward_write(uint32_t address, uint32_t value) {
    forwarded_address = address;
    forwarded_value = value;
}

static uint32_t forward_read(uint32_t address) { return 0x11223300u + address; }

static void test_a_forwarded_device_is_called(conformance_t *t) {
    static const uint32_t code[] = {
        BEGIN, A64_LDR_W(3u, 1u, 2u), A64_STR_X(3u, 2u, 0u), A64_LOAD(4u, 0xeeu), A64_STRB(4u, 1u, 18u), A64_POWER_OFF};
    const struct device device = {"forwarded", DEVICE, 0x1000, NULL, NULL};
    const struct generic_forward_cfg functions = {forward_write, forward_read};
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    if (CHECK(t, vm_install_generic_forward_device(&guest.vm, &device, functions) == 0) && guest_begin(&guest) &&
        guest_finish(&guest)) {
        CHECK(t, guest_result(&guest, 0) == 0x11223308);
        CHECK(t, forwarded_address == 16 && forwarded_value == 0x11ee3310);
    }
    guest_destroy(&guest);
}

static void test_the_device_tree_is_put_into_ram(conformance_t *t) {
    const vmm_device_tree_t what = {.bootargs = "quiet", .pl011 = 0x09000000, .pl011_irq = 33};
    test_guest_t guest;
    guest_image_t tree;
    uint32_t magic = 0;
    if (!guest_make(&guest, t, NULL))
        return;
    CHECK(t, vmm_load_device_tree(&guest.vm, &what, RAM + 0x8000, &tree) == -1);
    CHECK(t, vm_create_default_irq_controller(&guest.vm) == 0);
    if (CHECK(t, vmm_load_device_tree(&guest.vm, &what, RAM + 0x8000, &tree) == 0)) {
        CHECK(t, vm_ram_touch(&guest.vm, tree.load_paddr, 4, vm_guest_ram_read_callback, &magic) == 0);
        CHECK(t, magic == 0xedfe0dd0);
    }
    guest_destroy(&guest);
}

static int write_tree(vm_t *vm, void *token) {
    test_guest_t *guest = token;
    const vmm_device_tree_t what = {0};
    const uint32_t power_off[] = {A64_POWER_OFF};
    guest_image_t tree;
    guest->calls++;
    CHECK(guest->t, vmm_load_device_tree(vm, &what, RAM + 0x8000, &tree) == 0);
    GUEST_LOAD(guest, CODE, power_off);
    return vm_set_thread_context_reg(guest->vcpu, 0, CODE);
}

/* Also: code of other libraries runs between two runs of a guest. */
static void test_a_reboot_hook_starts_the_guest_again(conformance_t *t) {
    static const uint32_t code[] = {A64_CALL(PSCI_SYSTEM_RESET), A64_B(0)};
    reboot_hooks_list_t hooks;
    reboot_hook_t hook;
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    hook.fn = write_tree;
    hook.token = &guest;
    hooks.rb_hooks = &hook;
    hooks.nhooks = 1;
    GUEST_LOAD(&guest, CODE, code);
    CHECK(t, vm_create_default_irq_controller(&guest.vm) == 0);
    if (CHECK(t, vmm_set_reboot_hooks(&guest.vm, &hooks) == 0) && guest_begin(&guest) && guest_finish(&guest))
        CHECK(t, guest.calls == 1);
    guest_destroy(&guest);
}

/* One VM waits with a fault of its own while the other runs. */
static void test_two_vms_of_one_endpoint_take_turns(conformance_t *t) {
    static const uint32_t fault[] = {BEGIN, A64_LDR_W(4u, 1u, 0u), A64_STR_X(4u, 2u, 0u), A64_POWER_OFF};
    static const uint32_t other[] = {BEGIN, A64_LOAD(3u, 0x33u), A64_STR_X(3u, 2u, 0u), A64_POWER_OFF};
    test_guest_t first, second;
    if (!GUEST_START(&first, t, fault))
        return;
    CHECK(t, vm_set_fault_policy(&first.vm, VM_FAULT_POLICY_RETURN) == 0);
    if (GUEST_START(&second, t, other)) {
        CHECK(t, vm_run(&first.vm) == -1 && first.vm.run.exit_reason == VM_GUEST_MMIO_EXIT);
        if (guest_finish(&second))
            CHECK(t, guest_result(&second, 0) == 0x33);
        CHECK(t, get_vcpu_fault_address(first.vcpu) == DEVICE);
        set_vcpu_fault_data(first.vcpu, 0x44);
        advance_vcpu_fault(first.vcpu);
        if (guest_finish(&first))
            CHECK(t, guest_result(&first, 0) == 0x44);
        guest_destroy(&second);
    }
    guest_destroy(&first);
}

#define TEST(function) \
    { #function, function }

const conformance_test_t platform_support_tests[] = {
    TEST(test_a_shared_page_is_the_vmms_and_the_guests),
    TEST(test_a_write_to_a_read_only_shared_page_faults),
    TEST(test_fresh_pages_are_memory),
    TEST(test_a_forwarded_device_is_called),
    TEST(test_the_device_tree_is_put_into_ram),
    TEST(test_a_reboot_hook_starts_the_guest_again),
    TEST(test_two_vms_of_one_endpoint_take_turns),
    TEST(test_a_platform_vcpu_leaves_its_interrupts_to_the_client),
};

const size_t platform_support_test_count = sizeof(platform_support_tests) / sizeof(platform_support_tests[0]);
