// SPDX-License-Identifier: BSD-2-Clause
//
// Words for a guest's mistakes, as messages and the reasons of stops have them.
#pragma once

#include <sel4vm/vm/fault_policy.hpp>

#include <string_view>

namespace sel4vm {

/// What the guest tried, where, and what is there: a phrase for messages. `device` is the name of the one at a memory or port exit's address; empty:
/// there is none. `architecture`: nullptr leaves numbers.
[[nodiscard]] Text<160> describe(Mistake mistake, const Exit &exit, std::string_view device,
                                 const Architecture *architecture);

} // namespace sel4vm
