// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/disks.hpp>
#include <apps/sel4vm/pci.hpp>
#include <apps/sel4vm/text.hpp>
#include <apps/sel4vm/vm_reader.hpp>

#include <fmt/format.h>
#include <sel4vm/machine/arm/virt_devices.hpp>
#include <sel4vm/machine/names.hpp>

namespace sel4vm::cli {
namespace {

using namespace std::string_view_literals;

/// Stands for a size that is missing or wrong.
constexpr u64 kAssumedMemoryBytes = kGiB;

class VmReader {
public:
    VmReader(const std::filesystem::path &folder, System &system, Mistakes &mistakes)
        : folder_(folder), system_(system), mistakes_(mistakes), index_(system.description.vms.size() - 1) {}

    void read(TomlReader &table) {
        machine::MachineDescription &vm = description();
        system_.said(path(""), table.origin());
        vm.name = system_.keep(fmt::format("vm{}", index_ + 1));
        if (const auto value = table.text("name"))
            vm.name = system_.keep(value->value);
        if (const auto value = table.number("vcpus"))
            vm.vcpu_count = static_cast<u32>(value->value);
        if (const auto value = table.numbers("cpus"))
            for (const u64 cpu : value->value)
                vm.cpus |= u64{1} << cpu;
        if (const auto value = table.text("cmdline"))
            vm.cmdline = system_.keep(value->value);
        if (const auto value = table.address("entry"))
            vm.entry = Gpa{value->value};
        choose(table, "on_reset", vm.on_reset);
        choose(table, "on_panic", vm.on_panic);
        choose(table, "counter", vm.counter);
        if (const auto value = table.flag("pv_time"))
            vm.pv_time = value->value;
        if (const auto value = table.flag("pci"))
            vm.pci = value->value;
        if (const auto value = table.flag("pmu"))
            vm.pmu = value->value ? machine::PmuPolicy::required : machine::PmuPolicy::hidden;
        for (const auto key : {"name"sv, "vcpus"sv, "cpus"sv, "cmdline"sv, "entry"sv, "on_panic"sv, "pci"sv, "pmu"sv})
            noted(table, key, fmt::format(".{}", key));
        read_memory(table);
        read_budget(table);
        read_gic(table);
        read_topology(table, system_, index_);
        read_timer(table, system_, index_);
        read_devices(table);
        read_passthrough(table, system_, index_, mistakes_);
        read_images(table);
        finish_pci(system_, index_);
    }

private:
    // ------------------------------------------------------------ memory and interrupts
    void read_memory(TomlReader &table) {
        if (table.has_array("memory")) {
            auto regions = table.tables("memory");
            noted(table, "memory", ".memory");
            for (usize i = 0; i < regions.size(); ++i)
                read_region(regions[i], i);
            return;
        }
        machine::MemoryRegion region{.size_bytes = kAssumedMemoryBytes};
        if (const auto size = table.size("memory"))
            region.size_bytes = size->value;
        noted(table, "memory", ".memory[0].size");
        static_cast<void>(description().memory.emplace_back(region));
    }

    void read_region(TomlReader &table, usize number) {
        machine::MemoryRegion region{.size_bytes = kAssumedMemoryBytes};
        const std::string key = fmt::format(".memory[{}]", number);
        system_.said(path(key), table.origin());
        if (const auto size = table.size("size"))
            region.size_bytes = size->value;
        noted(table, "size", key + ".size");
        if (const auto base = table.address("address"))
            region.base = Gpa{base->value};
        noted(table, "address", key + ".base");
        if (number > 0 && !table.has("address")) {
            mistakes_.missing(table.origin("address"), "expected the address of this part of the memory");
            system_.doubt(path(key + ".base"));
        }
        choose(table, "kind", region.kind);
        if (const auto value = table.flag("one_to_one"))
            region.one_to_one = value->value;
        noted(table, "one_to_one", key + ".one_to_one");
        static_cast<void>(description().memory.emplace_back(region));
    }

    void read_gic(TomlReader &table) {
        machine::GicRecord &gic = description().gic;
        const auto version = [&](TomlReader &from, std::string_view key) {
            if (const auto value = from.number(key))
                gic.version = static_cast<machine::GicVersion>(value->value);
            noted(from, key, ".gic.version");
        };
        if (!table.has_table("gic")) {
            version(table, "gic");
            return;
        }
        auto inner = table.table("gic");
        noted(table, "gic", ".gic");
        version(*inner, "version");
        if (const auto value = inner->number("spis"))
            gic.spi_count = static_cast<u32>(value->value);
        noted(*inner, "spis", ".gic.spis");
        read_block(*inner, "distributor", ".gic.distributor", gic.distributor);
        read_block(*inner, "cpu_interface", ".gic.cpu_interface", gic.cpu_interface);
        read_block(*inner, "redistributors", ".gic.redistributors", gic.redistributors);
        read_block(*inner, "more_redistributors", ".gic.more_redistributors", gic.more_redistributors);
        read_msi(*inner, gic.msi);
    }

    void read_msi(TomlReader &table, machine::MsiRecord &msi) {
        choose(table, "msi", msi.kind);
        noted(table, "msi", ".gic.msi");
        if (table.has("msi_frame"))
            msi.frame = machine::default_msi_frame(msi.kind);
        read_block(table, "msi_frame", ".gic.msi_frame", msi.frame);
        for (const auto &[key, field] :
             {std::pair{"msi_first"sv, &msi.first_spi}, std::pair{"msi_spis"sv, &msi.spi_count}}) {
            if (const auto value = table.number(key))
                *field = static_cast<u32>(value->value);
            noted(table, key, fmt::format(".gic.{}", key));
        }
    }

    /// NAME = ADDRESS, or NAME = { address = ADDRESS, size = SIZE }.
    void read_block(TomlReader &table, std::string_view name, const std::string &key, machine::AddressBlock &block) {
        if (table.has_table(name)) {
            auto inner = table.table(name);
            noted(table, name, key);
            read_registers(*inner, key, block);
            return;
        }
        if (const auto value = table.address(name))
            block.base = Gpa{value->value};
        noted(table, name, key + ".base");
    }

    void read_registers(TomlReader &table, const std::string &key, machine::AddressBlock &block) {
        if (const auto value = table.address("address"))
            block.base = Gpa{value->value};
        if (const auto value = table.size("size"))
            block.size_bytes = value->value;
        noted(table, "address", key + ".base");
        noted(table, "size", key + ".size");
    }

    void read_budget(TomlReader &table) {
        if (const auto value = table.number("priority"))
            description().priority = static_cast<u32>(value->value);
        noted(table, "priority", ".priority");
        auto inner = table.table("budget");
        noted(table, "budget", ".budget");
        if (!inner)
            return;
        machine::CpuBudget budget;
        for (const auto &[key, field] :
             {std::pair{"budget"sv, &budget.budget_us}, std::pair{"period"sv, &budget.period_us}}) {
            if (const auto value = inner->number(key))
                *field = static_cast<u32>(value->value);
            noted(*inner, key, fmt::format(".budget.{}", key));
            if (inner->wrong(key) || !inner->has(key))
                system_.doubt(path(".budget"));
        }
        description().budget = budget;
    }

    // ------------------------------------------------------------ devices
    void read_devices(TomlReader &table) {
        read_standard_device(table, "uart", machine::default_uart());
        read_standard_device(table, "rtc", machine::default_rtc());
        for (TomlReader &device : table.tables("device")) {
            machine::DeviceRecord record;
            const auto type = device.choice("type");
            record.kind = machine::virt_devices()[type ? type->value : 0]; // any, when it is missing or wrong
            record.registers.size_bytes = record.kind->range_bytes;
            record.console = machine::ConsoleRoute::none;
            record.name = system_.keep(fmt::format("device{}", description().devices.size()));
            if (const auto name = device.text("name"); name && is_free(*name))
                record.name = system_.keep(name->value);
            noted(device, "name", fmt::format(".devices.{}.name", record.name));
            add_device(device, record, Of::file);
        }
    }

    /// Whether no device before has it; a mistake when one does.
    [[nodiscard]] bool is_free(const Given<std::string> &name) {
        for (const machine::DeviceRecord &other : description().devices) {
            if (other.name != name.value)
                continue;
            const Origin *at = system_.written(path(fmt::format(".devices.{}.name", other.name)));
            const std::string owner = at != nullptr ? fmt::format("a vm.device has it, by line {}", at->line)
                                                    : fmt::format("vm.{} has it", other.name);
            mistakes_.expected(name.origin, fmt::format("a name of its own for each device: {}", owner));
            return false;
        }
        return true;
    }

    /// [vm.uart] and [vm.rtc] change a device that is there anyway; `uart = false` takes it away.
    void read_standard_device(TomlReader &table, std::string_view key, const machine::DeviceRecord &record) {
        if (table.has_table(key)) {
            auto inner = table.table(key);
            add_device(*inner, record, Of::board);
            return;
        }
        const auto wanted = table.flag(key);
        noted(table, key, fmt::format(".devices.{}", key));
        if (!wanted || wanted->value)
            static_cast<void>(description().devices.emplace_back(record));
    }

    enum class Of : u8 { board, file };
    void add_device(TomlReader &table, machine::DeviceRecord record, Of whose) {
        const std::string key = fmt::format(".devices.{}", record.name);
        system_.said(path(key), table.origin());
        if (whose == Of::file)
            read_transport(table, path(key), system_, record, mistakes_);
        read_registers(table, key, record.registers);
        if (whose == Of::file && !record.slot)
            need_place(table, table.has("type") && record.kind->make_function != nullptr);
        if (const auto value = table.number("irq"))
            record.spi = static_cast<u32>(value->value);
        noted(table, "irq", key + ".spi");
        choose(table, "trigger", record.trigger);
        if (record.kind->role == dev::DeviceRole::serial)
            choose(table, "console", record.console);
        else if (table.has("console"))
            mistakes_.add(table.origin("console"), "is not possible for a device that is no serial port");
        add_record(table, record);
    }

    /// What every device that is not on PCI has.
    void need_place(TomlReader &table, bool may_be_on_pci) {
        const KeyTable &keys = *vm_keys().find("device")->table;
        for (const std::string_view needed : {"address"sv, "irq"sv})
            if (!table.has(needed))
                mistakes_.missing(table.origin(needed),
                                  fmt::format("expected {}{}", expectation(*keys.find(needed), needed),
                                              may_be_on_pci ? ", or transport = \"pci\"" : ""));
    }

    /// Where a disk or a network card is.
    void read_place(TomlReader &table, const std::string &key, machine::DeviceRecord &record) {
        if (const auto value = table.address("address"))
            record.registers.base = Gpa{value->value};
        noted(table, "address", key + ".base");
        if (const auto value = table.number("irq"))
            record.spi = static_cast<u32>(value->value);
        noted(table, "irq", key + ".spi");
    }

    void add_record(TomlReader &table, const machine::DeviceRecord &record) {
        if (description().devices.emplace_back(record) == nullptr)
            mistakes_.expected(table.origin(), fmt::format("at most {} devices in a VM", machine::kMaxDevices));
    }

    // ------------------------------------------------------------ images
    void read_images(TomlReader &table) {
        using machine::ImageKind;
        for (const auto &[key, kind] : {std::pair{"kernel"sv, ImageKind::kernel},
                                        std::pair{"initrd"sv, ImageKind::initrd}, std::pair{"dtb"sv, ImageKind::dtb}}) {
            const auto value = table.text(key);
            noted(table, key, fmt::format(".{}", key));
            if (value)
                add_image(image_record(kind), *value, fmt::format(".{}", key));
        }
        read_firmware(table, folder_, system_, index_, mistakes_);

        usize number = 0;
        for (TomlReader &image : table.tables("image"))
            read_image(image, number++);
        for (TomlReader &disk : table.tables("disk"))
            read_disk(disk);
        for (TomlReader &net : table.tables("net"))
            read_net(net);
    }

    void read_net(TomlReader &table) {
        machine::DeviceRecord record = new_virtio(system_, description(), "virtio-net", "net");
        if (const auto name = table.text("name"); name && is_free(*name))
            record.name = system_.keep(name->value);
        const std::string key = fmt::format(".devices.{}", record.name);
        machine::NetRecord &net = record.net.emplace();
        if (const auto value = table.text("switch"))
            net.network = system_.keep(value->value);
        else
            system_.doubt(path(key + ".switch"));
        if (const auto value = table.text("mac")) {
            net.mac = parse_mac(value->value);
            if (!net.mac) {
                table.refuse("mac");
                system_.doubt(path(key + ".mac"));
            }
        }
        if (const auto value = table.number("mtu"))
            net.mtu = static_cast<u16>(value->value);
        if (const auto value = table.size("limit"))
            net.limit_bytes_per_second = value->value;
        if (const auto value = table.flag("isolated"))
            net.isolated = value->value;
        if (const auto value = table.flag("mac_filter"))
            net.mac_filter = value->value;
        for (const auto name : {"name"sv, "switch"sv, "mac"sv, "mtu"sv, "limit"sv})
            noted(table, name, fmt::format("{}.{}", key, name));
        system_.said(path(key), table.origin());
        read_transport(table, path(key), system_, record, mistakes_);
        read_place(table, key, record);
        add_record(table, record);
    }

    void read_disk(TomlReader &table) {
        machine::DeviceRecord record = new_disk(system_, description());
        if (const auto name = table.text("name"); name && is_free(*name))
            record.name = system_.keep(name->value);
        const std::string key = fmt::format(".devices.{}", record.name);
        noted(table, "name", key + ".name");
        noted(table, "path", key + ".disk");
        noted(table, "machine", key + ".machine");
        system_.said(path(key), table.origin());
        read_transport(table, path(key), system_, record, mistakes_);
        read_place(table, key, record);
        const auto flag = [&table](const char *name) {
            const auto value = table.flag(name);
            return value && value->value;
        };
        DiskFile file{.path = {}, .read_only = flag("read_only"), .kept = flag("keep"), .origin = table.origin()};
        const auto path_of_file = table.text("path");
        if (const auto machine = table.text("machine")) {
            record.machine_disk = system_.keep(machine->value);
            record.read_only = file.read_only;
            if (table.has("path"))
                mistakes_.add(table.origin("path"), "is not possible beside machine");
            if (table.has("keep"))
                mistakes_.add(table.origin("keep"), "is for files: a disk of the machine keeps what is written");
            add_record(table, record);
        } else if (path_of_file) {
            file.path = (folder_ / path_of_file->value).string();
            file.origin = path_of_file->origin;
            add_disk(system_, index_, record, file, mistakes_);
        } else {
            if (!table.has("path") && !table.has("machine"))
                mistakes_.missing(table.origin(), "path, or machine");
            system_.doubt(path(key + ".disk"));
            add_record(table, record);
        }
    }

    /// Inside the VM's memory it is copied there; outside, it becomes a region of its own.
    void read_image(TomlReader &table, usize number) {
        machine::ImageRecord record = image_record(machine::ImageKind::rom);
        const std::string key = fmt::format(".images[{}]", number);
        system_.said(path(key), table.origin());
        const auto file = table.text("path");
        const auto read_only = table.flag("read_only");
        const auto size = table.size("size");
        if (const auto value = table.address("address"))
            record.where = Gpa{value->value};
        noted(table, "path", key);
        noted(table, "address", key + ".base");
        noted(table, "size", key + ".size");
        if (record.where && in_memory(*record.where)) {
            record.kind = machine::ImageKind::raw;
            for (const auto &origin : {read_only && read_only->value ? std::optional(read_only->origin) : std::nullopt,
                                       size ? std::optional(size->origin) : std::nullopt}) {
                if (origin)
                    mistakes_.add(*origin, "is not possible inside the VM's memory; expected an address outside");
            }
        } else {
            record.writable = read_only && !read_only->value;
            record.region_bytes = size ? size->value : 0;
        }
        if (file)
            add_image(record, *file, key);
    }

    [[nodiscard]] bool in_memory(Gpa at) {
        for (const machine::MemoryRegion &region : description().memory)
            if (at >= region.base && at.value() - region.base.value() < region.size_bytes)
                return true;
        return false;
    }

    void add_image(const machine::ImageRecord &record, const Given<std::string> &file, const std::string &key) {
        system_.said(path(key), file.origin);
        system_.add_image(index_, record, folder_ / file.value, file.origin, mistakes_);
    }

    // ------------------------------------------------------------ helpers
    machine::MachineDescription &description() { return system_.description.vms[index_]; }
    [[nodiscard]] std::string path(const std::string &key) const { return fmt::format("vm[{}]{}", index_, key); }
    void noted(const TomlReader &table, std::string_view key, const std::string &description_key) {
        note(table, key, system_, path(description_key));
    }

    const std::filesystem::path &folder_;
    System &system_;
    Mistakes &mistakes_;
    usize index_;
};

} // namespace

void note(const TomlReader &table, std::string_view key, System &system, const std::string &description_key) {
    if (table.wrong(key))
        system.doubt(description_key);
    else if (table.has(key))
        system.said(description_key, table.origin(key));
}

void read_vm(TomlReader &table, const std::filesystem::path &folder, System &system, Mistakes &mistakes) {
    if (system.description.vms.emplace_back() != nullptr) // else the reader has reported that there are too many
        VmReader(folder, system, mistakes).read(table);
}

} // namespace sel4vm::cli
