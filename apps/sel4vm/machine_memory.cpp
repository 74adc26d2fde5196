// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/machine_memory.hpp>
#include <apps/sel4vm/text.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <sel4vm/base/bits.hpp>
#include <sel4vm/machine/validate.hpp>
#include <set>
#include <string>

namespace sel4vm::cli {
namespace {

using machine::ImageKind;

/// What the host gets for itself: its heap, page tables, and what alignment wastes.
constexpr u64 kHostBytes = 128 * kMiB;
/// What it cannot do without, whatever it runs.
constexpr u64 kLeastHostBytes = 2 * kMiB;
/// What the driver of a disk of the machine has: VirtioDisk::memory_bytes().
constexpr u64 kMachineDiskBytes = 1032 * kKiB;
constexpr u64 kStepBytes = 64 * kMiB;
/// Where QEMU's board has its memory.
constexpr u64 kQemuMemoryBase = 0x4000'0000;
/// QEMU gives a machine of this kind at most 255 GiB.
constexpr u64 kMostBytes = 255 * kGiB;

/// All that guests may have, or what they have when they start.
enum class Guests : u8 { all, at_start };

/// Of a good description.
u64 guests_bytes(const System &system, Guests which) {
    u64 total = 0;
    for (const auto &vm : system.description.vms) {
        for (const auto &region : vm.memory)
            if (which == Guests::all || region.kind == machine::RamKind::eager)
                total += region.size_bytes; // of good ranges, and a few dozen: it cannot wrap
        for (const auto &device : vm.devices)
            if (!device.machine_disk.empty())
                total += kMachineDiskBytes;
        if (vm.flash)
            total += machine::kFlashBankBytes;
        for (const auto &image : vm.images)
            if (image.kind == ImageKind::rom || image.kind == ImageKind::firmware)
                total += std::max(image.region_bytes, image.size_bytes);
            else if (image.kind == ImageKind::disk && image.writable)
                total += image.size_bytes;
    }
    return total;
}

/// Each memory once, at its first VM.
u64 shared_bytes(const System &system) {
    u64 total = 0;
    std::set<std::string_view> counted;
    for (const auto &vm : system.description.vms)
        for (const auto &shared : vm.shared)
            if (counted.insert(shared.name).second)
                total += shared.size_bytes;
    return total;
}

/// How much memory the machine has at least, so that it has some where VMs have theirs one to one.
u64 reach_bytes(const System &system) {
    u64 reach = 0;
    for (const auto &vm : system.description.vms)
        for (const auto &region : vm.memory)
            if (const u64 end = region.base.value() + region.size_bytes; region.one_to_one && end > kQemuMemoryBase)
                reach = std::max(reach, end - kQemuMemoryBase);
    return reach;
}

/// The key of the address for which that is.
std::optional<std::string> farthest_region(const System &system) {
    const u64 reach = reach_bytes(system);
    for (usize i = 0; i < system.description.vms.size(); ++i) {
        const auto &memory = system.description.vms[i].memory;
        for (usize j = 0; j < memory.size(); ++j)
            if (reach != 0 && memory[j].one_to_one &&
                memory[j].base.value() + memory[j].size_bytes == kQemuMemoryBase + reach)
                return fmt::format("vm[{}].memory[{}].base", i, j);
    }
    return std::nullopt;
}

u64 in_steps(u64 bytes) { return align_up(bytes, kStepBytes).value_or(bytes); }

/// Two sizes that are compared, in one unit.
std::string in_mebibytes(u64 bytes) { return fmt::format("{} MiB", bytes / kMiB + (bytes % kMiB != 0 ? 1U : 0U)); }

} // namespace

u64 machine_memory_bytes(const System &system, u64 image_bytes) {
    // What is not one to one may find no place but behind.
    return in_steps(reach_bytes(system) + guests_bytes(system, Guests::all) + shared_bytes(system) + image_bytes +
                    kHostBytes);
}

void judge_machine_memory(const System &system, const LoadedImages &images, Mistakes &mistakes) {
    if (system.doubtful("vm") || !machine::validate(system.description).empty())
        return; // something about a VM is wrong, its memory perhaps
    u64 files = 0;
    for (const Bytes &blob : images.blobs)
        files += blob.size();
    const auto given = system.qemu.memory_bytes;
    if (const u64 wanted = machine_memory_bytes(system, files); !given && wanted > kMostBytes) {
        if (const auto farthest = farthest_region(system); farthest && wanted - reach_bytes(system) <= kMostBytes) {
            mistakes.expected(system.origin_of(*farthest),
                              fmt::format("a lower one: the machine would need {}, QEMU's has at most {}",
                                          in_mebibytes(wanted), in_mebibytes(kMostBytes)));
            return;
        }
        mistakes.expected(system.origin_of("vm[0].memory[0].size"),
                          fmt::format("less memory: the machine would need {}, QEMU's has at most {}",
                                      in_mebibytes(wanted), in_mebibytes(kMostBytes)));
        return;
    }
    const u64 least = std::max(guests_bytes(system, Guests::at_start) + shared_bytes(system) + files + kLeastHostBytes,
                               reach_bytes(system));
    if (given && !system.doubtful("qemu.memory") && (*given > kMostBytes || *given < least))
        mistakes.expected(system.origin_of("qemu.memory"),
                          *given > kMostBytes
                              ? fmt::format("at most {}", size_text(kMostBytes))
                              : fmt::format("at least {} for the VMs, their files and the host", in_mebibytes(least)));
}

} // namespace sel4vm::cli
