// SPDX-License-Identifier: BSD-2-Clause
//
// The implementation of toml++, compiled once.
#define TOML_IMPLEMENTATION
#include <apps/sel4vm/toml.hpp>
