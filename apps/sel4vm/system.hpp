// SPDX-License-Identifier: BSD-2-Clause
//
// One system as the tool works on it: the library's description, what only the tool needs (files, QEMU's settings), and
// where each value was written, so that what the library finds wrong is reported in the person's words.
#pragma once

#include <apps/sel4vm/mistakes.hpp>
#include <sel4vm/machine/description.hpp>

#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sel4vm::cli {

/// The machine that `sel4vm run` lets QEMU emulate.
struct QemuSettings {
    std::string cpu = "cortex-a72";
    std::optional<u32> gic;          // as the guests' when it is not said
    std::optional<u32> cpus;         // as many as VMs name when it is not said
    std::optional<u64> memory_bytes; // as much as the system needs when it is not said
    std::vector<std::string> arguments;
};

/// The file behind an ImageRecord.
struct ImageSource {
    usize vm = 0;
    usize image = 0; // index into the VM's images; its `blob` is the index of this source
    std::filesystem::path path;
    Origin origin;
};

/// A file that `sel4vm run` has QEMU offer to the host as a disk of the machine.
struct MachineDrive {
    enum class Writes : u8 {
        refused,
        dropped, // QEMU keeps them beside the file until it ends
        kept,
    };
    std::filesystem::path path;
    std::string_view name{}; // machine::DeviceRecord::machine_disk
    Writes writes = Writes::dropped;
    bool qcow2 = false;
    Origin origin{};
};

/// A record of this kind with everything else as it is by default.
[[nodiscard]] inline machine::ImageRecord image_record(machine::ImageKind kind) {
    machine::ImageRecord record;
    record.kind = kind;
    return record;
}

class System {
public:
    System() = default;
    System(const System &) = delete; // the description holds views of the strings kept here
    System &operator=(const System &) = delete;

    machine::SystemDescription description;
    QemuSettings qemu;
    std::vector<ImageSource> images;
    std::vector<MachineDrive> drives;

    /// A view that lives as long as this object.
    std::string_view keep(std::string text) { return strings_.emplace_back(std::move(text)); }

    /// Remembers who said what a key of machine/validate.hpp holds.
    void said(std::string description_key, Origin origin) {
        origins_.insert_or_assign(std::move(description_key), std::move(origin));
    }
    /// Where exactly this key's value was written; nullptr when it was not.
    [[nodiscard]] const Origin *written(std::string_view description_key) const;
    /// Remembers that a key has no value worth a judgement: a mistake about it was noted.
    void doubt(std::string description_key) { doubts_.push_back(std::move(description_key)); }
    /// Whether this key, something inside it or what it is a part of is in doubt.
    [[nodiscard]] bool doubtful(std::string_view description_key) const;
    /// The origin of a description key, or of the nearest thing around it that was written.
    [[nodiscard]] Origin origin_of(std::string_view description_key) const;

    /// Appends an image to a VM; a mistake when the VM has its fill.
    void add_image(usize vm, machine::ImageRecord record, std::filesystem::path path, Origin origin,
                   Mistakes &mistakes);

private:
    std::deque<std::string> strings_;
    std::map<std::string, Origin, std::less<>> origins_;
    std::vector<std::string> doubts_;
};

/// Adds what the library finds wrong with the description, without what follows from mistakes that were noted before. `least_memory`: for
/// each VM what its first region needs at least, where that is known.
void validate_description(const System &system, Mistakes &mistakes,
                          std::span<const std::optional<u64>> least_memory = {});

} // namespace sel4vm::cli
