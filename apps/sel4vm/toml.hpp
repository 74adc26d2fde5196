// SPDX-License-Identifier: BSD-2-Clause
//
// toml++ as this tool uses it. Version 3.3 asserts in its parser what its input may break ("[=" is enough), and then
// goes on to report it properly; with NDEBUG it even tells the compiler to assume it. So its assertions do nothing here.
#pragma once

#pragma push_macro("NDEBUG")
#undef NDEBUG
#define TOML_ASSERT(expression) static_cast<void>(expression)
// Its tables of characters also promise the compiler that some never come that do come: a letter such as U+00E9 where a
// space could be reaches the end of is_non_ascii_horizontal_whitespace(). The right answer there is "no".
#include <toml++/impl/forward_declarations.h>
#pragma push_macro("TOML_UNREACHABLE")
#undef TOML_UNREACHABLE
#define TOML_UNREACHABLE return false
#include <toml++/impl/unicode.h>
#pragma pop_macro("TOML_UNREACHABLE")
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")
