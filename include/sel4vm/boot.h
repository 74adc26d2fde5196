/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Making and destroying a VM and its vCPUs. The usual order: vm_init(), memory, vm_create_default_irq_controller(),
 * vm_create_vcpu(), images, registers, vcpu_start(), vm_run(), vm_destroy().
 */
#pragma once

#include <simple/simple.h>
#include <vka/vka.h>
#include <vspace/vspace.h>

#include <sel4vm/guest_vm.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The index of the vCPU that starts first. */
#define BOOT_VCPU 0

/**
 * Makes an empty VM of the caller's `vm`, whose old contents are overwritten. Everything is needed; vm_host_open()
 * (sel4vm/host.h) fills it on every host.
 * @param vka, host_simple, io_ops  stay in use until vm_destroy()
 * @param host_vspace    the VMM's own address space
 * @param host_endpoint  where vm_run() waits
 * @param name           for messages; copied
 * @return 0, or -1 with `vm` zeroed and nothing allocated
 */
int vm_init(vm_t *vm, vka_t *vka, simple_t *host_simple, vspace_t host_vspace, ps_io_ops_t *io_ops,
            seL4_CPtr host_endpoint, const char *name);

/**
 * Adds a vCPU, up to CONFIG_MAX_NUM_NODES, before the VM is started.
 * @param priority  of the thread that executes it: seL4's 0 to 255, at most the maximum of the VMM's own thread. Other hosts share the CPU by
 *                  time and only keep the number
 * @return its structure, which is the library's until vm_destroy(); NULL when there are as many as there can be, the VM was started, or the
 *   host cannot make it
 */
vm_vcpu_t *vm_create_vcpu(vm_t *vm, int priority);

/**
 * Binds a vCPU that was not started to a CPU; -1 takes that back, so that another may be bound there. @return -1 also when another vCPU of
 * the VM has the CPU
 */
int vm_assign_vcpu_target(vm_vcpu_t *vcpu, int target_cpu);

/* ---- Additions to the interface of libsel4vm */

/**
 * Gives the VM's vCPUs together `budget_us` of every `period_us` microseconds of a CPU at most, before the first of them is made. What they want
 * beyond that waits. seL4 has budgets with MCS; each vCPU then has an equal part of it, and `vcpu->tcb.sc` and `tcb.sched_ctrl` are what it is
 * run with.
 * @param priority  0 is the ordinary one, 3 the highest. On seL4 it is added to the priority that vm_create_vcpu() is given
 * @return -1 also where the host decides by itself what each VM has of a CPU
 */
int vm_set_budget(vm_t *vm, unsigned int priority, uint32_t budget_us, uint32_t period_us);

/**
 * Serialises the calls that allocate, where several threads share a vka and simple. Both functions are called in pairs. Page
 * providers are called with it held: when it is not recursive, they allocate nothing by this interface.
 */
typedef struct vm_lock {
    void (*lock)(void *cookie);
    void (*unlock)(void *cookie);
    void *cookie;
} vm_lock_t;

/**
 * Where timeouts come from on a host without timers of its own (seL4): for the guest's emulated physical timer, and for a
 * vCPU that waits for its virtual timer where the kernel traps WFI.
 */
typedef struct vm_timeout_source {
    /**
     * Asks for a notification with `badge` when the counter reaches `ticks`; replaces the last; 0 on success. The counter is the one that
     * the kernel lets user code read, CNTVCT_EL0 or CNTPCT_EL0 (docs/using-on-sel4.md says which); they are the same while no guest's virtual
     * counter has an offset.
     */
    int (*set)(void *cookie, uint64_t ticks);
    /** Takes the last request back. One that was signalled already may still be heard. */
    void (*cancel)(void *cookie);
    void *cookie;
    seL4_Word badge;
} vm_timeout_source_t;

/** What else a VM can be made with. All zeroes is what vm_init() does. */
typedef struct vm_options {
    /** A VM that is initialised, on the same endpoint: one vm_run() serves both, and their vCPUs' badges do not clash. */
    vm_t *peer;
    const vm_lock_t *lock;                     /**< copied; its functions are used until vm_destroy() */
    const vm_timeout_source_t *timeout_source; /**< copied, likewise */
    /**
     * On seL4, badges [first_badge, first_badge + CONFIG_MAX_NUM_NODES) on the endpoint are this VM's vCPUs. 0: chosen by
     * the library; client badges should then have the top bit of the word clear. A badge with a bit that the timeout source has, or the top
     * bit, is refused when its vCPU is made, and so is a timeout source whose badge has a bit of a vCPU's or no bit at all.
     */
    seL4_Word first_badge;
    /**
     * vm_map_reservation() and vm_map_reservation_frames() map each frame at the guest's first access, and RAM of vm_ram_register() and its
     * kin is cleared and mapped then, in steps of 2 MiB.
     */
    bool defer_memory_map;
} vm_options_t;

/** As vm_init(); `options` may be NULL. */
int vm_init_with_options(vm_t *vm, vka_t *vka, simple_t *host_simple, vspace_t host_vspace, ps_io_ops_t *io_ops,
                         seL4_CPtr host_endpoint, const char *name, const vm_options_t *options);

/** Gives back what somebody keeps for a VM. Its vCPUs, mappings and reservations are gone; vka, simple and vspaces still work. */
typedef void (*vm_destroy_callback_fn)(vm_t *vm, void *cookie);

/** Has vm_destroy() call it, the last one registered first. */
int vm_register_destroy_callback(vm_t *vm, vm_destroy_callback_fn destroy_callback, void *cookie);

/**
 * Frees everything that the VM and its vCPUs have, in whatever state it is, and zeroes `vm`. Pointers to its vCPUs and
 * reservations are invalid then. Frames that the client gave remain the client's.
 * Also while it and other VMs run, and from inside a callback of another VM of its endpoint; not from one of its own, while its own vm_run() is active, or
 * from a page provider or an unmapping that the library is in.
 */
int vm_destroy(vm_t *vm);

#ifdef __cplusplus
}
#endif
