// SPDX-License-Identifier: BSD-2-Clause
//
// Why a VM could not be built, for people.
#pragma once

#include <sel4vm/base/text.hpp>

#include <string_view>

namespace sel4vm::machine {

struct BuildError {
    Text<80> key;      ///< of the description, as validate() names them; empty when it is about none
    Text<200> message; ///< a sentence without its end
};

[[nodiscard]] constexpr BuildError build_error(std::string_view key, std::string_view message) {
    BuildError error;
    error.key << key;
    error.message << message;
    return error;
}

} // namespace sel4vm::machine
