// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/pl011/pl011.hpp>

#include <sel4vm/dev/register_bank.hpp>

#include <algorithm>

namespace sel4vm::dev {

using pl011::Control;
using pl011::Data;
using pl011::FifoLevels;
using pl011::Flags;
using pl011::Interrupts;
using pl011::LineControl;
using pl011::ReceiveStatus;

struct Pl011::Registers {
    using D = Pl011;
    // APB has no byte strobes: a narrow store writes the whole register with the bytes it has.
    static constexpr Widths kAny = kWidths124;
    static constexpr Narrow kApb = Narrow::zero_extend;
    static constexpr auto kBank = register_bank<D, Pl011::kRangeBytes>(std::array{
        reg<D, &D::read_dr, &D::write_dr>("UARTDR", 0x000, kAny, kApb),
        reg<D, &D::read_rsr, &D::write_ecr>("UARTRSR/UARTECR", 0x004, kAny, kApb),
        reg<D, &D::read_fr, nullptr>("UARTFR", 0x018, kAny, kApb),
        reg<D, &D::read_ilpr, &D::write_ilpr>("UARTILPR", 0x020, kAny, kApb),
        reg<D, &D::read_ibrd, &D::write_ibrd>("UARTIBRD", 0x024, kAny, kApb),
        reg<D, &D::read_fbrd, &D::write_fbrd>("UARTFBRD", 0x028, kAny, kApb),
        reg<D, &D::read_lcr_h, &D::write_lcr_h>("UARTLCR_H", 0x02c, kAny, kApb),
        reg<D, &D::read_cr, &D::write_cr>("UARTCR", 0x030, kAny, kApb),
        reg<D, &D::read_ifls, &D::write_ifls>("UARTIFLS", 0x034, kAny, kApb),
        reg<D, &D::read_imsc, &D::write_imsc>("UARTIMSC", 0x038, kAny, kApb),
        reg<D, &D::read_ris, nullptr>("UARTRIS", 0x03c, kAny, kApb),
        reg<D, &D::read_mis, nullptr>("UARTMIS", 0x040, kAny, kApb),
        reg<D, nullptr, &D::write_icr>("UARTICR", 0x044, kAny, kApb),
        reg<D, &D::read_dmacr, &D::write_dmacr>("UARTDMACR", 0x048, kAny, kApb),
        constant<D>("UARTPeriphID0", 0xfe0, 0x11),
        constant<D>("UARTPeriphID1", 0xfe4, 0x10),
        reg<D, &D::read_id2, nullptr>("UARTPeriphID2", 0xfe8, kAny, kApb),
        constant<D>("UARTPeriphID3", 0xfec, 0x00),
        constant<D>("UARTPCellID0", 0xff0, 0x0d),
        constant<D>("UARTPCellID1", 0xff4, 0xf0),
        constant<D>("UARTPCellID2", 0xff8, 0x05),
        constant<D>("UARTPCellID3", 0xffc, 0xb1),
    });
};

Pl011::Pl011(IrqLine line, ByteSink &output, Pl011Fifo fifo) : line_(line), output_(output), fifo_(fifo) {}

Result<u64, BusFault> Pl011::read(const Access &access) { return Registers::kBank.read(*this, access); }

Status<BusFault> Pl011::write(const Access &access, u64 value) { return Registers::kBank.write(*this, access, value); }

void Pl011::reset() {
    state_ = State{};
    drive_line();
}

void Pl011::restore(const State &state) {
    state_ = state;
    // A saved state comes from outside: what indexes the FIFO is made valid, never trusted.
    state_.head %= static_cast<u8>(state_.fifo.size());
    state_.count = std::min(state_.count, depth());
    drive_line();
    wake_listener();
}

// -- bytes from outside

bool Pl011::loopback() const { return Control{state_.control}.get<Control::Loopback>(); }

bool Pl011::gate_open() const {
    if (loopback())
        return false;
    if (state_.polling != 0)
        return true;
    const Control control{state_.control};
    return (state_.mask & Interrupts::kReceiveAny) != 0 && control.get<Control::UartEnable>() &&
           control.get<Control::ReceiveEnable>();
}

u8 Pl011::depth() const {
    return LineControl{state_.line_control}.get<LineControl::FifoEnable>() ? static_cast<u8>(fifo_) : u8{1};
}

u8 Pl011::trigger() const {
    if (depth() == 1)
        return 1;
    constexpr std::array<u8, 8> kEighths{1, 2, 4, 6, 7, 7, 7, 7}; // the last three are reserved
    return static_cast<u8>(depth() * kEighths[FifoLevels{state_.fifo_levels}.get<FifoLevels::Receive>()] / 8);
}

usize Pl011::receive_space() const {
    if (!gate_open() || state_.count >= depth())
        return 0;
    return static_cast<usize>(depth() - state_.count);
}

usize Pl011::receive(std::span<const u8> bytes) {
    const usize taken = std::min(bytes.size(), receive_space());
    if (!bytes.empty())
        refused_ = taken < bytes.size();
    for (const u8 byte : bytes.first(taken))
        push(byte);
    if (taken > 0)
        drive_line();
    return taken;
}

/// There is room. The level interrupt comes from the transition to the trigger level, the timeout interrupt from the line
/// being silent with bytes left, which it is as soon as the last one came.
void Pl011::push(u8 byte) {
    state_.fifo[(state_.head + state_.count) % state_.fifo.size()] = byte;
    ++state_.count;
    state_.unseen = 1;
    state_.overrun = 0;
    if (state_.count == trigger())
        raise(Interrupts::Receive::mask);
    if (depth() > 1)
        raise(Interrupts::ReceiveTimeout::mask);
}

void Pl011::loop_back(u8 byte) {
    const Control control{state_.control};
    if (!control.get<Control::UartEnable>() || !control.get<Control::TransmitEnable>() ||
        !control.get<Control::ReceiveEnable>())
        return;
    if (state_.count < depth()) {
        push(byte);
        return;
    }
    state_.overrun = 1;
    state_.receive_status |= ReceiveStatus::Overrun::mask;
    raise(Interrupts::Overrun::mask);
}

void Pl011::drive_line() {
    const Level level = level_of((state_.raw & state_.mask) != 0);
    if (level == driven_)
        return;
    driven_ = level;
    line_.set(level);
}

void Pl011::wake_listener() {
    if (!refused_ || listener_ == nullptr || receive_space() == 0)
        return;
    // Once per half FIFO, so that a fast source is not called for every byte that the guest reads.
    if (state_.count > depth() / 2)
        return;
    refused_ = false;
    listener_->receive_space();
}

// -- registers

u32 Pl011::read_dr() {
    state_.unseen = 0;
    if (state_.count == 0)
        return 0;
    Data data = Data{}.with<Data::Character>(state_.fifo[state_.head]).with<Data::Overrun>(state_.overrun != 0);
    state_.head = static_cast<u8>((state_.head + 1U) % state_.fifo.size());
    --state_.count;
    if (state_.count < trigger())
        lower(Interrupts::Receive::mask);
    if (state_.count == 0)
        lower(Interrupts::ReceiveTimeout::mask);
    drive_line();
    wake_listener();
    return data.raw();
}

void Pl011::write_dr(u32 value) {
    state_.poll_reads = 0;
    const u8 byte = Data{value & 0xff}.get<Data::Character>();
    if (loopback())
        loop_back(byte);
    else
        output_.put({&byte, 1});
    raise(Interrupts::Transmit::mask);
    drive_line();
}

u32 Pl011::modem_flags() const {
    if (!loopback())
        return Flags::ClearToSend::mask | Flags::DataSetReady::mask | Flags::CarrierDetect::mask;
    const Control control{state_.control};
    return Flags{}
        .with<Flags::ClearToSend>(control.get<Control::RequestToSend>())
        .with<Flags::DataSetReady>(control.get<Control::DataTerminalReady>())
        .with<Flags::CarrierDetect>(control.get<Control::Out1>())
        .with<Flags::RingIndicator>(control.get<Control::Out2>())
        .raw();
}

u32 Pl011::read_fr() {
    state_.unseen = 0;
    const u32 flags = Flags{modem_flags()}
                          .with<Flags::TransmitEmpty>(true)
                          .with<Flags::ReceiveFull>(state_.count >= depth())
                          .with<Flags::ReceiveEmpty>(state_.count == 0)
                          .raw();
    if (state_.count == 0 && state_.polling == 0 && ++state_.poll_reads == kPollReads) {
        state_.polling = 1;
        state_.poll_reads = 0;
        wake_listener();
    }
    return flags;
}

void Pl011::write_lcr_h(u32 value) {
    const u32 old = state_.line_control;
    state_.line_control = value & LineControl::kWritable;
    if (((old ^ value) & LineControl::FifoEnable::mask) != 0) {
        // Switching between FIFO and single-character mode empties the receiver.
        state_.count = 0;
        state_.head = 0;
        lower(Interrupts::kReceiveAny);
        drive_line();
        wake_listener();
    }
}

void Pl011::write_cr(u32 value) {
    const u32 modem_before = modem_flags();
    state_.control = value & Control::kWritable;
    state_.polling = 0;
    state_.poll_reads = 0;

    const u32 changed = modem_before ^ modem_flags();
    raise(Interrupts{}
              .with<Interrupts::ClearToSend>((changed & Flags::ClearToSend::mask) != 0)
              .with<Interrupts::DataSetReady>((changed & Flags::DataSetReady::mask) != 0)
              .with<Interrupts::CarrierDetect>((changed & Flags::CarrierDetect::mask) != 0)
              .with<Interrupts::RingIndicator>((changed & Flags::RingIndicator::mask) != 0)
              .raw());
    drive_line();
    wake_listener();
}

void Pl011::write_ifls(u32 value) {
    state_.fifo_levels = value & FifoLevels::kWritable;
    // The interrupt belongs to a fill level at or above the trigger; below it only a new transition raises one.
    if (state_.count < trigger()) {
        lower(Interrupts::Receive::mask);
        drive_line();
    }
}

void Pl011::write_imsc(u32 value) {
    state_.mask = value & Interrupts::kWritable;
    state_.polling = 0;
    state_.poll_reads = 0;
    drive_line();
    wake_listener();
}

u32 Pl011::read_ris() {
    state_.unseen = 0;
    return state_.raw;
}

u32 Pl011::read_mis() {
    state_.unseen = 0;
    return state_.raw & state_.mask;
}

/// A driver that empties the FIFO and then clears the interrupt may do so just after more bytes came. On hardware their
/// interrupt is still to come; here it came with them, so this one clear, by a guest that has not looked since, does not
/// take it away.
void Pl011::write_icr(u32 value) {
    u32 clear = value & Interrupts::kWritable;
    if (state_.unseen != 0 && state_.count > 0)
        clear &= ~Interrupts::kReceiveAny;
    state_.unseen = 0;
    lower(clear);
    drive_line();
}

} // namespace sel4vm::dev
