// SPDX-License-Identifier: BSD-2-Clause
//
// The PL061 with its power button as a kind of device that descriptions can ask for. Apart from the model, so that who does not use it
// does not link it.
#pragma once

#include <sel4vm/dev/device_kind.hpp>

namespace sel4vm::dev {

extern const DeviceKind kPl061;

} // namespace sel4vm::dev
