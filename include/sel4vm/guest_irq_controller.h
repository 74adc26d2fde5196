/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Interrupts of the guest. Numbers are the GIC's INTIDs: 0-15 software-generated, 16-31 private to a vCPU, 32 and up shared.
 */
#pragma once

#include <sel4vm/guest_vm.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Called when the guest has ended an interrupt (EOI, or deactivation if separate), and when it can take one that was refused.
 * @param vcpu  that ended it, or gets it
 */
typedef void (*irq_ack_fn_t)(vm_vcpu_t *vcpu, int irq, void *cookie);

/**
 * Makes a registered interrupt pending once, whatever its trigger is. A private one is that of `vcpu`; a shared one goes where
 * the guest routes it. Wakes a vCPU that waits for an interrupt.
 * @return 0 also when it is pending already; -1 when it is not registered, when the guest has not enabled it or its
 *   distributor (`ack_fn` is told when it has), and before the VM was started: it is then not delivered
 */
int vm_inject_irq(vm_vcpu_t *vcpu, int irq);

/**
 * Drives the wire of an interrupt, as a device does: pending while it is high, for an interrupt that the guest has configured as
 * edge-triggered once for each rise. Needs no registration, and is remembered while the guest has it disabled.
 * @param irq_level  0 low, other values high
 * @return -1 before the VM's first start, when there is no controller to remember it; drive it again then
 */
int vm_set_irq_level(vm_vcpu_t *vcpu, int irq, int irq_level);

/**
 * Registers an interrupt for vm_inject_irq() and to hear its end, before or after the controller is made. A private or
 * software-generated one is registered once for each vCPU. Software-generated ones and the virtual timer's (27) can be injected
 * without it. A shared one is registered for the VM, whatever `vcpu` is: where several devices share it, the first registration
 * stays and the others succeed without an effect.
 * @param ack_fn  NULL: nobody wants to know its end
 * @return -1 also when it is private and the client has registered it for this vCPU already
 */
int vm_register_irq(vm_vcpu_t *vcpu, int irq, irq_ack_fn_t ack_fn, void *cookie);

/**
 * Gives the VM an interrupt controller: a GICv2 where the hardware can virtualize one, else a GICv3, where this host's machine
 * has it (sel4vm/arch/vgic.h chooses otherwise). Once, before the VM is started.
 */
int vm_create_default_irq_controller(vm_t *vm);

#ifdef __cplusplus
}
#endif
