// SPDX-License-Identifier: BSD-2-Clause
//
// toml++ as this tool uses it. Version 3.3 asserts in its parser what its input may break ("[=" is enough), and then
// goes on to report it properly; with NDEBUG it even tells the compiler to assume it. So its assertions do nothing here.
#pragma once

#pragma push_macro("NDEBUG")
#undef NDEBUG
#define TOML_ASSERT(expression) static_cast<void>(expression)
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")
