// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/arm/gic/gicv2m.hpp>

namespace sel4vm::dev {

namespace {
constexpr u32 kIntidMask = 0x3ff;
constexpr u32 kBaseShift = 16;
// Our product ('s', as in GICD_IIDR), of the first architecture version.
constexpr u32 kProduct = 0x73u << 20 | 0x43b;
constexpr u64 kType = 0x008; // MSI_TYPER
constexpr u64 kIidr = 0xfcc; // MSI_IIDR
} // namespace

void Gicv2m::send(u32, u32 data) {
    const u32 intid = data & kIntidMask;
    if (intid - first_ < count_)
        IrqLine{irqs_, intid}.pulse();
}

const char *Gicv2m::name() const { return "gicv2m"; }

// Three registers, of which none has parts: less than a table of them.
Result<u64, BusFault> Gicv2m::read(const Access &access) {
    if (access.width != Width::b4 || access.offset % 4 != 0)
        return Err{BusFault::width};
    switch (access.offset) {
    case kType: return u64{first_ << kBaseShift | count_};
    case kIidr: return u64{kProduct};
    default: return u64{0};
    }
}

Status<BusFault> Gicv2m::write(const Access &access, u64 value) {
    const u32 bytes = bytes_of(access.width);
    if ((bytes != 2 && bytes != 4) || access.offset % bytes != 0)
        return Err{BusFault::width};
    if (access.offset == kDoorbell)
        send(0, static_cast<u32>(value));
    return Ok{};
}

} // namespace sel4vm::dev
