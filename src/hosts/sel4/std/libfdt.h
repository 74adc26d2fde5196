// SPDX-License-Identifier: BSD-2-Clause
//
// Stands before util_libs' <libfdt.h> in C++ sources, since that one does not say that it is C.
#pragma once

extern "C" {
#include_next <libfdt.h>
}
