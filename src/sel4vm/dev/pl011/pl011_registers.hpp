// SPDX-License-Identifier: BSD-2-Clause
//
// Register layouts of the PrimeCell UART PL011 (Arm DDI 0183, r1p5, chapter 3). Facts only.
#pragma once

#include <sel4vm/base/reg_value.hpp>
#include <sel4vm/base/types.hpp>

namespace sel4vm::dev::pl011 {

/// UARTDR as read: a character and what happened to it.
struct Data : RegValue<Data, u32> {
    using RegValue::RegValue;
    using Overrun = Field<11>;
    using Break = Field<10>;
    using Parity = Field<9>;
    using Framing = Field<8>;
    using Character = Field<7, 0, u8>;
    static_assert(disjoint<Overrun, Break, Parity, Framing, Character>());
};

/// UARTRSR.
struct ReceiveStatus : RegValue<ReceiveStatus, u32> {
    using RegValue::RegValue;
    using Overrun = Field<3>;
    using Break = Field<2>;
    using Parity = Field<1>;
    using Framing = Field<0>;
};

/// UARTFR.
struct Flags : RegValue<Flags, u32> {
    using RegValue::RegValue;
    using RingIndicator = Field<8>;
    using TransmitEmpty = Field<7>;
    using ReceiveFull = Field<6>;
    using TransmitFull = Field<5>;
    using ReceiveEmpty = Field<4>;
    using Busy = Field<3>;
    using CarrierDetect = Field<2>;
    using DataSetReady = Field<1>;
    using ClearToSend = Field<0>;
    static_assert(disjoint<RingIndicator, TransmitEmpty, ReceiveFull, TransmitFull, ReceiveEmpty, Busy, CarrierDetect,
                           DataSetReady, ClearToSend>());
};

/// UARTLCR_H.
struct LineControl : RegValue<LineControl, u32> {
    using RegValue::RegValue;
    using FifoEnable = Field<4>;
    using SendBreak = Field<0>;
    static constexpr u32 kWritable = 0xff;
};

/// UARTCR.
struct Control : RegValue<Control, u32> {
    using RegValue::RegValue;
    using Out2 = Field<13>;
    using Out1 = Field<12>;
    using RequestToSend = Field<11>;
    using DataTerminalReady = Field<10>;
    using ReceiveEnable = Field<9>;
    using TransmitEnable = Field<8>;
    using Loopback = Field<7>;
    using UartEnable = Field<0>;
    static_assert(
        disjoint<Out2, Out1, RequestToSend, DataTerminalReady, ReceiveEnable, TransmitEnable, Loopback, UartEnable>());
    static constexpr u32 kWritable = 0xff87;
    static constexpr u32 kReset = ReceiveEnable::mask | TransmitEnable::mask;
};

/// UARTIFLS: levels 0 to 4 are 1/8, 1/4, 1/2, 3/4 and 7/8 of the FIFO; 5 to 7 are reserved.
struct FifoLevels : RegValue<FifoLevels, u32> {
    using RegValue::RegValue;
    using Receive = Field<5, 3, u8>;
    using Transmit = Field<2, 0, u8>;
    static constexpr u32 kWritable = 0x3f;
    static constexpr u32 kReset = 0x12;
};

/// UARTIMSC, UARTRIS, UARTMIS, UARTICR.
struct Interrupts : RegValue<Interrupts, u32> {
    using RegValue::RegValue;
    using Overrun = Field<10>;
    using Break = Field<9>;
    using Parity = Field<8>;
    using Framing = Field<7>;
    using ReceiveTimeout = Field<6>;
    using Transmit = Field<5>;
    using Receive = Field<4>;
    using DataSetReady = Field<3>;
    using CarrierDetect = Field<2>;
    using ClearToSend = Field<1>;
    using RingIndicator = Field<0>;
    static_assert(disjoint<Overrun, Break, Parity, Framing, ReceiveTimeout, Transmit, Receive, DataSetReady,
                           CarrierDetect, ClearToSend, RingIndicator>());
    static constexpr u32 kWritable = 0x7ff;
    static constexpr u32 kReceiveAny = Receive::mask | ReceiveTimeout::mask;
};

} // namespace sel4vm::dev::pl011
