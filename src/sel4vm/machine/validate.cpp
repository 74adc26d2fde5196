// SPDX-License-Identifier: BSD-2-Clause
//
// See validate.hpp. Every sum of numbers from a description is formed by a checked range.
#include <sel4vm/machine/validate.hpp>

#include <sel4vm/base/bits.hpp>
#include <sel4vm/base/range.hpp>
#include <sel4vm/host/block_device.hpp>
#include <sel4vm/machine/address_claims.hpp>
#include <sel4vm/machine/image_placement.hpp>
#include <sel4vm/machine/names.hpp>
#include <sel4vm/machine/net_validation.hpp>
#include <sel4vm/machine/shared_validation.hpp>
#include <sel4vm/machine/validate_disks.hpp>
#include <sel4vm/machine/validate_flash.hpp>
#include <sel4vm/machine/validate_pci.hpp>
#include <sel4vm/machine/validation_report.hpp>
#include <sel4vm/vm/vm.hpp>

#include <array>
#include <bit>
#include <utility>

namespace sel4vm::machine {
namespace {

using Key = ValidationReport::Key;
using Report = ValidationReport;

constexpr u32 kGicV2Vcpus = 8;
constexpr u32 kGicV2Cpus = 8; // of the machine, whose version is the VMs'
class VmCheck {
public:
    VmCheck(const MachineDescription &vm, usize index, Report &report) : vm_(vm), report_(report), index_(index) {}

    void run() {
        check_name();
        check_vcpus();
        check_budget();
        check_cmdline();
        check_memory();
        check_gic();
        check_timer();
        check_devices();
        check_net_of(vm_, index_, report_);
        check_images();
        check_flash(vm_, index_, report_, claims_);
        check_pci(vm_, index_, report_, claims_);
        check_shared_of(vm_, index_, report_, claims_);
        check_entry();
    }

private:
    template <class... Parts>
    [[nodiscard]] Key key(Parts... parts) const {
        Key path;
        path << "vm[" << u64{index_} << "].";
        (void)(path << ... << parts);
        return path;
    }
    /// It does not go with another value, whose path this is.
    static void also(Problem &problem, const Key &other) { problem.other = other; }
    void also(Problem &problem, const char *other) const { problem.other = key(other); }

    void check_name() {
        if (!is_name(vm_.name))
            report_.add(key("name"), vm_.name, kNameRule);
    }

    void check_vcpus() {
        const u32 limit = vm_.gic.version == GicVersion::v2 ? kGicV2Vcpus : u32{Vm::kMaxVcpus};
        if (vm_.vcpu_count < 1 || vm_.vcpu_count > limit)
            also(report_.add(key("vcpus"), vm_.vcpu_count, "1 to ", limit, " with a GIC of version ",
                             static_cast<u32>(vm_.gic.version)),
                 "gic.version");
        if (vm_.gic.version == GicVersion::v2 && vm_.cpus >> kGicV2Cpus != 0)
            also(report_.add(key("cpus"), static_cast<u32>(std::bit_width(vm_.cpus)) - 1, "CPUs from 0 to ",
                             kGicV2Cpus - 1, ": a machine with a GIC of version 2 has no others"),
                 "gic.version");
        check_topology();
    }

    void check_topology() {
        const CpuTopology &cpus = vm_.topology;
        if (cpus.sockets == 0)
            return;
        if (cpus.count() != vm_.vcpu_count)
            also(report_.add(key("topology"), cpus.count(), "sockets, clusters, cores and threads for ", vm_.vcpu_count,
                             " vCPUs, not ", cpus.sockets, " x ", cpus.clusters, " x ", cpus.cores, " x ",
                             cpus.threads),
                 "vcpus");
        const std::pair<const char *, u32> caches[] = {{"l1_instruction", vm_.caches.l1_instruction},
                                                       {"l1_data", vm_.caches.l1_data},
                                                       {"l2", vm_.caches.l2},
                                                       {"l3", vm_.caches.l3}};
        for (const auto &[name, bytes] : caches)
            if (bytes != 0 && (!is_power_of_two(bytes) || bytes < kMinCacheBytes || bytes > kMaxCacheBytes))
                report_.add(key("caches.", name), Size{bytes}, "a power of two from ", Size{kMinCacheBytes}, " to ",
                            Size{kMaxCacheBytes});
    }

    void check_budget() {
        const CpuBudget &budget = vm_.budget;
        if (budget != CpuBudget{}) {
            if (budget.budget_us < kMinBudgetUs)
                report_.add(key("budget.budget"), budget.budget_us, "at least ", kMinBudgetUs, " microseconds");
            if (budget.period_us > kMaxPeriodUs)
                report_.add(key("budget.period"), budget.period_us, "at most ", kMaxPeriodUs, " microseconds");
            if (budget.budget_us > budget.period_us)
                also(report_.add(key("budget.budget"), budget.budget_us, "no more than the period, ", budget.period_us),
                     "budget.period");
        }
        if (vm_.priority > kMaxPriority)
            report_.add(key("priority"), vm_.priority, "0 to ", kMaxPriority);
        else if (vm_.priority != 0 && budget == CpuBudget{})
            also(report_.add(key("priority"), vm_.priority, "0 for a VM without a budget"), "budget");
    }

    void check_cmdline() {
        if (vm_.cmdline.size() > kMaxCmdlineBytes)
            report_.add(key("cmdline"), u64{vm_.cmdline.size()}, "at most ", u64{kMaxCmdlineBytes}, " bytes");
        if (vm_.cmdline.find('\0') != std::string_view::npos)
            report_.add(key("cmdline"), "a zero byte", "text");
    }

    void claim(const AddressBlock &block, const Key &base_key, const Key &size_key, u64 alignment) {
        claims_.claim(block, base_key, size_key, alignment);
    }

    void check_memory() {
        if (vm_.memory.empty()) {
            report_.add(key("memory"), "none", "at least one region");
            return;
        }
        for (usize i = 0; i < vm_.memory.size(); ++i) {
            const MemoryRegion &region = vm_.memory[i];
            if (i == 0 && region.size_bytes < kMinMemoryBytes) {
                report_.add(key("memory[0].size"), Size{region.size_bytes}, "at least ", Size{kMinMemoryBytes});
                continue;
            }
            claim({region.base, region.size_bytes}, key("memory[", u64{i}, "].base"), key("memory[", u64{i}, "].size"),
                  kPageBytes);
        }
    }

    void check_gic() {
        const GicRecord &gic = vm_.gic;
        const bool v3 = gic.version == GicVersion::v3;
        if (gic.version != GicVersion::v2 && !v3) {
            report_.add(key("gic.version"), static_cast<u32>(gic.version), "2 or 3");
            return;
        }
        const u64 unit = v3 ? 64 * kKiB : kPageBytes;
        if (!good_spis())
            report_.add(key("gic.spis"), gic.spi_count, "a multiple of 32 from 32 to ", kMaxSpis);
        claim_gic_part(gic.distributor, "gic.distributor", unit, unit);
        check_msi(gic.msi, v3);
        if (!v3) {
            claim_gic_part(gic.cpu_interface, "gic.cpu_interface", kPageBytes, 2 * kPageBytes);
            return;
        }
        // A vCPU count beyond every limit was reported already.
        const u32 vcpus = vm_.vcpu_count <= Vm::kMaxVcpus ? vm_.vcpu_count : 1;
        claim_gic_part(gic.redistributors, "gic.redistributors", unit, kRedistributorBytes);
        if (const u64 left = gic.redistributors_left(vcpus); left != 0)
            claim_gic_part(gic.more_redistributors, "gic.more_redistributors", unit, left * kRedistributorBytes);
    }

    void check_msi(const MsiRecord &msi, bool v3) {
        if (msi.kind == MsiKind::none)
            return;
        if (msi.kind != MsiKind::v2m && !v3)
            also(report_.add(key("gic.msi"), name_of(msi.kind), "\"none\" or \"v2m\" with a GIC of version 2"),
                 "gic.version");
        if (good_spis() && msi.kind != MsiKind::its &&
            (msi.spi_count == 0 || msi.first_spi >= vm_.gic.spi_count ||
             msi.spi_count > vm_.gic.spi_count - msi.first_spi))
            also(report_.add(key("gic.msi_spis"), msi.spi_count, "some, from SPI ", msi.first_spi,
                             " on, inside gic.spis (", vm_.gic.spi_count, ")"),
                 "gic.spis");
        const AddressBlock frame = msi_frame(msi);
        if (frame.size_bytes < default_msi_frame(msi.kind).size_bytes)
            report_.add(key("gic.msi_frame.size"), Size{frame.size_bytes}, "at least ",
                        Size{default_msi_frame(msi.kind).size_bytes});
        else if (frame.size_bytes != 0)
            claim(frame, key("gic.msi_frame.base"), key("gic.msi_frame.size"),
                  msi.kind == MsiKind::its ? 64 * kKiB : kPageBytes);
    }

    [[nodiscard]] bool is_for_messages(u32 spi) const {
        const MsiRecord &msi = vm_.gic.msi;
        return (msi.kind == MsiKind::v2m || msi.kind == MsiKind::mbi) && spi >= msi.first_spi &&
               spi - msi.first_spi < msi.spi_count;
    }

    [[nodiscard]] bool good_spis() const {
        return vm_.gic.spi_count != 0 && vm_.gic.spi_count <= kMaxSpis && vm_.gic.spi_count % 32 == 0;
    }

    void claim_gic_part(const AddressBlock &block, std::string_view name, u64 alignment, u64 least) {
        if (block.size_bytes < least) {
            also(report_.add(key(name, ".size"), Size{block.size_bytes}, "at least ", Size{least}, " for ",
                             vm_.vcpu_count, " vCPUs"),
                 "vcpus");
            return;
        }
        claim(block, key(name, ".base"), key(name, ".size"), alignment);
    }

    void check_timer() {
        struct Row {
            const char *name;
            u8 ppi;
        };
        const Row rows[] = {{"timer.secure_physical", vm_.timer.secure_physical},
                            {"timer.physical", vm_.timer.physical},
                            {"timer.virtual", vm_.timer.virtual_timer},
                            {"timer.hypervisor", vm_.timer.hypervisor}};
        for (const Row &row : rows) {
            if (row.ppi > 15)
                report_.add(key(row.name), u32{row.ppi}, "a PPI number, 0 to 15");
            if (row.ppi == kPmuPpi && vm_.pmu == PmuPolicy::required)
                report_.add(key(row.name), u32{row.ppi}, "another number than that of the performance monitors");
            for (const Row *other = rows; other != &row; ++other)
                if (other->ppi == row.ppi)
                    also(report_.add(key(row.name), u32{row.ppi}, "another number than ", key(other->name).view()),
                         key(other->name));
        }
    }

    void check_devices() {
        for (usize i = 0; i < vm_.devices.size(); ++i) {
            const DeviceRecord &device = vm_.devices[i];
            if (!is_name(device.name))
                report_.add(key("devices.", device.name, ".name"), device.name, kNameRule);
            if (device.kind == nullptr)
                report_.add(key("devices.", device.name, ".type"), "none", "a kind of device");
            if (!device.slot)
                check_place(device);
            check_disk(vm_, index_, device, report_);
            for (usize j = 0; j < i; ++j)
                check_pair(vm_.devices[j], device);
        }
    }

    /// Of a device that is no PCI function.
    void check_place(const DeviceRecord &device) {
        claim(device.registers, key("devices.", device.name, ".base"), key("devices.", device.name, ".size"),
              device.kind != nullptr ? device.kind->range_bytes : kPageBytes);
        if (device.spi >= vm_.gic.spi_count && good_spis())
            also(report_.add(key("devices.", device.name, ".spi"), device.spi, "less than gic.spis (",
                             vm_.gic.spi_count, ")"),
                 "gic.spis");
        if (is_for_messages(device.spi))
            also(report_.add(key("devices.", device.name, ".spi"), device.spi, "another SPI than those of gic.msi (",
                             vm_.gic.msi.first_spi, " to ", vm_.gic.msi.first_spi + vm_.gic.msi.spi_count - 1, ")"),
                 "gic.msi");
    }

    void check_pair(const DeviceRecord &first, const DeviceRecord &second) {
        if (first.name == second.name)
            report_.add(key("devices.", second.name, ".name"), second.name, "a name of its own for each device");
        else if (first.disk && first.disk == second.disk)
            report_.add(key("devices.", second.name, ".disk"), *second.disk, "an image of its own for each disk");
        else if (!first.slot && !second.slot && first.spi == second.spi)
            also(report_.add(key("devices.", second.name, ".spi"), second.spi, "another SPI than ",
                             key("devices.", first.name).view()),
                 key("devices.", first.name, ".spi"));
    }

    void check_images() {
        usize counts[Names<ImageKind>::list.size()] = {};
        usize placed = 0;
        for (const ImageRecord &image : vm_.images) {
            const bool numbered = image.kind == ImageKind::rom || image.kind == ImageKind::raw;
            const Key path = numbered ? key("images[", u64{placed++}, "]") : path_of(image);
            check_image(image, path);
            if (++counts[static_cast<usize>(image.kind)] > 1 && !numbered && image.kind != ImageKind::disk)
                report_.add(path, image.source, "only one ", name_of(image.kind));
        }
        const auto count = [&](ImageKind kind) { return counts[static_cast<usize>(kind)]; };
        const usize starts = count(ImageKind::kernel) + count(ImageKind::firmware);
        if (starts == 0)
            also(report_.add(key("kernel"), "none", "a kernel or a firmware"), "firmware");
        if (has_fw_cfg(vm_))
            claim({kFwCfgBase, kPageBytes}, key("fw_cfg"), key("fw_cfg"), kPageBytes);
        if (count(ImageKind::initrd) > 0 && count(ImageKind::kernel) == 0)
            also(report_.add(key("initrd"), "given", "an initrd only with a kernel"), "kernel");
    }

    [[nodiscard]] Key path_of(const ImageRecord &image) const {
        for (const DeviceRecord &device : vm_.devices)
            if (device.disk && *device.disk < vm_.images.size() && &vm_.images[*device.disk] == &image)
                return key("devices.", device.name, ".disk");
        return key(name_of(image.kind));
    }

    void check_image(const ImageRecord &image, const Key &path) {
        Key base_key = path, size_key = path;
        base_key << ".base";
        size_key << ".size";
        if (image.size_bytes == 0)
            report_.add(path, image.source, "a file that is not empty");
        const bool region = image.kind == ImageKind::rom || image.kind == ImageKind::firmware;
        if (image.where && !region && image.kind != ImageKind::raw)
            report_.add(base_key, *image.where, "no address: the boot protocol says where it goes");
        if (image.writable && !region && image.kind != ImageKind::disk)
            report_.add(path, "writable", "writable only for rom, firmware and disks");
        if (image.kind == ImageKind::disk && image.size_bytes % kSectorBytes != 0)
            report_.add(path, image.size_bytes, "whole sectors of ", u64{kSectorBytes}, " bytes");
        if (!image.where && (image.kind == ImageKind::rom || image.kind == ImageKind::raw)) {
            report_.add(base_key, "none", "an address");
            return;
        }
        if (region)
            claim_region(image, path, base_key, size_key);
        else if (image.kind == ImageKind::raw)
            check_inside_ram(image, base_key);
        else if (image.kind != ImageKind::disk && image.kind != ImageKind::flash)
            check_fits(image, path);
    }

    void claim_region(const ImageRecord &image, const Key &path, const Key &base_key, const Key &size_key) {
        const auto rounded = align_up(image.size_bytes, kPageBytes);
        const u64 size = image.region_bytes != 0 ? image.region_bytes : rounded.value_or(0);
        if (size < image.size_bytes) {
            also(report_.add(size_key, Size{size}, "at least the size of the file, ", Size{image.size_bytes}), path);
            return;
        }
        if (size != 0)
            claim({image.where.value_or(Gpa{0}), size}, base_key, size_key, kPageBytes);
    }

    void check_inside_ram(const ImageRecord &image, const Key &base_key) {
        for (const MemoryRegion &region : vm_.memory) {
            const auto range = GpaRange::make(region.base, region.size_bytes);
            if (range && range->contains(*image.where, image.size_bytes)) {
                check_apart(image, base_key);
                return;
            }
        }
        also(report_.add(base_key, *image.where, "a place in RAM for ", Size{image.size_bytes}), "memory");
    }

    void check_entry() {
        if (!vm_.entry)
            return;
        bool memory = false;
        for (const MemoryRegion &region : vm_.memory) {
            const auto range = GpaRange::make(region.base, region.size_bytes);
            memory = memory || (range && range->contains(*vm_.entry));
        }
        for (const ImageRecord &image : vm_.images) {
            const auto range = fixed_range(image);
            memory = memory || (range && range->contains(*vm_.entry));
        }
        if (!memory || vm_.entry->value() % 4 != 0)
            also(report_.add(key("entry"), *vm_.entry, "a multiple of 4 inside the VM's memory or firmware"), "memory");
    }

    /// Two images at one place: which of them would be there is an accident.
    void check_apart(const ImageRecord &image, const Key &base_key) {
        const auto range = fixed_range(image);
        for (const ImageRecord *other = vm_.images.begin(); other != &image; ++other) {
            const auto taken = other->kind == ImageKind::raw ? fixed_range(*other) : std::nullopt;
            if (range && taken && range->overlaps(*taken))
                report_.add(base_key, *image.where, "a place apart from the image at ", *other->where);
        }
    }

    void check_fits(const ImageRecord &image, const Key &path) {
        // Memory that is too small for anything was reported already.
        if (!vm_.memory.empty() && vm_.memory[0].size_bytes >= kMinMemoryBytes &&
            image.size_bytes > vm_.memory[0].size_bytes)
            also(report_.add(path, Size{image.size_bytes}, "a file smaller than RAM, which has ",
                             Size{vm_.memory[0].size_bytes}),
                 "memory[0].size");
    }

    const MachineDescription &vm_;
    Report &report_;
    usize index_;
    AddressClaims claims_{report_};
};

Key system_key(std::string_view name) {
    Key key;
    key << name;
    return key;
}

void check_names(const SystemDescription &system, Report &report) {
    bool input_found = system.console.input.empty();
    for (usize i = 0; i < system.vms.size(); ++i) {
        input_found = input_found || system.vms[i].name == system.console.input;
        for (usize j = 0; j < i; ++j)
            if (system.vms[i].name == system.vms[j].name) {
                Key key, other;
                key << "vm[" << u64{i} << "].name";
                other << "vm[" << u64{j} << "].name";
                report.add(key, system.vms[i].name, "a name of its own for each VM").other = other;
            }
    }
    if (!input_found)
        report.add(system_key("console.input"), system.console.input, "the name of a VM");
}

} // namespace

Problems validate(const MachineDescription &vm, usize vm_index) {
    Report report;
    VmCheck(vm, vm_index, report).run();
    return report.problems;
}

Problems validate(const SystemDescription &system) {
    Report report;
    if (system.vms.empty())
        report.add(system_key("vm"), "none", "at least one VM");
    if (system.time_slice_us < kMinTimeSliceUs || system.time_slice_us > kMaxTimeSliceUs)
        report.add(system_key("time_slice_us"), system.time_slice_us, kMinTimeSliceUs, " to ", kMaxTimeSliceUs);
    check_names(system, report);
    for (usize i = 0; i < system.vms.size(); ++i)
        VmCheck(system.vms[i], i, report).run();
    check_shared_between(system, report);
    check_machine_disks(system, report);
    check_nets_between(system, report);
    check_passthrough(system, report);
    return report.problems;
}

} // namespace sel4vm::machine
