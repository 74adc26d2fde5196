// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/images.hpp>
#include <apps/sel4vm/own_image.hpp>
#include <apps/sel4vm/placement.hpp>
#include <apps/sel4vm/text.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <sel4vm/host/block_device.hpp>
#include <sel4vm/machine/shared_places.hpp>
#include <sel4vm/machine/validate.hpp>
#include <utility>

namespace sel4vm::cli {
namespace {

using machine::ImageKind;

SizeLimit memory_of(const machine::MachineDescription &vm) {
    u64 total = 0;
    for (const machine::MemoryRegion &region : vm.memory)
        total += std::min(region.size_bytes, kLargestInputBytes); // a sum of a few: it cannot wrap
    if (total < machine::kMinMemoryBytes) // a mistake of its own, which is told with what the files need
        return {kGiB, "and the memory of its VM is too small"};
    return {std::min(total, kLargestInputBytes), "the memory of its VM"};
}

/// What a file of this kind may have at most: there must be room for it.
SizeLimit limit_of(const machine::MachineDescription &vm, const machine::ImageRecord &image) {
    switch (image.kind) {
    case ImageKind::kernel: {
        // An ELF file may hold more than is loaded, such as symbols.
        const SizeLimit memory = memory_of(vm);
        return memory.bytes > kGiB ? memory : SizeLimit{kGiB, "which no kernel needs"};
    }
    case ImageKind::initrd:
    case ImageKind::dtb:
    case ImageKind::raw: return memory_of(vm);
    case ImageKind::disk: return {kLargestInputBytes, "which is the most that a disk may have"};
    case ImageKind::flash: return {machine::kFlashBankBytes, "the size of the flash"};
    case ImageKind::firmware:
    case ImageKind::rom: break;
    }
    if (image.region_bytes != 0)
        return {std::min(image.region_bytes, kLargestInputBytes), "the size of its region"};
    return {kGiB, "and the size of its region is not given"};
}

/// Reads one file, gunzipped if it is a compressed kernel.
tl::expected<Bytes, std::string> read_image(const ImageSource &source, const machine::MachineDescription &vm,
                                            const machine::ImageRecord &image) {
    auto data = read_file(source.path, limit_of(vm, image));
    if (data && image.kind == ImageKind::kernel && is_gzip(*data))
        return gunzip(*data, memory_of(vm));
    return data;
}

bool is_started(ImageKind kind) { return kind == ImageKind::kernel || kind == ImageKind::firmware; }

std::string_view what_is_wanted(ImageKind kind) {
    switch (kind) {
    case ImageKind::kernel: return "a kernel";
    case ImageKind::initrd: return "an initrd";
    case ImageKind::dtb: return "a device tree";
    case ImageKind::firmware: return "a firmware image";
    case ImageKind::disk: return "the image of a disk";
    case ImageKind::flash: return "what the flash holds";
    case ImageKind::rom:
    case ImageKind::raw: break;
    }
    return "an image";
}

} // namespace

LoadedImages load_images(System &system, Mistakes &mistakes) {
    LoadedImages out;
    std::map<std::pair<std::string, bool>, u32> known; // path, decompressed -> blob
    for (const ImageSource &source : system.images) {
        machine::ImageRecord &record = system.description.vms[source.vm].images[source.image];
        const std::pair name(source.path.lexically_normal().string(), record.kind == ImageKind::kernel);
        if (const auto found = known.find(name); found != known.end()) {
            record.blob = found->second;
            record.size_bytes = out.blobs[record.blob].size();
            continue;
        }
        auto data = read_image(source, system.description.vms[source.vm], record);
        record.blob = static_cast<u32>(out.blobs.size());
        if (!data) {
            mistakes.expected(source.origin, fmt::format("{}, but {} {}", what_is_wanted(record.kind),
                                                         shown_path(source.path.string()), data.error()));
            record.size_bytes = kSectorBytes; // not 0, or less than a disk's, which would be a mistake of its own
            out.blobs.emplace_back();
            continue;
        }
        if (const auto own = is_started(record.kind) ? own_image(source.path.string(), *data) : std::nullopt) {
            mistakes.expected(source.origin, fmt::format("{}, but {} is {}; {}", what_is_wanted(record.kind),
                                                         shown_path(source.path.string()), own->what, own->takes_it));
            record.size_bytes = kSectorBytes;
            out.blobs.emplace_back();
            continue;
        }
        record.size_bytes = data->size();
        known.emplace(name, record.blob);
        out.blobs.push_back(std::move(*data));
    }
    // What is left open goes where nothing else is, files included.
    for (machine::MachineDescription &vm : system.description.vms)
        machine::place_shared(vm);
    return out;
}

u32 gic_version(const System &system) {
    return system.qemu.gic.value_or(static_cast<u32>(system.description.vms[0].gic.version));
}

namespace {

/// Whether every file of the VM was read.
bool complete(const machine::MachineDescription &vm, const LoadedImages &images) {
    return std::all_of(vm.images.begin(), vm.images.end(), [&](const machine::ImageRecord &image) {
        return images.blobs[image.blob].size() == image.size_bytes;
    });
}

/// Whether nothing is in doubt that the places of a VM's images depend on.
bool placeable(const System &system, usize vm) {
    for (const std::string_view key :
         {"memory", "kernel", "initrd", "dtb", "firmware", "images", "flash", "gic", "devices"})
        if (system.doubtful(fmt::format("vm[{}].{}", vm, key)))
            return false;
    return true;
}

void judge_gic(const System &system, usize vm, Mistakes &mistakes) {
    const auto version = static_cast<u32>(system.description.vms[vm].gic.version);
    const std::string key = fmt::format("vm[{}].gic.version", vm);
    if (version == gic_version(system) || system.doubtful(key) || system.doubtful("vm[0].gic.version"))
        return;
    // Of two versions, the one that somebody wrote is wrong.
    if (const Origin *qemu = system.written("qemu.gic"); qemu != nullptr && system.written(key) == nullptr) {
        mistakes.expected(*qemu, fmt::format("{}, as the VMs have", version));
        return;
    }
    Origin at = system.origin_of(key);
    at.value = fmt::format("{}", version);
    mistakes.expected(std::move(at), fmt::format("{}, as the machine and its other VMs have", gic_version(system)));
}

/// A part of the other version's controller would be nowhere.
void judge_gic_parts(const System &system, usize vm, Mistakes &mistakes) {
    const machine::GicVersion version = system.description.vms[vm].gic.version;
    if (system.doubtful(fmt::format("vm[{}].gic.version", vm)))
        return;
    for (const auto &[part, of] :
         {std::pair{"cpu_interface", machine::GicVersion::v2}, std::pair{"redistributors", machine::GicVersion::v3}}) {
        const std::string key = fmt::format("vm[{}].gic.{}", vm, part);
        const Origin *at = system.written(key);
        if (at == nullptr)
            at = system.written(key + ".base");
        if (at != nullptr && of != version)
            mistakes.add(*at, fmt::format("is a part of GIC version {}, and this VM has version {}",
                                          static_cast<u32>(of), static_cast<u32>(version)));
    }
}

} // namespace

void judge_system(const System &system, const LoadedImages &images, Mistakes &mistakes) {
    const auto &vms = system.description.vms;
    std::vector<std::optional<u64>> least(vms.size());
    for (usize i = 0; i < vms.size(); ++i)
        if (!vms[i].memory.empty() && vms[i].memory[0].size_bytes < machine::kMinMemoryBytes &&
            complete(vms[i], images) && placeable(system, i))
            least[i] = least_memory(vms[i], images);
    validate_description(system, mistakes, least);
    for (usize i = 0; i < vms.size(); ++i) {
        judge_gic(system, i, mistakes);
        judge_gic_parts(system, i, mistakes);
        if (complete(vms[i], images) && placeable(system, i) && machine::validate(vms[i], i).empty())
            judge_placement(system, i, images, mistakes);
    }
}

} // namespace sel4vm::cli
