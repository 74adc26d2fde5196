/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The VM of the C interface: its structures, and the calls that run it. The structures are the client's own memory, made
 * usable by vm_init() (sel4vm/boot.h) and given back by vm_destroy(). Fields may be read at any time; those marked
 * "client" may be written, too. Everything else about a VM is behind vm_arch.machine.
 *
 * Results: unless a call says otherwise, an int is 0 for success and -1 for an error, a pointer is NULL for an error. An
 * error changes nothing and writes one line to the host's log that says which argument or resource was at fault. What is the guest's doing is no
 * error of the caller's and writes none: vm_inject_irq() of an interrupt that the guest has not enabled.
 *
 * Threads: all calls about one VM, and about VMs that share its endpoint, come from one thread; only vm_stop() may come from
 * any. Callbacks run on the thread that is inside vm_run(), and may use the whole interface except vm_run() and
 * vm_destroy().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sel4/sel4.h>

#include <platsupport/io.h>
#include <simple/simple.h>
#include <vka/object.h>
#include <vka/vka.h>
#include <vspace/vspace.h>

#include <sel4vm/arch/guest_vm_arch.h>
#include <sel4vm/guest_memory.h>
#include <sel4vm/guest_vm_types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vm_mem vm_mem_t;
typedef struct vm_ram_region vm_ram_region_t;
typedef struct vm_run vm_run_t;
typedef struct vm_arch vm_arch_t;

/**
 * Decides about an access to guest-physical memory that nobody owns: no RAM, no reservation, no interrupt controller.
 * @param paddr  guest-physical address of the access
 * @param len    bytes accessed: 1, 2, 4 or 8; 0 when the instruction cannot be told (see get_vcpu_fault_size())
 * @return see memory_fault_result_t. FAULT_UNHANDLED and FAULT_ERROR end vm_run() with -1.
 */
typedef memory_fault_result_t (*unhandled_mem_fault_callback_fn)(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t paddr, size_t len,
                                                                 void *cookie);

/**
 * Hears an event on the VM's endpoint that is not about a vCPU.
 * @param badge  the badge that the sender's capability carries; for notifications, the bits of all that signalled
 * @param tag    of a message; zero for a notification
 * @return 0 to go on; anything else ends vm_run() with -1 and VM_GUEST_ERROR_EXIT
 */
typedef int (*notification_callback_fn)(vm_t *vm, seL4_Word badge, seL4_MessageInfo_t tag, void *cookie);

/** A piece of the guest's RAM. Pieces are sorted by `start`, disjoint, and neighbours of the same state are one. */
struct vm_ram_region {
    uintptr_t start; /**< guest-physical, 4 KiB aligned */
    size_t size;     /**< bytes */
    int allocated;   /**< 1: given out by vm_ram_allocate() or vm_ram_mark_allocated() */
};

/** The VM's memory. */
struct vm_mem {
    vspace_t vm_vspace;          /**< guest-physical addresses; without functions beside seL4 */
    vka_object_t vm_vspace_root; /**< its root object, where the host has one */
    vspace_t vmm_vspace;         /**< the VMM's own, as given to vm_init() */
    int num_ram_regions;
    struct vm_ram_region *ram_regions;
    vm_memory_reservation_cookie_t *reservation_cookie;
    unhandled_mem_fault_callback_fn unhandled_mem_fault_handler;
    void *unhandled_mem_fault_cookie;
    bool clean_cache;    /**< client: vm_ram_touch() also cleans caches after each callback while the guest runs */
    bool map_one_to_one; /**< client: a note for the client's own boot code; the library does not look at it */
};

/** The objects that execute a vCPU. On hosts without such objects the handles are 0. */
struct vm_tcb {
    vka_object_t tcb;
    vka_object_t sc;
    vka_object_t sched_ctrl;
    int priority; /**< as given to vm_create_vcpu() */
};

/** A vCPU. */
struct vm_vcpu {
    struct vm *vm;
    vka_object_t vcpu;
    struct vm_tcb tcb;
    unsigned int vcpu_id; /**< its index in vm.vcpus */
    int target_cpu;       /**< the CPU it is bound to; -1: none yet */
    bool vcpu_online;     /**< started by vcpu_start() or by the guest, and not turned off since */
    struct vm_vcpu_arch vcpu_arch;
};

/** How the last vm_run() ended, and who hears events. */
struct vm_run {
    int exit_reason; /**< vm_exit_codes_t (sel4vm/guest_vm_exits.h) or VM_GUEST_ERROR_EXIT */
    notification_callback_fn notification_callback;
    void *notification_callback_cookie;
};

/** The guest's own capability space (seL4 only). */
struct vm_cspace {
    vka_object_t cspace_obj;
    seL4_Word cspace_root_data;
};

/** A VM. */
struct vm {
    struct vm_arch arch;
    unsigned int num_vcpus;
    struct vm_vcpu *vcpus[CONFIG_MAX_NUM_NODES];
    struct vm_mem mem;
    struct vm_run run;
    struct vm_cspace cspace;
    seL4_CPtr host_endpoint; /**< vm_run() waits here */
    vka_t *vka;
    ps_io_ops_t *io_ops;
    simple_t *simple;
    seL4_Word entry; /**< client: where its kernel starts; vm_load_guest_kernel() of sel4vmmplatsupport looks at it */
    char *vm_name;   /**< the library's own copy */
    unsigned int vm_id; /**< tells VMs of one endpoint apart, from 0 */
    bool vm_initialised;
};

/**
 * Runs the VM, and every other VM of its endpoint, until there is something to say about this one. Blocks.
 * @return 0 once, when the guest has stopped: run.exit_reason is VM_GUEST_SHUTDOWN_EXIT, VM_GUEST_RESET_EXIT or
 *   VM_GUEST_STOPPED_EXIT. -1 at once when it had stopped before. Otherwise -1, and run.exit_reason says why:
 *   VM_GUEST_MMIO_EXIT, VM_GUEST_UNKNOWN_EXIT  a memory or vCPU fault that the client's callback left unhandled. The vCPU
 *     waits at the instruction; the client may look at the fault, finish it with advance_vcpu_fault(), or change
 *     registers. The next vm_run() continues there, and executes the instruction again when nothing was done about it.
 *   VM_GUEST_ERROR_EXIT  a callback reported an error, an event came that no callback is registered for, the guest crashed,
 *     the host failed, or nothing can ever happen again.
 */
#if defined(__cplusplus) && defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow" /* the interface has a structure of this name, too */
#endif
int vm_run(vm_t *vm);
#if defined(__cplusplus) && defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

/**
 * Starts a vCPU: the boot vCPU with the registers set by vm_set_thread_context() and vm_set_arm_vcpu_reg(), on top of the
 * architecture's reset state. The first start of a VM also builds its interrupt controller and services, after which no vCPU
 * can be added. Other vCPUs are usually started by the guest; one that is started here before the boot vCPU starts with it.
 * One that is started inside an SMC handler, which serves PSCI by itself then, has the endianness of the vCPU that made the call
 * (SCTLR_EL1.EE and E0E), unless vm_set_arm_vcpu_reg() has set its seL4_VCPUReg_SCTLR.
 * A VM that has stopped starts anew with its memory as it is.
 * @return -1 when it runs already or a resource is lacking
 */
int vcpu_start(vm_vcpu_t *vcpu);

/**
 * Registers who decides about accesses to memory that nobody owns. Without one, and after `fault_handler` NULL, the guest gets
 * what hardware would give it: a synchronous external abort.
 */
int vm_register_unhandled_mem_fault_callback(vm_t *vm, unhandled_mem_fault_callback_fn fault_handler, void *cookie);

/** Registers who hears events; NULL for nobody, which makes every event an error. */
int vm_register_notification_callback(vm_t *vm, notification_callback_fn notification_callback, void *cookie);

/* ---- Additions to the interface of libsel4vm */

/**
 * Stops the VM: its vCPUs finish their instruction, and vm_run() returns 0 with VM_GUEST_STOPPED_EXIT. From any thread;
 * where vm_run() is on another thread, it takes effect at once.
 * @return -1 when it has stopped already
 */
int vm_stop(vm_t *vm);

/**
 * Holds all vCPUs after the instructions they are at; vm_run() goes on serving events. The guest's counter runs on.
 * @return -1 unless it runs
 */
int vm_pause(vm_t *vm);

/** Lets a paused VM run, or takes back a vm_pause() before every vCPU is held. @return -1 when it is not paused */
int vm_resume(vm_t *vm);

/** What a guest gets for a mistake when no callback is registered for it. */
typedef enum vm_fault_policy {
    VM_FAULT_POLICY_INJECT, /**< what hardware would do: an abort, an undefined instruction, NOT_SUPPORTED */
    VM_FAULT_POLICY_RETURN  /**< vm_run() returns -1 with the vCPU at the instruction */
} vm_fault_policy_t;

/** Chooses it; VM_FAULT_POLICY_INJECT from vm_init() on. */
int vm_set_fault_policy(vm_t *vm, vm_fault_policy_t policy);

/**
 * Called when the guest asks for a reset (PSCI SYSTEM_RESET), with all vCPUs off and all devices of the library reset. It puts
 * guest memory and the boot vCPU's registers into their first state. Other vCPUs that it starts begin with the boot vCPU.
 * @return 0: the boot vCPU starts again. Anything else: the VM stops, and vm_run() returns 0 with VM_GUEST_RESET_EXIT.
 */
typedef int (*vm_reset_callback_fn)(vm_t *vm, void *cookie);

/** Registers it; NULL for none, which stops the VM with VM_GUEST_RESET_EXIT. */
int vm_register_reset_callback(vm_t *vm, vm_reset_callback_fn reset_callback, void *cookie);

#ifdef __cplusplus
}
#endif
