/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A guest's SMC that a client forwards to the machine's firmware, on kernels that allow it (KernelAllowSMCCalls).
 */
#include <suite/guest.h>

#include <sel4/sel4_tests.h>
#include <sel4vmmplatsupport/arch/smc.h>

#ifdef CONFIG_ALLOW_SMC_CALLS

#define PSCI_MIGRATE_INFO_TYPE 0x84000006u

static int forward(vm_vcpu_t *vcpu, seL4_UserContext *registers) {
    if (smc_get_function_id(registers) != PSCI_MIGRATE_INFO_TYPE)
        return vm_smc_handle_default(vcpu, registers);
    return smc_forward(vcpu, registers, seL4_CapSMC);
}

static void test_a_forwarded_smc_gives_the_guest_the_firmwares_answer(conformance_t *t) {
    static const uint32_t code[] = {A64_LOAD(2u, RESULTS), A64_CALL(PSCI_MIGRATE_INFO_TYPE), A64_LOAD(2u, RESULTS),
                                    A64_STR_X(0u, 2u, 0u), A64_POWER_OFF};
    seL4_ARM_SMCContext call = {.x0 = PSCI_MIGRATE_INFO_TYPE};
    seL4_ARM_SMCContext answer = {0};
    test_guest_t guest;
    if (!CHECK(t, seL4_ARM_SMC_Call(seL4_CapSMC, &call, &answer) == seL4_NoError) || !guest_make(&guest, t, NULL))
        return;
    CHECK(t, vm_register_smc_handler_callback(&guest.vm, forward) == 0);
    GUEST_LOAD(&guest, CODE, code);
    if (guest_begin(&guest) && guest_finish(&guest))
        CHECK(t, guest_result(&guest, 0) == answer.x0);
    guest_destroy(&guest);
}

const conformance_test_t sel4_smc_tests[] = {
    SEL4_TEST(test_a_forwarded_smc_gives_the_guest_the_firmwares_answer),
};
const size_t sel4_smc_test_count = sizeof sel4_smc_tests / sizeof sel4_smc_tests[0];

#else

const conformance_test_t sel4_smc_tests[] = {{NULL, NULL}};
const size_t sel4_smc_test_count = 0;

#endif
