/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUs in a device tree that the client writes itself. guest_device_tree.h writes a whole one.
 */
#pragma once

#include <sel4vm/guest_vm.h>
#include <sel4vmmplatsupport/plat/guest_vcpu_util.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Adds /cpus with a node for each vCPU of the VM, and /psci unless there is one, to a tree that libfdt can write to. PSCI is called
 * by SMC. 0, or libfdt's negative error; the tree may then have some of the nodes.
 */
int fdt_generate_plat_vcpu_node(vm_t *vm, void *fdt);

#ifdef __cplusplus
}
#endif
