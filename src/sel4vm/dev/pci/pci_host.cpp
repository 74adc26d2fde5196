// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/pci/pci_host.hpp>

#include <sel4vm/base/bits.hpp>

namespace sel4vm::dev {

namespace {

constexpr u64 kFunctionBytes = 4 * kKiB; ///< of configuration space
constexpr u64 kDeviceBytes = 8 * kFunctionBytes;

u64 all_ones(Width width) { return low_mask(8 * bytes_of(width)); }

/// The bridge itself: QEMU's, which guests know.
u32 read_bridge(u32 offset, u32 bytes) {
    constexpr std::array<u32, 4> kHeader{0x0008'1b36, 0, 0x0600'0000, 0};
    const u32 word = offset / 4 < kHeader.size() ? kHeader[offset / 4] : 0;
    return word >> (8 * (offset % 4)) & static_cast<u32>(low_mask(8 * bytes));
}

Status<BusFault> check_config_access(const Access &access) {
    if (access.width == Width::b8)
        return Err{BusFault::width};
    if (access.offset % bytes_of(access.width) != 0)
        return Err{BusFault::alignment};
    return Ok{};
}

/// What of configuration space an access is about.
struct Where {
    u64 slot;
    u64 function;
    u32 offset;
    explicit Where(u64 at)
        : slot(at / kDeviceBytes), function(at / kFunctionBytes % 8), offset(static_cast<u32>(at % kFunctionBytes)) {}
};

} // namespace

// ---------------------------------------------------------------- Configuration

Result<u64, BusFault> PciHost::Configuration::read(const Access &access) {
    SEL4VM_TRY(check_config_access(access));
    const Where where(access.offset);
    const u32 bytes = bytes_of(access.width);
    if (where.slot == 0 && where.function == 0)
        return u64{read_bridge(where.offset, bytes)};
    PciFunction *const function = where.slot < kPciSlots ? host_.functions_[where.slot] : nullptr;
    if (function == nullptr || where.function != 0)
        return all_ones(access.width);
    if (where.offset >= PciConfig::kBytes)
        return u64{0};
    LockGuard guard(function->lock());
    return u64{function->read_config(where.offset, bytes, access.vcpu)};
}

Status<BusFault> PciHost::Configuration::write(const Access &access, u64 value) {
    SEL4VM_TRY(check_config_access(access));
    const Where where(access.offset);
    PciFunction *const function = where.slot < kPciSlots ? host_.functions_[where.slot] : nullptr;
    if (function == nullptr || where.function != 0 || where.offset >= PciConfig::kBytes)
        return Ok{};
    LockGuard guard(function->lock());
    function->write_config(where.offset, bytes_of(access.width), static_cast<u32>(value), access.vcpu);
    return Ok{};
}

void PciHost::Configuration::reset() {
    for (PciFunction *function : host_.functions_) {
        if (function == nullptr)
            continue;
        LockGuard guard(function->lock());
        function->reset();
    }
}

// ---------------------------------------------------------------- Windows

PciFunction *PciHost::function_at(u64 address, PciFunction::Hit &hit) const {
    for (PciFunction *function : functions_) {
        const auto found = function == nullptr ? std::nullopt : function->find(address);
        if (!found)
            continue;
        hit = *found;
        return function;
    }
    return nullptr;
}

Result<u64, BusFault> PciHost::Window::read(const Access &access) {
    PciFunction::Hit hit{};
    PciFunction *const function = host_.function_at(base_.value() + access.offset, hit);
    if (function == nullptr)
        return all_ones(access.width);
    LockGuard guard(function->lock());
    return function->read_bar(hit.bar, {hit.offset, access.width, access.vcpu});
}

Status<BusFault> PciHost::Window::write(const Access &access, u64 value) {
    PciFunction::Hit hit{};
    PciFunction *const function = host_.function_at(base_.value() + access.offset, hit);
    if (function == nullptr)
        return Ok{};
    LockGuard guard(function->lock());
    return function->write_bar(hit.bar, {hit.offset, access.width, access.vcpu}, value);
}

// ---------------------------------------------------------------- Interrupts

// INTA# of slot n is wire n modulo 4, as on every board with this bridge.
void PciHost::set_pin(u8 slot, Level level) {
    const u32 wire = slot % kWires;
    LockGuard guard(wires_lock_);
    const u32 before = high_[wire];
    const u32 own = u32{1} << slot;
    high_[wire] = level == Level::high ? before | own : before & ~own;
    if ((before == 0) != (high_[wire] == 0))
        site_.wires[wire].set(level);
}

void PciHost::send_message(u8 slot, u64 address, u32 data) {
    if (site_.msi.target != nullptr && address == site_.msi.at.value()) {
        constexpr u32 kDeviceShift = 3; // of a requester's number, behind the function's
        site_.msi.target->send(u32{slot} << kDeviceShift, data);
        return;
    }
    // A write to memory as any other; where there is none it is lost.
    const std::array<u8, 4> bytes{static_cast<u8>(data), static_cast<u8>(data >> 8), static_cast<u8>(data >> 16),
                                  static_cast<u8>(data >> 24)};
    static_cast<void>(site_.dma.write(Gpa{address}, bytes));
}

} // namespace sel4vm::dev
