// SPDX-License-Identifier: BSD-2-Clause
//
// A flash bank of the `virt` board that nobody has put an image into: it reads as erased, all ones, and cannot be programmed. Firmware
// that keeps its settings there finds none, instead of an abort. Deliberately not a flash chip: it answers no command, so a
// driver that probes for one finds none.
//
// Threads: the object has no state.
#pragma once

#include <sel4vm/vm/device.hpp>

namespace sel4vm::dev {

class ErasedFlash final : public MmioDevice {
public:
    [[nodiscard]] const char *name() const override { return "erased flash"; }
    [[nodiscard]] Result<u64, BusFault> read(const Access &access) override { return mask_of(access.width); }
    [[nodiscard]] Status<BusFault> write(const Access &, u64) override { return Ok{}; }
    void reset() override {}
};

} // namespace sel4vm::dev
