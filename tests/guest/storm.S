// SPDX-License-Identifier: BSD-2-Clause
//
// sgi_storm.S with everything (lib/everything.h): timers fire, and a shared interrupt is asked for and re-routed, while all vCPUs send SGIs to all others.
// run: --vcpus 4
// cpus: 2 4
// variant: wfi -DWFI_CPUS=15 -DROUNDS=60
// variant: mixed -DWFI_CPUS=5 -DROUNDS=30
#define EVERYTHING
#include "sgi_storm.S"
