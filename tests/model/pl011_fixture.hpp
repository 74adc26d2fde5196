// SPDX-License-Identifier: BSD-2-Clause
//
// A PL011 with its wire and its output, and what a driver does with its registers.
#pragma once

#include <gtest/gtest.h>
#include <hosts/fake/services.hpp>
#include <sel4vm/dev/pl011/pl011.hpp>
#include <support/recording_irqs.hpp>

#include <string>
#include <string_view>

namespace sel4vm::dev {

enum : u64 {
    dr = 0x000,
    rsr = 0x004,
    fr = 0x018,
    ilpr = 0x020,
    ibrd = 0x024,
    fbrd = 0x028,
    lcr_h = 0x02c,
    cr = 0x030,
    ifls = 0x034,
    imsc = 0x038,
    ris = 0x03c,
    mis = 0x040,
    icr = 0x044,
    dmacr = 0x048,
};
constexpr u32 kIntid = 33;
constexpr u64 kFifoOn = 1U << 4;
constexpr u64 kEnabled = 0x301;
constexpr u64 kLoopback = 1U << 7;
constexpr u64 kRxm = 1U << 4;
constexpr u64 kTxm = 1U << 5;
constexpr u64 kRtm = 1U << 6;
constexpr u64 kOem = 1U << 10;
constexpr u64 kRxfe = 1U << 4;
constexpr u64 kTxff = 1U << 5;
constexpr u64 kRxff = 1U << 6;
constexpr u64 kTxfe = 1U << 7;
constexpr u64 kModemIdle = 0x7; // CTS, DSR, DCD

struct Pl011Test : testing::Test, ReceiveListener {
    Pl011Test() { uart.set_listener(this); }
    void receive_space() override {
        ++woken;
        if (!pending.empty())
            pending.erase(0, offer(pending));
    }
    u64 get(u64 offset, Width width = Width::b4) { return *uart.read(Access{offset, width, VcpuId{0}}); }
    void set(u64 offset, u64 value, Width width = Width::b4) {
        ASSERT_TRUE(uart.write(Access{offset, width, VcpuId{0}}, value));
    }
    usize offer(std::string_view text) {
        return uart.receive({reinterpret_cast<const u8 *>(text.data()), text.size()});
    }
    /// What Linux does when it opens the port, in its order.
    void open_like_linux() {
        set(cr, kEnabled);
        set(lcr_h, 0x70);
        set(icr, 0x7ff);
        for (int i = 0; i < 64 && (get(fr) & kRxfe) == 0; ++i)
            drained += static_cast<char>(get(dr));
        set(imsc, kRxm | kRtm);
    }
    std::string read_all() {
        std::string text;
        while ((get(fr) & kRxfe) == 0)
            text += static_cast<char>(get(dr));
        return text;
    }

    test::RecordingIrqs chip;
    fake::ByteSink sink;
    Pl011 uart{IrqLine(chip, kIntid), sink};
    int woken = 0;
    std::string pending;
    std::string drained;
};

} // namespace sel4vm::dev
