/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Secure monitor calls as the SMC calling convention lays them out (Arm DEN 0028): the function in x0, arguments in x1 to x7,
 * results from x0 on. For callbacks registered with vm_register_smc_handler_callback().
 */
#pragma once

#include <sel4vm/guest_vm.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The function that is called. */
seL4_Word smc_get_function_id(seL4_UserContext *u);
/* Sets the first result and returns it. */
seL4_Word smc_set_return_value(seL4_UserContext *u, seL4_Word val);
/* Argument 1 to 7; 0 for any other. */
seL4_Word smc_get_arg(seL4_UserContext *u, seL4_Word arg);
/* Sets argument (or result) 1 to 7; any other changes nothing. */
void smc_set_arg(seL4_UserContext *u, seL4_Word arg, seL4_Word val);

/* Makes the guest's call through an SMC capability, and gives the guest its results. 0 or -1; hosts but seL4 have none. */
int smc_forward(vm_vcpu_t *vcpu, seL4_UserContext *regs, seL4_ARM_SMC smc_cap);

/*
 * vm_serve_smc() by libsel4vmmplatsupport's name: PSCI, the calling convention's own functions and random numbers; every other function is
 * NOT_SUPPORTED to the guest. Only from an SMC callback, with its vCPU and registers. 0, or -1 elsewhere.
 */
int vm_smc_handle_default(vm_vcpu_t *vcpu, seL4_UserContext *regs);

#ifdef __cplusplus
}
#endif
