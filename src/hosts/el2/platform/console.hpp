// SPDX-License-Identifier: BSD-2-Clause
//
// The physical UART: output, and input with flow control. A byte stays in the UART until somebody asks for it, so what
// is at the other end of the line is held back by the UART, not by a buffer of ours that could overrun. Input announces itself
// once through a listener; reading until nothing is left arms the next announcement.
#pragma once

#include <hosts/el2/lib/mmio.hpp>
#include <hosts/el2/platform/interrupts.hpp>
#include <hosts/el2/portable/platform_info.hpp>

#include <sel4vm/host/event_port.hpp>
#include <sel4vm/host/services.hpp>

#include <span>
#include <string_view>

namespace sel4vm::el2 {

class Console final : public ByteSink, public IrqHandler {
public:
    explicit Console(const UartInfo &info);
    Console(const Console &) = delete;
    Console &operator=(const Console &) = delete;

    /// Waits for the UART to take each byte. Bytes go out as they are.
    void put(std::span<const u8> bytes) override;
    /// As put(), with CR before each LF: for the host's own lines.
    void print(std::string_view text);
    /// Waits until the last byte has left.
    void flush() const;

    /// From now on input makes `port` deliver `badge`, at once when some is waiting. The port outlives the console.
    void listen(Interrupts &interrupts, EventPort &port, u64 badge);
    /// Input makes nobody hear of it any more; it can be read all the same. A later listen() gets it again.
    void ignore();
    /// Takes up to `out.size()` bytes and returns how many there were. Fewer than asked means that the UART is empty; the
    /// listener hears of the next byte then, and only then.
    [[nodiscard]] usize read(std::span<u8> out);

    void on_irq(u32 intid) override;

private:
    void put_byte(u8 byte) const;
    [[nodiscard]] bool has_input() const;
    [[nodiscard]] u8 take_byte() const;
    enum class Input : u8 { masked, announced };
    void set_input_interrupt(Input state) const;
    [[nodiscard]] u32 reg(u32 index) const;
    void set_reg(u32 index, u32 value) const;

    const UartInfo &info_;
    Mmio registers_;
    EventPort *listener_ = nullptr;
    bool attached_ = false; ///< to its interrupt
    u64 badge_ = 0;
};

} // namespace sel4vm::el2
