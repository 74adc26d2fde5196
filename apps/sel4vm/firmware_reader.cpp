// SPDX-License-Identifier: BSD-2-Clause
//
// The keys of a VM's firmware and of the flash that it keeps its variables in.
#include <apps/sel4vm/uefi.hpp>
#include <apps/sel4vm/vm_reader.hpp>

#include <fmt/format.h>

namespace sel4vm::cli {
namespace {

class FirmwareReader {
public:
    FirmwareReader(const std::filesystem::path &folder, System &system, usize vm, Mistakes &mistakes)
        : folder_(folder), system_(system), mistakes_(mistakes), index_(vm) {}

    void read(TomlReader &table) {
        read_firmware(table);
        read_flash(table);
    }

private:
    void read_firmware(TomlReader &table) {
        machine::ImageRecord record = image_record(machine::ImageKind::firmware);
        if (!table.has_table("firmware")) {
            const auto value = table.text("firmware");
            noted(table, "firmware", ".firmware");
            if (value)
                add_firmware(record, *value);
            return;
        }
        auto inner = table.table("firmware");
        noted(table, "firmware", ".firmware");
        const auto file = inner->text("path");
        if (const auto value = inner->address("address"))
            record.where = Gpa{value->value};
        if (const auto value = inner->size("size"))
            record.region_bytes = value->value;
        if (const auto value = inner->flag("writable"))
            record.writable = value->value;
        noted(*inner, "path", ".firmware");
        noted(*inner, "address", ".firmware.base");
        noted(*inner, "size", ".firmware.size");
        if (file)
            add_firmware(record, *file);
    }

    void add_firmware(const machine::ImageRecord &record, const Given<std::string> &file) {
        if (file.value != kUefi) {
            add_image(record, folder_ / file.value, file.origin, ".firmware");
            return;
        }
        uefi_ = find_uefi();
        if (uefi_) {
            add_image(record, uefi_->code, file.origin, ".firmware");
            return;
        }
        mistakes_.expected(file.origin, std::string(kUefiWanted));
        system_.doubt(path(".firmware"));
    }

    void read_flash(TomlReader &table) {
        if (!table.has_table("flash")) {
            const auto wanted = table.flag("flash");
            noted(table, "flash", ".flash");
            if (wanted ? wanted->value : table.has("firmware"))
                description().flash.emplace();
        } else {
            auto inner = table.table("flash");
            noted(table, "flash", ".flash");
            machine::FlashRecord &flash = description().flash.emplace();
            if (const auto value = inner->address("address"))
                flash.base = Gpa{value->value};
            if (const auto value = inner->flag("read_only"))
                flash.writable = !value->value;
            noted(*inner, "address", ".flash.base");
            noted(*inner, "path", ".flash");
            if (const auto file = inner->text("path")) {
                fill_flash(folder_ / file->value, file->origin);
                return;
            }
        }
        if (description().flash && uefi_)
            fill_flash(uefi_->variables, table.origin("firmware"));
    }

    void fill_flash(const std::filesystem::path &file, const Origin &origin) {
        description().flash->image = static_cast<u32>(description().images.size());
        add_image(image_record(machine::ImageKind::flash), file, origin, ".flash");
    }

    void add_image(const machine::ImageRecord &record, const std::filesystem::path &file, const Origin &origin,
                   const char *key) {
        system_.said(path(key), origin);
        system_.add_image(index_, record, file, origin, mistakes_);
    }

    machine::MachineDescription &description() { return system_.description.vms[index_]; }
    [[nodiscard]] std::string path(const std::string &key) const { return fmt::format("vm[{}]{}", index_, key); }
    void noted(const TomlReader &table, std::string_view key, const std::string &description_key) {
        note(table, key, system_, path(description_key));
    }

    const std::filesystem::path &folder_;
    System &system_;
    Mistakes &mistakes_;
    usize index_;
    std::optional<UefiFiles> uefi_; ///< asked for by the word
};

} // namespace

void read_firmware(TomlReader &table, const std::filesystem::path &folder, System &system, usize vm,
                   Mistakes &mistakes) {
    FirmwareReader(folder, system, vm, mistakes).read(table);
}

} // namespace sel4vm::cli
