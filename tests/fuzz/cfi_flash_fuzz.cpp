// SPDX-License-Identifier: BSD-2-Clause
//
// Random accesses against the flash bank: it stays in its memory (ArrayRom ends the program otherwise), shows it in the array mode and in no
// other, never sets a bit but by an erase, and a locked one changes nothing.
#include <fuzzer/FuzzedDataProvider.h>
#include <sel4vm/dev/cfi_flash/cfi_flash.hpp>
#include <support/array_rom.hpp>

#include <cstdlib>

using namespace sel4vm;

namespace {

void require(bool ok) {
    if (!ok)
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    using dev::CfiFlash;
    FuzzedDataProvider input(data, size);
    constexpr u64 kBank = 2 * CfiFlash::kBlockBytes;
    static test::ArrayRom rom(kBank);
    rom.shown = true;
    const bool locked = input.ConsumeBool();
    CfiFlash flash(rom, locked ? CfiFlash::Writes::locked : CfiFlash::Writes::allowed);
    constexpr u8 kCodes[] = {0x10, 0x20, 0x40, 0x50, 0x60, 0x70, 0x90, 0x98, 0xb0, 0xd0, 0xe8, 0xf0, 0xff};
    while (input.remaining_bytes() > 0) {
        const Width width = static_cast<Width>(1U << input.ConsumeIntegralInRange<unsigned>(0, 3));
        const Access access{input.ConsumeIntegralInRange<u64>(0, kBank - bytes_of(width)), width, VcpuId{0}};
        const u8 before = rom.bytes[access.offset];
        const bool erases = flash.state().mode == CfiFlash::Mode::erase;
        switch (input.ConsumeIntegralInRange<int>(0, 3)) {
        case 0: static_cast<void>(flash.read(access).has_value()); break;
        case 1: require(flash.write(access, input.PickValueInArray(kCodes) * u64{0x1'0001}).has_value()); break;
        case 2: require(flash.write(access, input.ConsumeIntegral<u64>() & mask_of(width)).has_value()); break;
        default: {
            CfiFlash::State state = flash.state();
            state.mode = static_cast<CfiFlash::Mode>(input.ConsumeIntegral<u8>());
            state.words_left = input.ConsumeIntegral<u32>();
            state.buffer_words = input.ConsumeIntegral<u32>();
            state.buffer_from = input.ConsumeIntegral<u32>();
            flash.restore(state);
        }
        }
        require(rom.shown == (flash.state().mode == CfiFlash::Mode::array));
        require(erases || (rom.bytes[access.offset] & ~before) == 0);
        require(!locked || rom.bytes[access.offset] == before);
    }
    return 0;
}
