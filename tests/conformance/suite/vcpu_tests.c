/* SPDX-License-Identifier: BSD-2-Clause
 *
 * vCPUs: exceptions that the library does not serve, firmware calls, registers, several vCPUs.
 */
#include <suite/tests.h>

#include <sel4vm/sel4_arch/processor.h>

#define BEGIN A64_LOAD(2u, RESULTS), A64_LOAD(3u, VECTORS), A64_MSR(A64_VBAR_EL1, 3u), A64_ISB

static test_guest_t *guest_of_smc; /* callbacks for SMCs have no cookie */

static const uint32_t record_and_end[] = {A64_MRS(10u, A64_ESR_EL1), A64_LOAD(11u, RESULTS), A64_STR_X(10u, 11u, 7u),
                                          A64_POWER_OFF};
static const uint32_t read_unknown_register[] = {BEGIN, A64_MRS(4u, A64_PMCR_EL0), A64_STR_X(4u, 2u, 0u),
                                                 A64_POWER_OFF};

/* Returns seen[7]; finishes the read with 0x55 when that is 0. */
static int register_fault(vm_vcpu_t *vcpu, uint32_t hsr, void *cookie) {
    test_guest_t *guest = cookie;
    guest->calls++;
    guest->seen[0] = hsr;
    if (guest->seen[7] == 0) {
        set_vcpu_fault_data(vcpu, 0x55);
        advance_vcpu_fault(vcpu);
    }
    return (int)guest->seen[7];
}

void test_a_vcpu_fault_reaches_its_callback(conformance_t *t) {
    test_guest_t guest;
    if (!conformance_has(t, CONFORMANCE_TRAPS_PMU) || !guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, read_unknown_register);
    CHECK(t, vm_register_unhandled_vcpu_fault_callback(guest.vcpu, register_fault, &guest) == 0);
    if (guest_begin(&guest) && guest_finish(&guest)) {
        CHECK(t, guest.calls == 1);
        CHECK(t, HSR_EXCEPTION_CLASS(guest.seen[0]) == HSR_SYSREG_64_EXCEPTION);
        CHECK(t, HSR_IL(guest.seen[0]) == 1);
        /* PMCR_EL0, read into x4 */
        CHECK(t,
              (guest.seen[0] & HSR_ISS_MASK) == (3u << 20 | 0u << 17 | 3u << 14 | 9u << 10 | 4u << 5 | 12u << 1 | 1u));
        CHECK(t, guest_result(&guest, 0) == 0x55);
    }
    guest_destroy(&guest);
}

void test_a_vcpu_fault_may_be_left_to_the_policy(conformance_t *t) {
    test_guest_t guest;
    if (!conformance_has(t, CONFORMANCE_TRAPS_PMU) || !guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, read_unknown_register);
    GUEST_LOAD(&guest, VECTORS + 0x200, record_and_end);
    guest.seen[7] = VM_VCPU_FAULT_UNHANDLED;
    CHECK(t, vm_register_unhandled_vcpu_fault_callback(guest.vcpu, register_fault, &guest) == 0);
    if (guest_begin(&guest) && guest_finish(&guest)) {
        CHECK(t, guest.calls == 1);
        CHECK(t, guest_result(&guest, 7) >> 26 == HSR_UNKNOWN_EXCEPTION);
    }
    guest_destroy(&guest);
}

void test_a_vcpu_fault_that_fails_ends_vm_run(conformance_t *t) {
    test_guest_t guest;
    if (!conformance_has(t, CONFORMANCE_TRAPS_PMU) || !guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, read_unknown_register);
    guest.seen[7] = (seL4_Word)-1;
    CHECK(t, vm_register_unhandled_vcpu_fault_callback(guest.vcpu, register_fault, &guest) == 0);
    if (guest_begin(&guest)) {
        CHECK(t, vm_run(&guest.vm) == -1);
        CHECK(t, guest.vm.run.exit_reason == VM_GUEST_UNKNOWN_EXIT);
        /* A value that the client puts into the register itself is kept. */
        CHECK(t, vm_set_thread_context_reg(guest.vcpu, 7, 0x66) == 0); /* x4 */
        advance_vcpu_fault(guest.vcpu);
        guest_finish(&guest);
        CHECK(t, guest.calls == 1);
    }
    guest_destroy(&guest);
}

void test_firmware_calls_are_served(conformance_t *t) {
    static const uint32_t code[] = {
        BEGIN,        A64_CALL(PSCI_VERSION), A64_STR_X(0u, 2u, 0u), A64_CALL(0xc3001234u), A64_STR_X(0u, 2u, 1u),
        A64_POWER_OFF};
    test_guest_t guest;
    if (conformance_keeps(t, CONFORMANCE_KEEPS_CALLS) || !GUEST_START(&guest, t, code))
        return;
    if (guest_finish(&guest)) {
        CHECK(t, guest_result(&guest, 0) >= 0x10000 && guest_result(&guest, 0) < 0x20000);
        CHECK(t, guest_result(&guest, 1) == ~(uint64_t)0);
    }
    guest_destroy(&guest);
}

/* Serves function 0xc3001234 by swapping arguments, everything else by the library; fails for 0xc3005678. */
static int client_smc(vm_vcpu_t *vcpu, seL4_UserContext *regs) {
    if (regs->x0 == 0xc3005678u)
        return -1;
    if (regs->x0 != 0xc3001234u)
        return vm_serve_smc(vcpu, regs);
    regs->x0 = regs->x1 + 1;
    regs->x1 = regs->x20;
    return 0;
}

void test_a_client_may_serve_smcs(conformance_t *t) {
    static const uint32_t code[] = {BEGIN,
                                    A64_LOAD(1u, 41u),
                                    A64_LOAD(20u, 99u),
                                    A64_CALL(0xc3001234u),
                                    A64_STR_X(0u, 2u, 0u),
                                    A64_STR_X(1u, 2u, 1u),
                                    A64_CALL(PSCI_VERSION),
                                    A64_STR_X(0u, 2u, 2u),
                                    A64_CALL(0xc3005678u),
                                    A64_POWER_OFF};
    test_guest_t guest;
    if (conformance_keeps(t, CONFORMANCE_KEEPS_CALLS) || !guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    CHECK(t, guest.vm.arch.vm_smc_handler == vm_serve_smc);
    CHECK(t, vm_register_smc_handler_callback(&guest.vm, client_smc) == 0);
    if (guest_begin(&guest)) {
        CHECK(t, vm_run(&guest.vm) == -1);
        CHECK(t, guest.vm.run.exit_reason == VM_GUEST_UNKNOWN_EXIT);
        advance_vcpu_fault(guest.vcpu);
        guest_finish(&guest);
        CHECK(t, guest_result(&guest, 0) == 42);
        CHECK(t, guest_result(&guest, 1) == 99);
        CHECK(t, guest_result(&guest, 2) >= 0x10000);
    }
    guest_destroy(&guest);
}

/* Word i is 0x100 + its number, but for PC, the stack and the mode; changes some of each end. */
static int look_at_all_smc(vm_vcpu_t *vcpu, seL4_UserContext *regs) {
    test_guest_t *guest = guest_of_smc;
    if (regs->x0 != 0xc3001234u)
        return vm_serve_smc(vcpu, regs);
    guest->calls++;
    CHECK(guest->t, regs->x2 == RESULTS && regs->x3 == 0x103 && regs->x8 == 0x108 && regs->x9 == 0x109);
    CHECK(guest->t, regs->x16 == 0x110 && regs->x18 == 0x112 && regs->x19 == 0x113 && regs->x28 == 0x11c);
    CHECK(guest->t, regs->x29 == 0x11d && regs->x30 == 0x11e && regs->sp == 0x1000);
    /* What a callback sets by the other way stays, where it leaves its copy alone. */
    CHECK(guest->t, vm_set_thread_context_reg(vcpu, 3 + 9, 0x999) == 0); /* x16 */
    CHECK(guest->t, regs->x16 == 0x999);
    regs->x3 = 0x333;
    regs->x28 = 0x2828;
    regs->x30 = 0x3030;
    regs->sp = 0x2000;
    if (guest->calls == 2)
        regs->pc += 8; /* over the instruction after the call, too */
    return 0;
}

void test_an_smc_callback_has_all_registers(conformance_t *t) {
    static const uint32_t code[] = {BEGIN,
                                    A64_LOAD(4u, 0x1000u),
                                    A64_MSR(A64_SP_EL0, 4u),
                                    A64_LOAD(3u, 0x103u),
                                    A64_LOAD(8u, 0x108u),
                                    A64_LOAD(9u, 0x109u),
                                    A64_LOAD(16u, 0x110u),
                                    A64_LOAD(18u, 0x112u),
                                    A64_LOAD(19u, 0x113u),
                                    A64_LOAD(28u, 0x11cu),
                                    A64_LOAD(29u, 0x11du),
                                    A64_LOAD(30u, 0x11eu),
                                    A64_CALL(0xc3001234u),
                                    A64_STR_X(3u, 2u, 0u),
                                    A64_STR_X(28u, 2u, 1u),
                                    A64_STR_X(30u, 2u, 2u),
                                    A64_STR_X(16u, 2u, 3u),
                                    A64_STR_X(9u, 2u, 4u),
                                    A64_MRS(4u, A64_SP_EL0),
                                    A64_STR_X(4u, 2u, 5u),
                                    A64_LOAD(4u, 0x1000u),
                                    A64_MSR(A64_SP_EL0, 4u),
                                    A64_LOAD(3u, 0x103u),
                                    A64_LOAD(16u, 0x110u),
                                    A64_LOAD(28u, 0x11cu),
                                    A64_LOAD(30u, 0x11eu),
                                    A64_CALL(0xc3001234u),
                                    A64_LOAD(3u, 0x444u), /* the first half is stepped over */
                                    A64_STR_X(3u, 2u, 6u),
                                    A64_POWER_OFF};
    test_guest_t guest;
    if (conformance_keeps(t, CONFORMANCE_KEEPS_CALLS) || !guest_make(&guest, t, NULL))
        return;
    guest_of_smc = &guest;
    GUEST_LOAD(&guest, CODE, code);
    CHECK(t, vm_register_smc_handler_callback(&guest.vm, look_at_all_smc) == 0);
    if (guest_begin(&guest) && guest_finish(&guest)) {
        CHECK(t, guest.calls == 2);
        CHECK(t, guest_result(&guest, 0) == 0x333);
        CHECK(t, guest_result(&guest, 1) == 0x2828);
        CHECK(t, guest_result(&guest, 2) == 0x3030);
        CHECK(t, guest_result(&guest, 3) == 0x999);
        CHECK(t, guest_result(&guest, 4) == 0x109);
        CHECK(t, guest_result(&guest, 5) == 0x2000);
        CHECK(t, guest_result(&guest, 6) == 0x333);
    }
    guest_destroy(&guest);
}

void test_registers_set_before_the_start_are_there_at_the_start(conformance_t *t) {
    static const uint32_t code[] = {A64_STR_X(0u, 2u, 0u), A64_STR_X(20u, 2u, 1u), A64_MRS(4u, A64_TPIDR_EL1),
                                    A64_STR_X(4u, 2u, 2u), A64_STR_X(30u, 2u, 3u), A64_POWER_OFF};
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    seL4_UserContext context = {0};
    context.pc = CODE;
    context.x0 = 0x11;
    context.x2 = RESULTS;
    context.x20 = 0x22;
    context.x30 = 0x44;
    CHECK(t, vm_set_thread_context(guest.vcpu, context) == 0);
    CHECK(t, vm_set_arm_vcpu_reg(guest.vcpu, seL4_VCPUReg_TPIDR_EL1, 0x33) == 0);
    seL4_UserContext back = {0};
    uintptr_t value = 0;
    CHECK(t, vm_get_thread_context(guest.vcpu, &back) == 0 && back.x20 == 0x22 && back.pc == CODE);
    CHECK(t, vm_get_arm_vcpu_reg(guest.vcpu, seL4_VCPUReg_TPIDR_EL1, &value) == 0 && value == 0x33);
    CHECK(t, !is_vcpu_online(guest.vcpu));
    CHECK(t, vcpu_start(guest.vcpu) == 0);
    CHECK(t, is_vcpu_online(guest.vcpu));
    if (guest_finish(&guest)) {
        CHECK(t, guest_result(&guest, 0) == 0x11);
        CHECK(t, guest_result(&guest, 1) == 0x22);
        CHECK(t, guest_result(&guest, 2) == 0x33);
        CHECK(t, guest_result(&guest, 3) == 0x44);
        CHECK(t, !is_vcpu_online(guest.vcpu));
    }
    guest_destroy(&guest);
}

/* Checks registers inside a fault, and changes one. */
static memory_fault_result_t look_at_registers(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    test_guest_t *guest = cookie;
    seL4_UserContext context;
    (void)vm;
    (void)addr;
    (void)length;
    CHECK(guest->t, vm_get_thread_context(vcpu, &context) == 0);
    guest->seen[0] = context.x19;
    guest->seen[1] = context.pc;
    guest->seen[2] = context.spsr & 0x1f;
    context.x19 = 0x1919;
    CHECK(guest->t, vm_set_thread_context(vcpu, context) == 0);
    advance_vcpu_fault(vcpu);
    return FAULT_HANDLED;
}

void test_registers_inside_a_fault(conformance_t *t) {
    static const uint32_t code[] = {
        BEGIN,        A64_LOAD(1u, DEVICE), A64_LOAD(19u, 0x4321u), A64_STR_W(19u, 1u, 0u), A64_STR_X(19u, 2u, 0u),
        A64_POWER_OFF};
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    CHECK(t, vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, look_at_registers, &guest) != NULL);
    if (guest_begin(&guest) && guest_finish(&guest)) {
        CHECK(t, guest.seen[0] == 0x4321);
        CHECK(t, guest.seen[1] == CODE + 10 * 4);
        CHECK(t, guest.seen[2] == 5); /* EL1h */
        CHECK(t, guest_result(&guest, 0) == 0x1919);
    }
    guest_destroy(&guest);
}

void test_a_second_vcpu_is_started_by_the_guest(conformance_t *t) {
    /* Starts vCPU 1 at SECOND_CODE with x0 = 7, and waits for its result. */
    static const uint32_t code[] = {BEGIN,
                                    A64_LOAD(1u, 1u),
                                    A64_MOV(20u, 2u),
                                    A64_LOAD(2u, SECOND_CODE),
                                    A64_LOAD(3u, 7u),
                                    A64_CALL(PSCI_CPU_ON),
                                    A64_STR_X(0u, 20u, 1u),
                                    A64_LDR_X(4u, 20u, 0u),
                                    A64_CBZ(4u, -1),
                                    A64_POWER_OFF};
    static const uint32_t second[] = {A64_LOAD(2u, RESULTS), A64_MRS(4u, A64_MPIDR_EL1), A64_STR_X(4u, 2u, 2u),
                                      A64_STR_X(0u, 2u, 0u), A64_CALL(PSCI_CPU_OFF),     A64_B(0)};
    test_guest_t guest;
    if (conformance_keeps(t, CONFORMANCE_KEEPS_CALLS) || !conformance_has_vcpus(t, 2) || !guest_make(&guest, t, NULL))
        return;
    vm_vcpu_t *other = vm_create_vcpu(&guest.vm, t->host->priority);
    CHECK(t, other != NULL && other->vcpu_id == 1 && other->target_cpu == -1);
    CHECK(t, vm_find_free_unassigned_vcpu(&guest.vm) == (t->cpu == 0 ? guest.vcpu : other));
    GUEST_LOAD(&guest, CODE, code);
    GUEST_LOAD(&guest, SECOND_CODE, second);
    if (guest_begin(&guest) && guest_finish(&guest)) {
        CHECK(t, guest_result(&guest, 0) == 7);
        CHECK(t, guest_result(&guest, 1) == 0);
        CHECK(t, (guest_result(&guest, 2) & 0xff) == 1);
    }
    guest_destroy(&guest);
}

void test_a_second_vcpu_is_started_by_the_client(conformance_t *t) {
    static const uint32_t code[] = {BEGIN, A64_LDR_X(4u, 2u, 0u), A64_CBZ(4u, -1), A64_POWER_OFF};
    static const uint32_t second[] = {A64_LOAD(2u, RESULTS), A64_STR_X(0u, 2u, 0u), A64_WFI, A64_B(-1)};
    test_guest_t guest;
    if (conformance_keeps(t, CONFORMANCE_KEEPS_CALLS) || !conformance_has_vcpus(t, 2) || !guest_make(&guest, t, NULL))
        return;
    vm_vcpu_t *other = vm_create_vcpu(&guest.vm, t->host->priority);
    CHECK(t, other != NULL);
    GUEST_LOAD(&guest, CODE, code);
    GUEST_LOAD(&guest, SECOND_CODE, second);
    if (other != NULL) {
        CHECK(t, vm_set_thread_context_reg(other, 0, SECOND_CODE) == 0);
        CHECK(t, vm_set_thread_context_reg(other, 3, 0x99) == 0); /* x0 */
        CHECK(t, vcpu_start(other) == 0);
        CHECK(t, !is_vcpu_online(other));
        if (guest_begin(&guest)) {
            CHECK(t, is_vcpu_online(other));
            guest_finish(&guest);
            CHECK(t, guest_result(&guest, 0) == 0x99);
        }
    }
    guest_destroy(&guest);
}

/* SCTLR_EL1.EE and E0E. */
#define ENDIANNESS (3u << 24)
/* Little-endian, everything off. */
#define SCTLR_OFF 0x30d00800u

enum starter { THE_LIBRARY, THE_CLIENT, THE_CLIENT_WITH_A_REGISTER };

typedef struct {
    test_guest_t guest; /* first, so that the handler finds it */
    vm_vcpu_t *other;
    enum starter starter;
} starting_t;

static int start_in_the_handler(vm_vcpu_t *vcpu, seL4_UserContext *regs) {
    starting_t *starting = (starting_t *)(void *)((char *)vcpu->vm - offsetof(test_guest_t, vm));
    conformance_t *t = starting->guest.t;
    uintptr_t sctlr = 0;
    if (regs->x0 != PSCI_CPU_ON || starting->starter == THE_LIBRARY)
        return vm_serve_smc(vcpu, regs);
    if (starting->starter == THE_CLIENT_WITH_A_REGISTER) {
        CHECK(t, vm_get_arm_vcpu_reg(starting->other, seL4_VCPUReg_SCTLR, &sctlr) == 0);
        CHECK(t, vm_set_arm_vcpu_reg(starting->other, seL4_VCPUReg_SCTLR, sctlr & ~(uintptr_t)ENDIANNESS) == 0);
    }
    CHECK(t, vm_set_thread_context_reg(starting->other, 0, regs->x2) == 0);
    regs->x0 = (seL4_Word)vcpu_start(starting->other);
    return 0;
}

/* The guest sets bits of SCTLR_EL1 around its CPU_ON; what the second one starts with. */
static uint64_t endianness_after_cpu_on(conformance_t *t, uint32_t bits, enum starter starter) {
    /* Everything is loaded before data turns around. */
    const uint32_t code[] = {BEGIN,
                             A64_MOV(20u, 2u),
                             A64_LOAD(1u, 1u),
                             A64_LOAD(2u, SECOND_CODE),
                             A64_MRS(21u, A64_SCTLR_EL1),
                             A64_LOAD(22u, bits),
                             A64_ADD_REG(22u, 21u, 22u),
                             A64_MSR(A64_SCTLR_EL1, 22u),
                             A64_ISB,
                             A64_CALL(PSCI_CPU_ON),
                             A64_MSR(A64_SCTLR_EL1, 21u),
                             A64_ISB,
                             A64_STR_X(0u, 20u, 1u),
                             A64_LDR_X(4u, 20u, 0u),
                             A64_CBZ(4u, -1),
                             A64_POWER_OFF};
    const uint32_t second[] = {
        A64_LOAD(2u, RESULTS),      A64_LOAD(5u, 1u), A64_MRS(4u, A64_SCTLR_EL1), A64_LOAD(3u, SCTLR_OFF),
        A64_MSR(A64_SCTLR_EL1, 3u), A64_ISB,          A64_STR_X(4u, 2u, 2u),      A64_STR_X(5u, 2u, 0u),
        A64_CALL(PSCI_CPU_OFF),     A64_B(0)};
    starting_t starting = {.starter = starter};
    test_guest_t *guest = &starting.guest;
    uint64_t seen = 0;
    if (!guest_make(guest, t, NULL))
        return 0;
    starting.other = vm_create_vcpu(&guest->vm, t->host->priority);
    GUEST_LOAD(guest, CODE, code);
    GUEST_LOAD(guest, SECOND_CODE, second);
    CHECK(t, vm_register_smc_handler_callback(&guest->vm, start_in_the_handler) == 0);
    if (CHECK(t, starting.other != NULL) && guest_begin(guest) && guest_finish(guest)) {
        CHECK(t, guest_result(guest, 1) == 0);
        seen = guest_result(guest, 2);
    }
    guest_destroy(guest);
    return seen & ENDIANNESS;
}

void test_a_second_vcpu_has_the_endianness_of_the_one_that_starts_it(conformance_t *t) {
    static const uint32_t bits[] = {0, 1u << 24, 1u << 25, ENDIANNESS};
    if (conformance_keeps(t, CONFORMANCE_KEEPS_CALLS) || !conformance_has_vcpus(t, 2))
        return;
    for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
        CHECK(t, endianness_after_cpu_on(t, bits[i], THE_LIBRARY) == bits[i]);
        CHECK(t, endianness_after_cpu_on(t, bits[i], THE_CLIENT) == bits[i]);
        CHECK(t, endianness_after_cpu_on(t, bits[i], THE_CLIENT_WITH_A_REGISTER) == 0);
    }
}
