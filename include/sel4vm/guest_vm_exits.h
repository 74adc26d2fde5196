/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Why vm_run() returned: the values of vm_t.run.exit_reason.
 */
#pragma once

typedef enum vm_exit_codes {
    VM_GUEST_MMIO_EXIT,         /**< a memory fault was left unhandled */
    VM_GUEST_IO_EXIT,           /**< not on Arm */
    VM_GUEST_NOTIFICATION_EXIT, /**< not returned by this library: a callback that fails is VM_GUEST_ERROR_EXIT */
    VM_GUEST_UNKNOWN_EXIT,      /**< a vCPU fault was left unhandled; also from vm_init() until the first return */
    /* Additions: the guest has stopped, and vm_run() returned 0. */
    VM_GUEST_SHUTDOWN_EXIT, /**< it turned itself off */
    VM_GUEST_RESET_EXIT,    /**< it asked for a reset that nobody performs */
    VM_GUEST_STOPPED_EXIT   /**< vm_stop() */
} vm_exit_codes_t;

#define VM_GUEST_ERROR_EXIT (-1)
