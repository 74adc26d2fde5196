// SPDX-License-Identifier: BSD-2-Clause
//
// Random register accesses and input against the PL011. Bytes that were taken come out in order, unless the guest emptied the
// FIFO; the line always says what RIS and IMSC say; a saved state is the state.
#include <fuzzer/FuzzedDataProvider.h>
#include <hosts/fake/services.hpp>
#include <sel4vm/dev/pl011/pl011.hpp>
#include <support/recording_irqs.hpp>

#include <cstdlib>
#include <deque>
#include <vector>

using namespace sel4vm;

namespace {

constexpr u32 kIntid = 33;
constexpr u64 kDr = 0x000;
constexpr u64 kFifoEnable = 1U << 4;

void require(bool ok) {
    if (!ok)
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    FuzzedDataProvider input(data, size);
    test::RecordingIrqs chip;
    fake::ByteSink sink;
    const auto fifo = input.ConsumeBool() ? dev::Pl011Fifo::bytes32 : dev::Pl011Fifo::bytes16;
    dev::Pl011 uart(IrqLine(chip, kIntid), sink, fifo);
    std::deque<u8> inside;

    while (input.remaining_bytes() > 0) {
        const dev::Pl011::State before = uart.state();
        switch (input.ConsumeIntegralInRange<int>(0, 7)) {
        case 0: {
            const auto bytes = input.ConsumeBytes<u8>(input.ConsumeIntegralInRange<usize>(0, 70));
            const usize space = uart.receive_space();
            const usize taken = uart.receive(bytes);
            require(taken == std::min(space, bytes.size()));
            inside.insert(inside.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken));
            break;
        }
        case 1: uart.restore(uart.state()); break;
        case 2:
            if (input.ConsumeIntegralInRange<int>(0, 30) == 0) {
                uart.reset();
                inside.clear();
            }
            break;
        case 3:
        case 4: { // mostly registers that exist
            const Access access{input.ConsumeIntegralInRange<u64>(0, 0x12) * 4, Width::b4, VcpuId{0}};
            const auto value = uart.read(access);
            require(value.has_value());
            if (access.offset == kDr && !inside.empty()) {
                require((*value & 0xff) == inside.front());
                inside.pop_front();
            }
            break;
        }
        default: {
            const bool plain = input.ConsumeBool();
            const u64 offset =
                plain ? input.ConsumeIntegralInRange<u64>(0, 0x12) * 4 : input.ConsumeIntegralInRange<u64>(0, 0xfff);
            const Width width =
                plain ? Width::b4 : static_cast<Width>(1U << input.ConsumeIntegralInRange<unsigned>(0, 3));
            const u64 value = input.ConsumeIntegral<u64>() & mask_of(width);
            if (offset + bytes_of(width) > dev::Pl011::kRangeBytes)
                break;
            const usize sent = sink.text.size();
            static_cast<void>(uart.write(Access{offset, width, VcpuId{0}}, value).has_value());
            const dev::Pl011::State &after = uart.state();
            if (((before.line_control ^ after.line_control) & kFifoEnable) != 0)
                inside.clear();
            if (offset / 4 == kDr && after.count == before.count + 1) // loopback; the byte lane 0 is the character
                inside.push_back(static_cast<u8>(value << (8 * offset)));
            require(sink.text.size() <= sent + 1);
            break;
        }
        }
        const dev::Pl011::State &state = uart.state();
        require(state.count == inside.size());
        require(state.count <= ((state.line_control & kFifoEnable) != 0 ? static_cast<unsigned>(fifo) : 1U));
        require(chip.high(kIntid) == ((state.raw & state.mask) != 0));
    }
    return 0;
}
