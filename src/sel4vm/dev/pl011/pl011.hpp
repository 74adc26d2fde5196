// SPDX-License-Identifier: BSD-2-Clause
//
// PrimeCell UART PL011, Arm DDI 0183 revision r1p5, as a register machine between a guest and two byte streams.
//
// Modelled: every register of section 3.2 except the integration test ones, receive FIFO of 16 or 32 bytes (1 when FIFOs are
// off), receive level and timeout interrupts, transmit and overrun interrupts, loopback with its modem lines.
// Simplified on purpose:
// - The line is infinitely fast. A byte written to DR has left when the store completes, so the transmit FIFO is always empty,
//   BUSY is never seen, and each byte counts as the transition that raises the transmit interrupt. A byte is sent even while
//   UARTEN or TXE is clear: early consoles rely on a firmware that enabled the UART, and there is none before the guest.
// - The receive timeout interrupt comes with the bytes instead of 32 bit periods after them.
// - Baud rate, parity, word length, IrDA, DMA requests are stored and have no effect. A break that is sent is ignored.
// - Outside loopback CTS, DSR and DCD are asserted and RI is not: the other end is always there.
//
// The receive gate. Operating systems empty the FIFO when they open the port, before they ask for interrupts; bytes that came
// earlier would be lost, which matters when input is a pipe. So receive() takes nothing until the guest is ready:
// - open while the receive or the receive timeout interrupt is unmasked and UARTEN and RXE are set;
// - open once the guest polls: 64 reads of FR in a row that found the FIFO empty, with no write to DR in between. It stays open
//   until the guest writes CR or IMSC, when the first rule decides again.
// What was taken is in the FIFO, and only the guest can lose it (by switching FEN). Loopback needs no gate.
//
// Threads: none inside; receive() as vm/serial_port.hpp says.
#pragma once

#include <sel4vm/dev/pl011/pl011_registers.hpp>
#include <sel4vm/host/services.hpp>
#include <sel4vm/vm/device.hpp>
#include <sel4vm/vm/irq.hpp>
#include <sel4vm/vm/serial_port.hpp>

#include <array>
#include <span>

namespace sel4vm::dev {

/// The receive FIFO's depth tells the revision that the ID registers show: 32 is r1p5, 16 is r1p4 and earlier.
enum class Pl011Fifo : u8 { bytes16 = 16, bytes32 = 32 };

class Pl011 final : public MmioDevice, public SerialPort {
public:
    static constexpr u64 kRangeBytes = 0x1000;
    /// Reads of FR in a row that mean "the guest polls".
    static constexpr u8 kPollReads = 64;

    /// Everything a guest can see.
    struct State {
        std::array<u8, 32> fifo{}; ///< a ring from `head`
        u8 head = 0;
        u8 count = 0;
        u8 poll_reads = 0; ///< saturates at kPollReads
        u8 polling = 0;    ///< 1: the guest was found to poll
        u8 unseen = 0;     ///< 1: bytes came since the guest last looked (see write_icr)
        u8 overrun = 0;    ///< 1: the latest byte was lost; goes with the next character read
        u16 reserved = 0;
        u32 receive_status = 0;  ///< UARTRSR
        u32 low_power = 0;       ///< UARTILPR
        u32 integer_baud = 0;    ///< UARTIBRD
        u32 fractional_baud = 0; ///< UARTFBRD
        u32 line_control = 0;    ///< UARTLCR_H
        u32 control = pl011::Control::kReset;
        u32 fifo_levels = pl011::FifoLevels::kReset;
        u32 mask = 0; ///< UARTIMSC
        u32 raw = 0;  ///< UARTRIS
        u32 dma = 0;  ///< UARTDMACR
        friend bool operator==(const State &, const State &) = default;
    };

    Pl011(IrqLine line, ByteSink &output, Pl011Fifo fifo = Pl011Fifo::bytes32);

    // SerialPort
    void set_listener(ReceiveListener *listener) override { listener_ = listener; }
    [[nodiscard]] usize receive(std::span<const u8> bytes) override;
    /// How many bytes receive() would take now.
    [[nodiscard]] usize receive_space() const;

    [[nodiscard]] const char *name() const override { return "pl011"; }
    [[nodiscard]] Result<u64, BusFault> read(const Access &access) override;
    [[nodiscard]] Status<BusFault> write(const Access &access, u64 value) override;
    void reset() override;

    [[nodiscard]] const State &state() const { return state_; }
    /// Puts a saved state back and drives the line accordingly.
    void restore(const State &state);

private:
    struct Registers;

    u32 read_dr();
    void write_dr(u32 value);
    u32 read_rsr() { return state_.receive_status; }
    void write_ecr(u32) { state_.receive_status = 0; }
    u32 read_fr();
    u32 read_ilpr() { return state_.low_power; }
    void write_ilpr(u32 value) { state_.low_power = value & 0xff; }
    u32 read_ibrd() { return state_.integer_baud; }
    void write_ibrd(u32 value) { state_.integer_baud = value & 0xffff; }
    u32 read_fbrd() { return state_.fractional_baud; }
    void write_fbrd(u32 value) { state_.fractional_baud = value & 0x3f; }
    u32 read_lcr_h() { return state_.line_control; }
    void write_lcr_h(u32 value);
    u32 read_cr() { return state_.control; }
    void write_cr(u32 value);
    u32 read_ifls() { return state_.fifo_levels; }
    void write_ifls(u32 value);
    u32 read_imsc() { return state_.mask; }
    void write_imsc(u32 value);
    u32 read_ris();
    u32 read_mis();
    void write_icr(u32 value);
    u32 read_dmacr() { return state_.dma; }
    void write_dmacr(u32 value) { state_.dma = value & 0x7; }
    u32 read_id2() { return fifo_ == Pl011Fifo::bytes32 ? 0x34 : 0x24; }

    [[nodiscard]] bool loopback() const;
    [[nodiscard]] bool gate_open() const;
    [[nodiscard]] u8 depth() const;
    [[nodiscard]] u8 trigger() const;
    [[nodiscard]] u32 modem_flags() const;
    void push(u8 byte);
    void loop_back(u8 byte);
    void raise(u32 interrupts) { state_.raw |= interrupts; }
    void lower(u32 interrupts) { state_.raw &= ~interrupts; }
    void drive_line();
    void wake_listener();

    IrqLine line_;
    ByteSink &output_;
    ReceiveListener *listener_ = nullptr;
    Pl011Fifo fifo_;
    Level driven_ = Level::low;
    bool refused_ = false; ///< receive() turned bytes away and nobody was told of space since
    State state_;
};

} // namespace sel4vm::dev
