/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The names of the structures that the headers below sel4vm/guest_vm.h mention before it defines them.
 */
#pragma once

typedef struct vm vm_t;
typedef struct vm_vcpu vm_vcpu_t;
