// SPDX-License-Identifier: BSD-2-Clause
//
// A guest that does anything at all to a GIC: any access to any frame, SGIs, acknowledgements and ends in any order and of
// anything, wires, timers, resets. No assertion may fire, and no list register may be used against its host's rules.
#include <support/gic_rig.hpp>

#include <cstddef>

namespace {

using namespace sel4vm;
using sel4vm::test::GicRig;

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
    u32 half() { return u32{byte()} << 8 | byte(); }

private:
    const u8 *data_;
    usize size_;
    usize at_ = 0;
};

constexpr Width kWidths[] = {Width::b1, Width::b2, Width::b4, Width::b8};

void access(GicRig &rig, Input &in, u32 cpu) {
    const u8 how = in.byte();
    const Width width = kWidths[how & 3];
    u64 offset = in.half();
    if (rig.v2())
        offset &= 0xfff;
    // Mostly aligned, so that accesses arrive.
    if ((how & 0x40) == 0)
        offset &= ~u64{bytes_of(width) - 1};
    const bool redistributor = !rig.v2() && (how & 4) != 0;
    if (redistributor)
        offset += (u64{in.byte()} & 7) * 0x1'0000;
    if ((how & 8) != 0) {
        const u64 value = in.value() & mask_of(width);
        if (redistributor)
            static_cast<void>(rig.redistributors.write(cpu, offset, width, value));
        else if (rig.v2())
            static_cast<void>(rig.v2_frame.write(cpu, offset, width, value));
        else
            static_cast<void>(rig.v3_frame.write(cpu, offset, width, value));
    } else {
        const auto value = redistributor ? rig.redistributors.read(cpu, offset, width)
                           : rig.v2()    ? rig.v2_frame.read(cpu, offset, width)
                                         : rig.v3_frame.read(cpu, offset, width);
        SEL4VM_ASSERT(!value || (*value & ~mask_of(width)) == 0);
    }
}

void act(GicRig &rig, Input &in) {
    const u8 what = in.byte();
    const u32 cpu = (what >> 4) % rig.config.cpus;
    switch (what & 15) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
    case 5: access(rig, in, cpu); break;
    case 6: {
        const u8 which = in.byte();
        const u32 intid = 16 + which % (16 + rig.config.spis);
        rig.core.irqs().set_wire(cpu, intid, level_of((in.byte() & 1) != 0));
        break;
    }
    case 7: dev::send_sgi_v3(rig.core, cpu, static_cast<dev::SgiRegister>(in.byte() % 3), in.value()); break;
    case 8: static_cast<void>(rig.acknowledge(cpu)); break;
    case 9: rig.lists[cpu].end(in.byte(), in.byte() & 7); break;
    case 10: {
        if (const auto taken = rig.acknowledge(cpu))
            rig.lists[cpu].end(taken->intid, taken->source);
        break;
    }
    case 11: {
        const u8 intid = in.byte();
        const u8 how = in.byte();
        if ((how & 8) != 0)
            rig.deactivate(intid, cpu);
        else
            rig.lists[cpu].deactivate(intid, how & 7);
        break;
    }
    case 12: {
        const u8 how = in.byte();
        if ((how & 1) != 0)
            rig.timers[cpu].meet_condition();
        else
            rig.timers[cpu].clear_condition();
        if (rig.timers[cpu].fires())
            rig.core.delivery(cpu).timer_fired(27);
        break;
    }
    case 13: static_cast<void>(rig.deliverable(cpu)); break;
    case 14: rig.settle(); break;
    default: {
        const u8 how = in.byte();
        if (how < 8)
            rig.core.reset();
        else if (how < 32)
            rig.turn_off(cpu);
        else if (how < 56)
            rig.turn_on(cpu);
        else if (rig.config.abilities.read_back)
            rig.lists[cpu].set_control(static_cast<u32>(in.value()));
        break;
    }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8 *data, usize size) {
    Input in(data, size);
    const u8 shape = in.byte();
    const auto version = (shape & 1) != 0 ? dev::GicVersion::v3 : dev::GicVersion::v2;
    const u8 lists = static_cast<u8>(1 + (shape >> 2 & 7));
    GicRig rig({version, 1 + (u32{shape} >> 5 & 3), 8 + u32{in.byte()},
                (shape & 2) != 0 ? fake::ListRegisters::full(lists) : fake::ListRegisters::injection_only(lists)});
    if ((in.byte() & 1) != 0)
        rig.open();
    while (!in.empty()) {
        act(rig, in);
        rig.settle();
        SEL4VM_ASSERT(rig.violation() == nullptr);
    }
    return 0;
}
