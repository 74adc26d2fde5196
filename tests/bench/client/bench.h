/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What exits cost a client of the C interface that has callbacks of its own. bench.c is such a client, of libsel4vm's documented
 * headers only, so that it can be built with libsel4vm, too; guest.S is its guest. A program gives it an environment.
 */
#pragma once

#define ROUNDS 1000

/* The guest's map; the interrupt controller and the GPIO are where QEMU's virt board has them. */
#define RAM         0x40000000
#define RAM_SIZE    0x1000000
#define DEVICE      0x10000000 /* of the client */
#define DEVICE_SIZE 0x1000
#define GICD        0x08000000
#define GICC        0x08010000
#define GPIO        0x09030000 /* PL061; passed through */
#define SPI         39         /* its interrupt */

/* Registers of the client's device; offset 0 is what is measured. */
#define ROW            0x10 /* a write ends the row */
#define TICKS          0x14
#define END            0x18
#define WANTS_CALLBACK 0x1c /* not 0: the client's callback serves SMCs */

/* PL061: level, event, enable. */
#define GPIO_IS  0x404
#define GPIO_IEV 0x40c
#define GPIO_IE  0x410

#define PSCI_VERSION 0x84000000
#define VENDOR_CALL  0x86000001

/* What there is to measure, besides SMCs and the client's device. */
#define HAS_IRQS_BIT 0 /* a GICv2 */
#define HAS_SPI_BIT  1 /* the GPIO, and somebody to forward its interrupt */
#define HAS_HVC_BIT  2 /* hypercalls by `hvc` */

#define ROW_SMC                   0
#define ROW_SMC_CALLBACK          1
#define ROW_MMIO_READ             2
#define ROW_MMIO_WRITE            3
#define ROW_GICD_TYPER            4
#define ROW_GICD_ISENABLER0       5
#define ROW_GICD_WRITE_ISENABLER1 6
#define ROW_GICD_WRITE_IPRIORITYR 7
#define ROW_SGI                   8
#define ROW_SGI_EOI               9
#define ROW_VTIMER                10
#define ROW_VTIMER_EOI            11
#define ROW_SPI                   12
#define ROW_SPI_EOI               13
#define ROW_HYPERCALL             14
#define ROW_COUNT                 15

#ifndef __ASSEMBLER__

#include <stdint.h>

#include <platsupport/io.h>
#include <sel4vm/guest_vm.h>

/* What the program has. */
struct bench_environment {
    vka_t *vka;
    simple_t *simple;
    vspace_t vspace;
    ps_io_ops_t *io_ops;
    seL4_CPtr endpoint;
    int priority;
    unsigned int has;          /* bits HAS_* */
    seL4_Word badge;           /* HAS_SPI: of the signal that the GPIO's interrupt gives */
    void (*acknowledge)(void); /* HAS_SPI: lets it come again */
};

/* Prints a line "bench: NAME TICKS ROUNDS" for each row; 0 when the guest came to its end. */
int bench_run(const struct bench_environment *environment);

#endif
