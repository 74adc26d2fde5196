/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the generated device tree says a CPU is. The library has no platform of its own: the architecture's generic name.
 */
#pragma once

#ifndef PLAT_CPU_COMPAT
#define PLAT_CPU_COMPAT "arm,armv8"
#endif
