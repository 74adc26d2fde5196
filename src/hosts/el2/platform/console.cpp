// SPDX-License-Identifier: BSD-2-Clause
//
// PL011 (DDI 0183) and 8250-compatible UARTs. Line settings stay as the firmware left them.
#include <hosts/el2/platform/console.hpp>

namespace sel4vm::el2 {
namespace {

// PL011 register offsets and bits.
constexpr u32 kDr = 0x00;
constexpr u32 kFr = 0x18;
constexpr u32 kCr = 0x30;
constexpr u32 kImsc = 0x38;
constexpr u32 kFrBusy = 1U << 3;
constexpr u32 kFrRxEmpty = 1U << 4;
constexpr u32 kFrTxFull = 1U << 5;
constexpr u32 kCrOn = 1U << 0 | 1U << 8 | 1U << 9; // UART, transmit, receive
constexpr u32 kRxInterrupts = 1U << 4 | 1U << 6;   // receive, receive timeout

// 8250 register indexes and bits.
constexpr u32 kRbrThr = 0;
constexpr u32 kIer = 1;
constexpr u32 kLsr = 5;
constexpr u32 kIerRx = 1U << 0;
constexpr u32 kLsrDataReady = 1U << 0;
constexpr u32 kLsrThrEmpty = 1U << 5;
constexpr u32 kLsrIdle = 1U << 6;

} // namespace

Console::Console(const UartInfo &info) : info_(info), registers_(info.registers->base()) {
    if (info_.kind == UartKind::pl011) {
        registers_.write32(kImsc, 0);
        // Switching the FIFOs on would throw away input that came before us, so they stay as they are.
        if ((registers_.read32(kCr) & kCrOn) != kCrOn)
            registers_.write32(kCr, registers_.read32(kCr) | kCrOn);
    } else {
        set_reg(kIer, 0);
    }
}

u32 Console::reg(u32 index) const {
    const u32 offset = index << info_.register_shift;
    return info_.register_width == 4 ? registers_.read32(offset) : registers_.read8(offset);
}
void Console::set_reg(u32 index, u32 value) const {
    const u32 offset = index << info_.register_shift;
    if (info_.register_width == 4)
        registers_.write32(offset, value);
    else
        registers_.write8(offset, static_cast<u8>(value));
}

void Console::put_byte(u8 byte) const {
    if (info_.kind == UartKind::pl011) {
        while ((registers_.read32(kFr) & kFrTxFull) != 0) {
        }
        registers_.write32(kDr, byte);
    } else {
        while ((reg(kLsr) & kLsrThrEmpty) == 0) {
        }
        set_reg(kRbrThr, byte);
    }
}

void Console::put(std::span<const u8> bytes) {
    for (const u8 byte : bytes)
        put_byte(byte);
}

void Console::print(std::string_view text) {
    for (const char c : text) {
        if (c == '\n')
            put_byte('\r');
        put_byte(static_cast<u8>(c));
    }
}

void Console::flush() const {
    if (info_.kind == UartKind::pl011) {
        while ((registers_.read32(kFr) & kFrBusy) != 0) {
        }
    } else {
        while ((reg(kLsr) & kLsrIdle) == 0) {
        }
    }
}

bool Console::has_input() const {
    if (info_.kind == UartKind::pl011)
        return (registers_.read32(kFr) & kFrRxEmpty) == 0;
    return (reg(kLsr) & kLsrDataReady) != 0;
}

u8 Console::take_byte() const {
    return static_cast<u8>(info_.kind == UartKind::pl011 ? registers_.read32(kDr) : reg(kRbrThr));
}

/// The interrupt is only ever masked, not cleared: it is a level that goes away with the bytes.
void Console::set_input_interrupt(Input state) const {
    const bool on = state == Input::announced;
    if (info_.kind == UartKind::pl011)
        registers_.write32(kImsc, on ? kRxInterrupts : 0);
    else
        set_reg(kIer, on ? kIerRx : 0);
}

void Console::listen(Interrupts &interrupts, EventPort &port, u64 badge) {
    listener_ = &port;
    badge_ = badge;
    if (!info_.irq)
        return; // the tree names no interrupt: a reader has to ask by itself
    if (!attached_)
        interrupts.attach(*info_.irq, *this);
    attached_ = true;
    set_input_interrupt(Input::announced);
}

void Console::ignore() {
    listener_ = nullptr;
    if (attached_)
        set_input_interrupt(Input::masked);
}

usize Console::read(std::span<u8> out) {
    usize count = 0;
    while (count < out.size() && has_input())
        out[count++] = take_byte();
    if (count < out.size() && listener_ != nullptr)
        set_input_interrupt(Input::announced);
    return count;
}

void Console::on_irq(u32) {
    set_input_interrupt(Input::masked);
    if (listener_ != nullptr)
        listener_->signal(badge_);
}

} // namespace sel4vm::el2
