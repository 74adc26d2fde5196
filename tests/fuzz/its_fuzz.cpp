// SPDX-License-Identifier: BSD-2-Clause
//
// A guest that does anything at all to an ITS: any access to its frames and to the redistributors' LPI registers, any commands, tables full of
// anything, messages, acknowledgements, power changes. Nothing may fail, and no list register may be used against its host's rules.
#include <support/its_rig.hpp>

#include <cstddef>

namespace {

using namespace sel4vm;
using namespace sel4vm::test;

class Input {
public:
    Input(const u8 *data, usize size) : data_(data), size_(size) {}
    [[nodiscard]] bool empty() const { return at_ >= size_; }
    u8 byte() { return empty() ? u8{0} : data_[at_++]; }
    u64 value() {
        u64 value = 0;
        for (unsigned n = 0; n < 8; ++n)
            value = value << 8 | byte();
        return value;
    }

private:
    const u8 *data_;
    usize size_;
    usize at_ = 0;
};

constexpr Width kWidths[] = {Width::b1, Width::b2, Width::b4, Width::b8};
constexpr u64 kRegisters[] = {gits::kCtlr,  gits::kTyper,     gits::kCbaser,     gits::kCwriter, gits::kCreadr,
                              gits::kBaser, gits::kBaser + 8, gits::kTranslater, 0xffe8};
constexpr ItsCommand kCommands[] = {ItsCommand::movi, ItsCommand::int_,   ItsCommand::clear,  ItsCommand::sync,
                                    ItsCommand::mapd, ItsCommand::mapc,   ItsCommand::mapti,  ItsCommand::mapi,
                                    ItsCommand::inv,  ItsCommand::invall, ItsCommand::movall, ItsCommand::discard};

/// Small numbers that meet each other, or anything.
ItsRig::Words command(Input &in) {
    const u8 how = in.byte();
    if ((how & 0x80) != 0)
        return {in.value(), in.value(), in.value(), in.value()};
    const u8 what = in.byte();
    const u8 which = in.byte();
    ItsRig::Words words = ItsRig::command(kCommands[what % std::size(kCommands)], which >> 6, which & 7);
    words[1] |= u64{8192u + (which >> 3 & 7)} << 32;
    words[2] = (how & 0x40 ? ItsRig::kValid : 0) | u64{how & 3u};
    if (kCommands[what % std::size(kCommands)] == ItsCommand::mapd)
        words[2] = ItsRig::kValid | ItsRig::translations(which >> 6);
    else
        words[2] |= u64{how >> 2 & 3u} << 16;
    words[3] = u64{how >> 4 & 3u} << 16;
    return words;
}

void act(ItsRig &its, Input &in) {
    const u8 what = in.byte();
    const u16 cpu = static_cast<u16>((what >> 4) % its.vcpus());
    switch (what & 15) {
    case 0:
    case 1:
    case 2: its.put(command(in)); break;
    case 3:
    case 4: its.ring(cpu, in.byte() & 1); break;
    case 5: {
        const u8 how = in.byte();
        const u64 at = (how & 0x80) != 0 ? u64{in.byte()} << 8 | in.byte() : kRegisters[how % std::size(kRegisters)];
        const Width width = kWidths[in.byte() & 3];
        if ((how & 0x40) != 0)
            its.store(kItsBase + at, in.value() & mask_of(width), cpu, width);
        else
            static_cast<void>(its.load(kItsBase + at, cpu, width));
        break;
    }
    case 6: {
        const u8 how = in.byte();
        const u64 at = kGicrBase + u64{how & 3u} * dev::Redistributors::kBytesPerCpu + in.byte();
        const Width width = kWidths[how >> 2 & 3];
        if ((how & 0x40) != 0)
            its.store(at, in.value() & mask_of(width), cpu, width);
        else
            static_cast<void>(its.load(at, cpu, width));
        break;
    }
    case 7: its.poke(0x4040'0000 + (u64{in.byte()} << 8 | in.byte()) * 8 % 0x40'0000, in.value()); break;
    case 8: its.rig.machine->msi().target->send(in.byte() & 7, in.byte()); break;
    case 9: static_cast<void>(its.serve(cpu)); break;
    case 10: static_cast<void>(its.take(cpu)); break;
    case 11: its.rig.lists[cpu].end(8192u + (in.byte() & 7)); break;
    case 12: static_cast<void>(its.handle(Exit{WaitExit{false}}, cpu)); break;
    case 13: its.rig.lists[cpu].set_control(static_cast<u32>(in.value())); break;
    case 14: {
        const u8 config = in.byte();
        its.configure(8192u + (in.byte() & 7), config & 0xf8, (config & 1) != 0);
        break;
    }
    default: {
        const u8 how = in.byte();
        if (how < 64)
            its.store(kGicdBase, how & 3, cpu);
        else if (how < 128)
            its.map_some();
        else
            its.settle();
        break;
    }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8 *data, usize size) {
    Input in(data, size);
    const u8 shape = in.byte();
    ItsRig its(1 + (shape & 3u), static_cast<u8>(2 + (shape >> 2 & 3)));
    if ((shape & 0x80) == 0)
        its.open();
    while (!in.empty())
        act(its, in);
    its.settle();
    its.expect_no_violation();
    return 0;
}
