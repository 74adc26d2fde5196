// SPDX-License-Identifier: BSD-2-Clause
//
// storm.S, and LPIs that MOVI moves while they are pending.
// run: --vcpus 4 --msi its
// gic: 3
// cpus: 2 4
// variant: wfi -DWFI_CPUS=15 -DROUNDS=60
// variant: mixed -DWFI_CPUS=5 -DROUNDS=30
#define EVERYTHING
#define LPIS
#include "its.h"
#include "sgi_storm.S"
