// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/disks.hpp>
#include <apps/sel4vm/pci.hpp>
#include <apps/sel4vm/qemu.hpp>
#include <apps/sel4vm/system_keys.hpp>
#include <apps/sel4vm/text.hpp>
#include <apps/sel4vm/uefi.hpp>
#include <apps/sel4vm/vm_options.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <sel4vm/machine/names.hpp>

namespace sel4vm::cli {
namespace {

using machine::ImageKind;

constexpr u64 kDefaultMemoryBytes = 512 * kMiB;
constexpr std::string_view kOneVm = "a file with one VM; with several it is not clear which is meant";

Origin option(std::string_view name, const std::string &value) {
    return {"", 0, fmt::format("option '{}'", name), in_quotes(value)};
}

class Overrides {
public:
    Overrides(const RunOptions &options, System &system, Mistakes &mistakes)
        : options_(options), system_(system), mistakes_(mistakes) {}

    void apply() {
        apply_machine();
        const VmOptions &vm = options_.vm;
        if (system_.description.vms.size() != 1) {
            refuse_vm_options();
            return;
        }
        image(ImageKind::kernel, "--kernel", vm.kernel, "vm[0].kernel");
        firmware();
        flash(vm.flash);
        image(ImageKind::initrd, "--initrd", vm.initrd, "vm[0].initrd");
        image(ImageKind::dtb, "--dtb", vm.dtb, "vm[0].dtb");
        if (vm.cmdline) {
            system_.description.vms[0].cmdline = system_.keep(*vm.cmdline);
            system_.said("vm[0].cmdline", option("--cmdline", *vm.cmdline));
        }
        memory();
        vcpus();
        gic();
        msi();
        on_panic();
        for (const std::string &text : vm.disks)
            disk(text);
        finish_pci(system_, 0);
    }

private:
    machine::MachineDescription &vm() { return system_.description.vms[0]; }

    void apply_machine() {
        if (options_.cpu) {
            system_.qemu.cpu = *options_.cpu;
            if (!may_be_aarch64_cpu(*options_.cpu))
                mistakes_.expected(option("--cpu", *options_.cpu),
                                   "the name of an AArch64 CPU of QEMU, such as \"cortex-a72\"");
        }
        if (options_.cpus) {
            const Key &row = *system_file_keys().find("qemu")->table->find("cpus");
            const auto count = parse_number(*options_.cpus);
            if (count && *count >= row.lowest && *count <= row.highest) {
                system_.qemu.cpus = static_cast<u32>(*count);
                system_.said("qemu.cpus", option("--cpus", *options_.cpus));
            } else {
                refuse("--cpus", *options_.cpus, expectation(row, ""), "qemu.cpus");
            }
        }
        for (const std::string &argument : options_.qemu_arguments)
            system_.qemu.arguments.push_back(argument);
        if (options_.log_level) {
            if (const auto level = machine::from_name<LogLevel>(*options_.log_level))
                system_.description.log_level = *level;
            else
                mistakes_.expected(option("--log-level", *options_.log_level), one_of(machine::Names<LogLevel>::list));
        }
    }

    void refuse_vm_options() {
        const VmOptions &given = options_.vm;
        for (const auto &[name, value] :
             {std::pair{"--kernel", &given.kernel}, std::pair{"--initrd", &given.initrd},
              std::pair{"--cmdline", &given.cmdline}, std::pair{"--memory", &given.memory},
              std::pair{"--vcpus", &given.vcpus}, std::pair{"--gic", &given.gic}, std::pair{"--msi", &given.msi},
              std::pair{"--dtb", &given.dtb}, std::pair{"--firmware", &given.firmware},
              std::pair{"--flash", &given.flash}, std::pair{"--on-panic", &given.on_panic}}) {
            if (*value)
                mistakes_.expected(option(name, **value), std::string(kOneVm));
        }
        for (const std::string &text : given.disks)
            mistakes_.expected(option("--disk", text), std::string(kOneVm));
    }

    /// A file of this kind, instead of the one that was there.
    void image(ImageKind kind, std::string_view name, const std::optional<std::string> &path, const char *key) {
        if (!path)
            return;
        if (path->empty()) {
            refuse(name, *path, "the path of a file", key);
            return;
        }
        remove(kind);
        if (kind == ImageKind::kernel && !options_.vm.firmware) {
            remove(ImageKind::firmware);
            if (system_.written("vm[0].flash") == nullptr)
                vm().flash.reset(); // it came with the firmware
        }
        if (kind == ImageKind::firmware && !options_.vm.kernel)
            remove(ImageKind::kernel);
        const Origin origin = option(name, *path);
        system_.said(key, origin);
        system_.add_image(0, image_record(kind), *path, origin, mistakes_);
    }

    void firmware() {
        const auto &path = options_.vm.firmware;
        if (!path || *path != kUefi) {
            image(ImageKind::firmware, "--firmware", path, "vm[0].firmware");
            return;
        }
        const auto files = find_uefi();
        if (!files) {
            refuse("--firmware", *path, std::string(kUefiWanted), "vm[0].firmware");
            return;
        }
        image(ImageKind::firmware, "--firmware", files->code.string(), "vm[0].firmware");
        if (system_.written("vm[0].flash") == nullptr && !options_.vm.flash)
            flash(files->variables.string());
    }

    /// Firmware has a place for its variables, as in a file.
    void flash(const std::optional<std::string> &path) {
        if (!path) {
            if (options_.vm.firmware && !vm().flash && system_.written("vm[0].flash") == nullptr)
                vm().flash.emplace();
            return;
        }
        image(ImageKind::flash, "--flash", path, "vm[0].flash");
        for (usize i = 0; i < vm().images.size(); ++i) {
            if (vm().images[i].kind == ImageKind::flash)
                (vm().flash ? *vm().flash : vm().flash.emplace()).image = static_cast<u32>(i);
        }
    }

    void disk(const std::string &text) {
        const Origin origin = option("--disk", text);
        DiskFile file{.path = text, .origin = origin};
        bool on_pci = false;
        for (bool any = true; any;) {
            any = false;
            for (const auto &[word, flag] :
                 {std::pair{",ro", &file.read_only}, std::pair{",keep", &file.kept}, std::pair{",pci", &on_pci}}) {
                if (!file.path.ends_with(word))
                    continue;
                file.path.resize(file.path.size() - std::string_view(word).size());
                any = *flag = true;
            }
        }
        if (file.path.empty()) {
            mistakes_.expected(origin, "the path of a file");
            return;
        }
        machine::DeviceRecord record = new_disk(system_, vm());
        if (on_pci)
            record.slot = kAnySlot;
        for (const char *part : {"", ".disk", ".machine"})
            system_.said(fmt::format("vm[0].devices.{}{}", record.name, part), origin);
        add_disk(system_, 0, record, file, mistakes_);
    }

    /// What is about this key is in doubt from then on.
    void refuse(std::string_view name, const std::string &value, const std::string &expected, const char *key) {
        mistakes_.expected(option(name, value), expected);
        system_.doubt(key);
    }

    void remove(ImageKind kind) {
        auto &records = vm().images;
        for (usize i = 0; i < records.size(); ++i) {
            if (records[i].kind != kind)
                continue;
            records.erase(i);
            std::erase_if(system_.images,
                          [i](const ImageSource &source) { return source.vm == 0 && source.image == i; });
            for (ImageSource &source : system_.images)
                if (source.vm == 0 && source.image > i)
                    --source.image;
            for (machine::DeviceRecord &device : vm().devices)
                if (device.disk && *device.disk > i)
                    --*device.disk;
            if (vm().flash && vm().flash->image && *vm().flash->image > i)
                --*vm().flash->image;
            return;
        }
    }

    void memory() {
        const auto &text = options_.vm.memory;
        if (!text)
            return;
        const auto size = parse_size(*text);
        if (!size) {
            refuse("--memory", *text, "a size such as 512M or 1G", "vm[0].memory[0].size");
            return;
        }
        vm().memory[0].size_bytes = *size;
        system_.said("vm[0].memory[0].size", option("--memory", *text));
    }

    void vcpus() {
        const auto &text = options_.vm.vcpus;
        if (!text)
            return;
        const auto count = parse_number(*text);
        const Key &row = *vm_keys().find("vcpus");
        if (!count || *count < row.lowest || *count > row.highest) {
            refuse("--vcpus", *text, expectation(row, ""), "vm[0].vcpus");
            return;
        }
        vm().vcpu_count = static_cast<u32>(*count);
        system_.said("vm[0].vcpus", option("--vcpus", *text));
    }

    void gic() {
        const auto &text = options_.vm.gic;
        if (!text)
            return;
        if (*text != "2" && *text != "3") {
            refuse("--gic", *text, "2 or 3", "vm[0].gic.version");
            return;
        }
        vm().gic.version = *text == "2" ? machine::GicVersion::v2 : machine::GicVersion::v3;
        system_.qemu.gic.reset(); // what the file says fits the file's version
        system_.said("vm[0].gic.version", option("--gic", *text));
    }

    void msi() {
        const auto &text = options_.vm.msi;
        if (!text)
            return;
        if (const auto kind = machine::from_name<machine::MsiKind>(*text))
            vm().gic.msi.kind = *kind;
        else
            refuse("--msi", *text, one_of(machine::Names<machine::MsiKind>::list), "vm[0].gic.msi");
        system_.said("vm[0].gic.msi", option("--msi", *text));
    }

    void on_panic() {
        const auto &text = options_.vm.on_panic;
        if (!text)
            return;
        if (const auto policy = machine::from_name<machine::PanicPolicy>(*text))
            vm().on_panic = *policy;
        else
            mistakes_.expected(option("--on-panic", *text), one_of(machine::Names<machine::PanicPolicy>::list));
        system_.said("vm[0].on_panic", option("--on-panic", *text));
    }

    const RunOptions &options_;
    System &system_;
    Mistakes &mistakes_;
};

} // namespace

std::unique_ptr<System> system_from_options(const RunOptions &options, Mistakes &mistakes) {
    auto system = std::make_unique<System>();
    machine::MachineDescription &vm = *system->description.vms.emplace_back();
    vm.name = "guest";
    static_cast<void>(vm.memory.emplace_back(machine::MemoryRegion{.size_bytes = kDefaultMemoryBytes}));
    system->said("vm[0].memory[0].size", {"", 0, "option '--memory'", "\"512M\" (the default)"});
    static_cast<void>(vm.devices.emplace_back(machine::default_uart()));
    static_cast<void>(vm.devices.emplace_back(machine::default_rtc()));
    apply_options(options, *system, mistakes);
    return system;
}

void apply_options(const RunOptions &options, System &system, Mistakes &mistakes) {
    Overrides(options, system, mistakes).apply();
}

std::optional<std::chrono::milliseconds> time_limit(const RunOptions &options, Mistakes &mistakes) {
    if (!options.timeout)
        return std::nullopt;
    const std::string &text = *options.timeout;
    double seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    constexpr double kLongest = 1e8;
    if (error != std::errc{} || end != text.data() + text.size() || !(seconds > 0) || seconds > kLongest) {
        mistakes.expected(option("--timeout", text), "a number of seconds, more than 0 and at most 100000000");
        return std::nullopt;
    }
    return std::chrono::milliseconds(static_cast<long long>(std::ceil(seconds * 1000)));
}

} // namespace sel4vm::cli
