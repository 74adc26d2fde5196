// SPDX-License-Identifier: BSD-2-Clause
//
// The memory of a device that its guest may read past it, without an exit: a flash chip's array. While it is hidden, every access is the
// device's; writes always are.
//
// Threads: those of the device; no two calls at once.
#pragma once

#include <sel4vm/base/types.hpp>

#include <span>

namespace sel4vm {

class RomPort {
public:
    [[nodiscard]] virtual u64 size_bytes() const = 0;

    virtual void hide() = 0;
    /// A host that cannot map it leaves it hidden: the device is still asked then.
    virtual void show() = 0;

    /// Copies; nothing, where it is not all inside the memory.
    virtual void read(u64 offset, std::span<u8> out) const = 0;
    virtual void write(u64 offset, std::span<const u8> bytes) = 0;

protected:
    ~RomPort() = default;
};

} // namespace sel4vm
