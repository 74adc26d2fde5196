// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/machine/shared_places.hpp>

#include <sel4vm/base/bits.hpp>
#include <sel4vm/base/range.hpp>
#include <sel4vm/machine/image_placement.hpp>
#include <sel4vm/machine/validate.hpp>

#include <algorithm>

namespace sel4vm::machine {

namespace {

constexpr u64 kMemoryAlignment = 2 * kMiB; // so that hosts can map it in blocks

class Places {
public:
    explicit Places(const MachineDescription &vm) : vm_(vm) {}

    [[nodiscard]] std::optional<Gpa> find(Gpa from, u64 size_bytes, u64 alignment) const {
        u64 base = from.value();
        while (true) {
            const auto range = GpaRange::make(Gpa{base}, size_bytes);
            if (!range || range->end().value() > kGuestAddressEnd)
                return std::nullopt;
            const u64 end = end_of_what_is_in(*range);
            if (end == 0)
                return Gpa{base};
            const auto next = align_up(end, alignment); // beyond one more of the VM's ranges, of which there are few
            if (!next)
                return std::nullopt;
            base = *next;
        }
    }

    [[nodiscard]] std::optional<u32> find_spi() const {
        for (u32 spi = std::min(vm_.gic.spi_count, kMaxSpis); spi-- > 0;) {
            if (!is_used(spi))
                return spi;
        }
        return std::nullopt;
    }

private:
    /// 0: nothing is.
    [[nodiscard]] u64 end_of_what_is_in(GpaRange wanted) const {
        u64 end = 0;
        const auto look = [&](const std::optional<GpaRange> &range) {
            if (range && range->overlaps(wanted))
                end = std::max(end, range->end().value());
        };
        const auto look_at = [&](Gpa base, u64 size_bytes) { look(GpaRange::make(base, size_bytes)); };
        const auto look_at_block = [&](const AddressBlock &block) { look_at(block.base, block.size_bytes); };
        for (const MemoryRegion &region : vm_.memory)
            look_at(region.base, region.size_bytes);
        const GicRecord &gic = vm_.gic;
        look_at_block(gic.distributor);
        look_at_block(gic.version == GicVersion::v2 ? gic.cpu_interface : gic.redistributors);
        look_at_block(gic.more_redistributors);
        look_at_block(msi_frame(gic.msi));
        for (const DeviceRecord &device : vm_.devices)
            look_at_block(device.registers);
        for (const ImageRecord &image : vm_.images)
            look(fixed_range(image));
        for (const SharedRecord &shared : vm_.shared) {
            if (shared.base)
                look_at(*shared.base, shared.size_bytes);
            if (shared.doorbell)
                look_at(*shared.doorbell, dev::Doorbell::kRangeBytes);
        }
        return end;
    }

    [[nodiscard]] bool is_used(u32 spi) const {
        const MsiRecord &msi = vm_.gic.msi;
        const bool messages = msi.kind == MsiKind::v2m || msi.kind == MsiKind::mbi;
        return (messages && spi >= msi.first_spi && spi - msi.first_spi < msi.spi_count) ||
               std::any_of(vm_.devices.begin(), vm_.devices.end(),
                           [spi](const DeviceRecord &device) { return device.spi == spi; }) ||
               std::any_of(vm_.shared.begin(), vm_.shared.end(),
                           [spi](const SharedRecord &shared) { return shared.spi == spi; });
    }

    const MachineDescription &vm_;
};

} // namespace

void place_shared(MachineDescription &vm) {
    const Places places(vm);
    for (SharedRecord &shared : vm.shared) {
        if (!shared.base && shared.size_bytes != 0)
            shared.base = places.find(kSharedMemoryFrom, shared.size_bytes, kMemoryAlignment);
        if (!shared.doorbell)
            shared.doorbell = places.find(kDoorbellsFrom, dev::Doorbell::kRangeBytes, kPageBytes);
        if (!shared.spi)
            shared.spi = places.find_spi();
    }
}

} // namespace sel4vm::machine
