// SPDX-License-Identifier: BSD-2-Clause
//
// A button with which somebody asks a guest to shut down. What the guest does about it is its own business: it may ignore it.
//
// Threads: any, also inside another device's access.
#pragma once

namespace sel4vm {

class PowerButton {
public:
    /// Pressed, and let go a moment later.
    virtual void press() = 0;

protected:
    ~PowerButton() = default;
};

} // namespace sel4vm
