// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/qemu.hpp>
#include <apps/sel4vm/system_file.hpp>
#include <apps/sel4vm/text.hpp>
#include <apps/sel4vm/toml_reader.hpp>

#include <fmt/format.h>
#include <sel4vm/machine/names.hpp>

namespace sel4vm::cli {
namespace {

using namespace std::string_view_literals;

/// Stands for a size that is missing or wrong, so that one mistake is not reported as several.
constexpr u64 kAssumedMemoryBytes = kGiB;
constexpr std::string_view kFileExpected = "the path of a file, relative to this one";

/// An enumerator by its name.
template <class Enum>
void choose(TomlReader &table, std::string_view key, Enum &out) {
    if (const auto index = table.choice(key, machine::Names<Enum>::list))
        out = static_cast<Enum>(index->value);
}

class SystemParser {
public:
    SystemParser(const std::filesystem::path &file, Mistakes &mistakes)
        : folder_(file.parent_path()), system_(std::make_unique<System>()), mistakes_(mistakes) {}

    std::unique_ptr<System> run(TomlReader root) {
        system_->said("", root.origin());
        read_system(root);
        read_console(root);
        read_qemu(root);
        read_bench(root);
        const auto vms = root.tables("vm", machine::kMaxVms);
        for (usize i = 0; i < vms.size(); ++i)
            read_vm(vms[i], i);
        root.finish();
        return std::move(system_);
    }

private:
    void read_system(TomlReader &root) {
        auto table = root.table("system");
        if (!table)
            return;
        choose(*table, "log_level", description().log_level);
        choose(*table, "exit", description().exit_method);
        if (const auto value = table->number("time_slice_us", 0, ~u32{0})) {
            description().time_slice_us = static_cast<u32>(value->value);
            system_->said("time_slice_us", value->origin);
        }
        table->finish();
    }

    void read_console(TomlReader &root) {
        auto table = root.table("console");
        if (!table)
            return;
        choose(*table, "prefix", description().console.prefix);
        if (const auto value = table->name("input", "the name of a VM")) {
            description().console.input = system_->keep(value->value);
            system_->said("console.input", value->origin);
        }
        if (const auto value = table->text("escape", kEscapeExpected)) {
            if (value->value.size() == 2 && value->value[0] == '^' && value->value[1] >= '@' && value->value[1] <= '_')
                description().console.escape = static_cast<u8>(value->value[1] - '@');
            else
                mistakes_.expected(value->origin, std::string(kEscapeExpected));
            system_->said("console.escape", value->origin);
        }
        table->finish();
    }

    void read_qemu(TomlReader &root) {
        auto table = root.table("qemu");
        if (!table)
            return;
        constexpr std::string_view kCpuExpected = "the name of an AArch64 CPU of QEMU, such as \"cortex-a72\"";
        if (const auto value = table->name("cpu", kCpuExpected)) {
            system_->qemu.cpu = value->value;
            if (!may_be_aarch64_cpu(value->value))
                mistakes_.expected(value->origin, std::string(kCpuExpected));
        }
        if (const auto value = table->number("gic", 2, 3))
            system_->qemu.gic = static_cast<u32>(value->value);
        if (const auto value = table->number("cpus", 1, 8))
            system_->qemu.cpus = static_cast<u32>(value->value);
        if (const auto value = table->size("memory"))
            system_->qemu.memory_bytes = value->value;
        for (auto &value : table->texts("arguments", "a list of QEMU's arguments, such as [\"-d\", \"int\"]"))
            system_->qemu.arguments.push_back(value.value);
        table->finish();
    }

    void read_bench(TomlReader &root) {
        auto table = root.table("bench");
        if (!table)
            return;
        machine::BenchOptions &bench = description().bench;
        for (const auto &[key, flag] :
             {std::pair{"report_setup"sv, &bench.report_setup}, std::pair{"report_exits"sv, &bench.report_exits},
              std::pair{"skip_clearing"sv, &bench.skip_clearing}}) {
            if (const auto value = table->flag(key))
                *flag = value->value;
        }
        table->finish();
    }

    // ------------------------------------------------------------ one VM
    void read_vm(TomlReader table, usize index) {
        machine::MachineDescription *vm = description().vms.emplace_back();
        if (vm == nullptr)
            return; // tables() has reported it
        vm_ = index;
        said("", table.origin());
        vm->name = system_->keep(fmt::format("vm{}", index + 1));
        if (const auto value = table.text("name", "text")) {
            vm->name = system_->keep(value->value);
            said(".name", value->origin);
        }
        if (const auto value = table.number("vcpus", 0, ~u32{0})) {
            vm->vcpu_count = static_cast<u32>(value->value);
            said(".vcpus", value->origin);
        }
        if (const auto value = table.text("cmdline", "text")) {
            vm->cmdline = system_->keep(value->value);
            said(".cmdline", value->origin);
        }
        if (const auto value = table.address("entry")) {
            vm->entry = Gpa{value->value};
            said(".entry", value->origin);
        }
        choose(table, "on_reset", vm->on_reset);
        read_on_panic(table, *vm);
        choose(table, "counter", vm->counter);
        read_memory(table, *vm);
        read_gic(table, *vm);
        read_timer(table, *vm);
        read_devices(table, *vm);
        read_images(table);
        table.finish();
    }

    void read_on_panic(TomlReader &table, machine::MachineDescription &vm) {
        choose(table, "on_panic", vm.on_panic);
        if (table.has("on_panic"))
            said(".on_panic", table.origin("on_panic"));
    }

    void read_memory(TomlReader &table, machine::MachineDescription &vm) {
        if (table.has_array("memory")) {
            auto regions = table.tables("memory", machine::kMaxMemoryRegions);
            for (usize i = 0; i < regions.size(); ++i)
                read_region(regions[i], vm, i);
            return;
        }
        machine::MemoryRegion region{.size_bytes = kAssumedMemoryBytes};
        if (!table.has("memory")) {
            mistakes_.missing(table.origin("memory"), "expected a size such as \"512M\"");
        } else if (const auto size = table.size("memory")) {
            region.size_bytes = size->value;
            said(".memory[0].size", size->origin);
        }
        static_cast<void>(vm.memory.emplace_back(region));
    }

    void read_region(TomlReader &table, machine::MachineDescription &vm, usize index) {
        machine::MemoryRegion region{.size_bytes = kAssumedMemoryBytes};
        const std::string key = fmt::format(".memory[{}]", index);
        said(key, table.origin());
        if (!table.has("size"))
            mistakes_.missing(table.origin("size"), "expected a size such as \"512M\"");
        if (const auto size = table.size("size")) {
            region.size_bytes = size->value;
            said(key + ".size", size->origin);
        }
        if (const auto base = table.address("address")) {
            region.base = Gpa{base->value};
            said(key + ".base", base->origin);
        } else if (index > 0 && !table.has("address")) {
            mistakes_.missing(table.origin("address"), "expected the address of this part of the memory");
        }
        choose(table, "kind", region.kind);
        table.finish();
        static_cast<void>(vm.memory.emplace_back(region));
    }

    void read_gic(TomlReader &table, machine::MachineDescription &vm) {
        machine::GicRecord &gic = vm.gic;
        const auto version = [&](TomlReader &from, std::string_view key) {
            if (const auto value = from.number(key, 2, 3)) {
                gic.version = static_cast<machine::GicVersion>(value->value);
                said(".gic.version", value->origin);
            }
        };
        if (!table.has_table("gic")) {
            version(table, "gic");
            return;
        }
        auto inner = table.table("gic");
        said(".gic", inner->origin());
        version(*inner, "version");
        if (const auto value = inner->number("spis", 0, ~u32{0})) {
            gic.spi_count = static_cast<u32>(value->value);
            said(".gic.spis", value->origin);
        }
        read_block(*inner, "distributor", ".gic.distributor", gic.distributor);
        read_block(*inner, "cpu_interface", ".gic.cpu_interface", gic.cpu_interface);
        read_block(*inner, "redistributors", ".gic.redistributors", gic.redistributors);
        inner->finish();
    }

    /// NAME = ADDRESS, or NAME = { address = ADDRESS, size = SIZE }.
    void read_block(TomlReader &table, std::string_view name, const std::string &key, machine::AddressBlock &block) {
        if (!table.has_table(name)) {
            if (const auto value = table.address(name)) {
                block.base = Gpa{value->value};
                said(key + ".base", value->origin);
            }
            return;
        }
        auto inner = table.table(name);
        said(key, inner->origin());
        read_registers(*inner, key, block);
        inner->finish();
    }

    void read_registers(TomlReader &table, const std::string &key, machine::AddressBlock &block) {
        if (const auto value = table.address("address")) {
            block.base = Gpa{value->value};
            said(key + ".base", value->origin);
        }
        if (const auto value = table.size("size")) {
            block.size_bytes = value->value;
            said(key + ".size", value->origin);
        }
    }

    void read_timer(TomlReader &table, machine::MachineDescription &vm) {
        auto inner = table.table("timer");
        if (!inner)
            return;
        said(".timer", inner->origin());
        for (const auto &[key, field] :
             {std::pair{"secure_physical"sv, &vm.timer.secure_physical}, std::pair{"physical"sv, &vm.timer.physical},
              std::pair{"virtual"sv, &vm.timer.virtual_timer}, std::pair{"hypervisor"sv, &vm.timer.hypervisor}}) {
            if (const auto value = inner->number(key, 0, 15)) {
                *field = static_cast<u8>(value->value);
                said(fmt::format(".timer.{}", key), value->origin);
            }
        }
        inner->finish();
    }

    // ------------------------------------------------------------ devices
    void read_devices(TomlReader &table, machine::MachineDescription &vm) {
        read_standard_device(table, "uart", machine::default_uart(), vm);
        read_standard_device(table, "rtc", machine::default_rtc(), vm);
        for (TomlReader &device : table.tables("device", machine::kMaxDevices)) {
            machine::DeviceRecord record;
            const auto type = device.choice("type", machine::Names<machine::DeviceType>::list);
            if (!device.has("type"))
                mistakes_.missing(device.origin("type"),
                                  fmt::format("expected {}", one_of(machine::Names<machine::DeviceType>::list)));
            if (type)
                record.type = static_cast<machine::DeviceType>(type->value);
            record.registers.size_bytes = 0x1000;
            record.console = machine::ConsoleRoute::none;
            for (const std::string_view key : {"name"sv, "address"sv, "irq"sv}) {
                if (!device.has(key))
                    mistakes_.missing(device.origin(key), "a device needs it");
            }
            record.name = system_->keep(fmt::format("device{}", vm.devices.size()));
            if (const auto name = device.name("name", "a name")) {
                record.name = system_->keep(name->value);
                said(fmt::format(".devices.{}.name", name->value), name->origin);
            }
            add_device(device, record, vm);
        }
    }

    /// [vm.uart] and [vm.rtc] change a device that is there anyway; `uart = false` takes it away.
    void read_standard_device(TomlReader &table, std::string_view key, machine::DeviceRecord record,
                              machine::MachineDescription &vm) {
        if (table.has(key) && !table.has_table(key)) {
            const auto wanted = table.flag(key);
            if (wanted && !wanted->value)
                return;
        } else if (auto inner = table.table(key)) {
            add_device(*inner, record, vm);
            return;
        }
        static_cast<void>(vm.devices.emplace_back(record));
    }

    void add_device(TomlReader &table, machine::DeviceRecord record, machine::MachineDescription &vm) {
        const std::string key = fmt::format(".devices.{}", record.name);
        said(key, table.origin());
        read_registers(table, key, record.registers);
        if (const auto value = table.number("irq", 0, ~u32{0})) {
            record.spi = static_cast<u32>(value->value);
            said(key + ".spi", value->origin);
        }
        choose(table, "trigger", record.trigger);
        if (record.type == machine::DeviceType::pl011)
            choose(table, "console", record.console);
        table.finish();
        if (vm.devices.emplace_back(record) == nullptr)
            mistakes_.expected(table.origin(), fmt::format("at most {} devices in a VM", machine::kMaxDevices));
    }

    // ------------------------------------------------------------ images
    void read_images(TomlReader &table) {
        using machine::ImageKind;
        for (const auto &[key, kind] : {std::pair{"kernel"sv, ImageKind::kernel},
                                        std::pair{"initrd"sv, ImageKind::initrd}, std::pair{"dtb"sv, ImageKind::dtb}}) {
            if (const auto value = table.name(key, kFileExpected))
                add_image(image_record(kind), *value, fmt::format(".{}", key));
        }
        read_firmware(table);

        usize number = 0;
        for (TomlReader &image : table.tables("image", machine::kMaxImages))
            read_image(image, number++);
    }

    void read_firmware(TomlReader &table) {
        machine::ImageRecord record = image_record(machine::ImageKind::firmware);
        if (!table.has_table("firmware")) {
            if (const auto value = table.name("firmware", kFileExpected))
                add_image(record, *value, ".firmware");
            return;
        }
        auto inner = table.table("firmware");
        const auto path = required_path(*inner);
        if (const auto value = inner->address("address")) {
            record.where = Gpa{value->value};
            said(".firmware.base", value->origin);
        }
        if (const auto value = inner->size("size"))
            record.region_bytes = value->value;
        if (const auto value = inner->flag("writable"))
            record.writable = value->value;
        inner->finish();
        if (path)
            add_image(record, *path, ".firmware");
    }

    /// Inside the VM's memory it is copied there; outside, it becomes a region of its own.
    void read_image(TomlReader &table, usize number) {
        machine::ImageRecord record = image_record(machine::ImageKind::rom);
        const std::string key = fmt::format(".images[{}]", number);
        said(key, table.origin());
        const auto path = required_path(table);
        const auto read_only = table.flag("read_only");
        const auto size = table.size("size");
        if (const auto value = table.address("address")) {
            record.where = Gpa{value->value};
            said(key + ".base", value->origin);
        }
        table.finish();
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
        if (path)
            add_image(record, *path, key);
    }

    std::optional<Given<std::string>> required_path(TomlReader &table) {
        if (!table.has("path"))
            mistakes_.missing(table.origin("path"), fmt::format("expected {}", kFileExpected));
        return table.name("path", kFileExpected);
    }

    [[nodiscard]] bool in_memory(Gpa at) const {
        for (const machine::MemoryRegion &region : system_->description.vms[vm_].memory)
            if (at >= region.base && at.value() - region.base.value() < region.size_bytes)
                return true;
        return false;
    }

    void add_image(const machine::ImageRecord &record, const Given<std::string> &path, const std::string &key) {
        said(key, path.origin);
        system_->add_image(vm_, record, folder_ / path.value, path.origin, mistakes_);
    }

    // ------------------------------------------------------------ helpers
    machine::SystemDescription &description() { return system_->description; }
    /// `key` continues "vm[I]".
    void said(const std::string &key, const Origin &origin) {
        system_->said(fmt::format("vm[{}]{}", vm_, key), origin);
    }

    static constexpr std::string_view kEscapeExpected = "a control character such as \"^B\"";
    std::filesystem::path folder_;
    std::unique_ptr<System> system_;
    Mistakes &mistakes_;
    usize vm_ = 0;
};

/// The commonest slip: a value that is neither text in quotes nor anything else.
std::string_view hint_for(std::string_view text) {
    for (const auto kind : {"parsing value"sv, "parsing floating-point"sv, "parsing boolean"sv, "integer"sv})
        if (text.find(kind) != std::string_view::npos)
            return "; is it text without its quotes?";
    return "";
}

/// The parser repeats what it found between quotes, however long it is, and may lose the second quote over it.
std::string what_toml_says(std::string_view text) {
    const usize begin = text.find('\'');
    const usize quote = text.rfind('\'');
    const usize end = quote == begin ? text.size() : quote;
    if (begin == std::string_view::npos || end - begin <= kLongestShown)
        return std::string(text);
    return fmt::format("{}{}'", text.substr(0, begin + 1), shortened(text.substr(begin + 1, end - begin - 1)));
}

} // namespace

std::unique_ptr<System> parse_system(std::string_view text, const std::filesystem::path &file, Mistakes &mistakes) {
    const toml::parse_result result = toml::parse(text);
    if (!result) {
        const toml::parse_error &error = result.error();
        mistakes.add({file.string(), error.source().begin.line, "", ""},
                     fmt::format("not TOML: {}{}", what_toml_says(error.description()), hint_for(error.description())));
        return std::make_unique<System>();
    }
    return SystemParser(file, mistakes).run(TomlReader(result.table(), file.string(), "", mistakes));
}

} // namespace sel4vm::cli
