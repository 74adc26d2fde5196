// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/machine/shared_validation.hpp>

#include <sel4vm/machine/shared_places.hpp>

namespace sel4vm::machine {

namespace {

using Key = ValidationReport::Key;

Key key_of(usize vm, const SharedRecord &shared, std::string_view end = {}) {
    Key key;
    key << "vm[" << u64{vm} << "].shared." << shared.name << end;
    return key;
}

/// One VM's records.
class SidesOfVm {
public:
    SidesOfVm(const MachineDescription &vm, usize index, ValidationReport &report, AddressClaims &claims)
        : vm_(vm), index_(index), report_(report), claims_(claims) {}

    void check(usize number) {
        const SharedRecord &shared = vm_.shared[number];
        if (!is_name(shared.name))
            report_.add(key(shared, ".name"), shared.name, kNameRule);
        for (usize i = 0; i < number; ++i)
            if (vm_.shared[i].name == shared.name)
                report_.add(key(shared, ".name"), shared.name, "each shared memory at most once in a VM");
        if (shared.side >= kMaxSharedSides)
            report_.add(key(shared, ".side"), shared.side, "less than ", kMaxSharedSides);
        claim(shared, ".base", shared.base, ".size", shared.size_bytes);
        claim(shared, ".doorbell", shared.doorbell, ".doorbell", dev::Doorbell::kRangeBytes);
        check_spi(shared, number);
    }

private:
    [[nodiscard]] Key key(const SharedRecord &shared, std::string_view end) const {
        return key_of(index_, shared, end);
    }

    void claim(const SharedRecord &shared, std::string_view name, const std::optional<Gpa> &base,
               std::string_view size_name, u64 size_bytes) {
        if (base || size_bytes == 0)
            claims_.claim({base.value_or(Gpa{0}), size_bytes}, key(shared, name), key(shared, size_name), kPageBytes);
        else
            report_.add(key(shared, name), "none", "an address: there is no free one");
    }

    void check_spi(const SharedRecord &shared, usize number) {
        if (!shared.spi) {
            report_.add(key(shared, ".spi"), "none", "an SPI: there is no free one");
            return;
        }
        const u32 spi = *shared.spi;
        const auto refuse = [&](const char *what, const Key &other) {
            report_.add(key(shared, ".spi"), spi, what, other.view()).other = other;
        };
        Key prefix;
        prefix << "vm[" << u64{index_} << "].";
        const auto in_vm = [&prefix](auto... parts) {
            Key other = prefix;
            (void)(other << ... << parts);
            return other;
        };
        if (spi >= vm_.gic.spi_count)
            refuse("less than the number of ", in_vm("gic.spis"));
        const MsiRecord &msi = vm_.gic.msi;
        if ((msi.kind == MsiKind::v2m || msi.kind == MsiKind::mbi) && spi >= msi.first_spi &&
            spi - msi.first_spi < msi.spi_count)
            refuse("another SPI than those of ", in_vm("gic.msi"));
        for (const DeviceRecord &device : vm_.devices)
            if (device.spi == spi)
                refuse("another SPI than ", in_vm("devices.", device.name, ".spi"));
        for (usize i = 0; i < number; ++i)
            if (vm_.shared[i].spi == spi)
                refuse("another SPI than ", key(vm_.shared[i], ".spi"));
    }

    const MachineDescription &vm_;
    usize index_;
    ValidationReport &report_;
    AddressClaims &claims_;
};

struct Side {
    usize vm;
    const SharedRecord *record;
};
using Sides = FixedVector<Side, kMaxVms>;

/// Of the memory of this name, the first of each VM.
Sides sides_of(const SystemDescription &system, std::string_view name) {
    Sides sides;
    for (usize vm = 0; vm < system.vms.size(); ++vm) {
        for (const SharedRecord &shared : system.vms[vm].shared) {
            if (shared.name == name) {
                (void)sides.emplace_back(Side{vm, &shared}); // as many as VMs
                break;
            }
        }
    }
    return sides;
}

void check_sides(const Sides &sides, ValidationReport &report) {
    const Side &first = sides[0];
    bool any_writes = false;
    for (usize i = 0; i < sides.size(); ++i) {
        const Side &side = sides[i];
        any_writes = any_writes || side.record->access == SharedAccess::read_write;
        if (side.record->size_bytes != first.record->size_bytes)
            report
                .add(key_of(side.vm, *side.record, ".size"), Size{side.record->size_bytes},
                     "the size that the other VMs say, ", Size{first.record->size_bytes})
                .other = key_of(first.vm, *first.record, ".size");
        for (usize j = 0; j < i; ++j)
            if (sides[j].record->side == side.record->side)
                report
                    .add(key_of(side.vm, *side.record, ".side"), side.record->side,
                         "a number of its own for each VM that shares it")
                    .other = key_of(sides[j].vm, *sides[j].record, ".side");
    }
    if (sides.size() == 1)
        report.add(key_of(first.vm, *first.record, ".sides"), first.record->name, "another VM that shares it");
    else if (!any_writes)
        report.add(key_of(sides[sides.size() - 1].vm, *sides[sides.size() - 1].record, ".access"), "read_only",
                   "at least one VM that may write to it");
}

} // namespace

void check_shared_of(const MachineDescription &vm, usize vm_index, ValidationReport &report, AddressClaims &claims) {
    SidesOfVm sides(vm, vm_index, report, claims);
    for (usize i = 0; i < vm.shared.size(); ++i)
        sides.check(i);
}

void check_shared_between(const SystemDescription &system, ValidationReport &report) {
    for (usize vm = 0; vm < system.vms.size(); ++vm) {
        for (const SharedRecord &shared : system.vms[vm].shared) {
            const Sides sides = sides_of(system, shared.name);
            if (sides[0].record == &shared) // once for each memory
                check_sides(sides, report);
        }
    }
}

} // namespace sel4vm::machine
