/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client benchmark as a program of the el2 host: SMCs, accesses to the client's device and hypercalls. What it measures of the
 * interrupt controller, tests/bench/exits.S measures on this host; devices cannot be passed through here.
 */
#include <bench.h>

#include <sel4vm/host.h>

int main(void) {
    static vm_host_t host;
    if (vm_host_open(&host) != 0)
        return 2;
    const struct bench_environment environment = {
        .vka = &host.vka,
        .simple = &host.simple,
        .vspace = host.vspace,
        .io_ops = &host.io_ops,
        .endpoint = host.endpoint,
        .priority = host.priority,
        .has = 1u << HAS_HVC_BIT,
    };
    return bench_run(&environment) == 0 ? 0 : 1;
}
