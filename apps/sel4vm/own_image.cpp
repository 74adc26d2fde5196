// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/machine_cpus.hpp>
#include <apps/sel4vm/machine_memory.hpp>
#include <apps/sel4vm/own_image.hpp>
#include <apps/sel4vm/text.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <sel4vm/boot/bundle.hpp>
#include <sel4vm/boot/bytes.hpp>
#include <sel4vm/machine/arm/virt_devices.hpp>
#include <sel4vm/machine/manifest.hpp>
#include <string_view>

namespace sel4vm::cli {
namespace {

/// A QEMU that starts what is in the bundle: docs/booting.md.
std::string by_hand(std::span<const u8> bundle, u64 image_bytes, std::string_view files) {
    const auto system = std::make_unique<System>();
    const auto opened = boot::Bundle::open(bundle);
    const Bytes manifest(opened->manifest().begin(), opened->manifest().end()); // aligned as its reader needs it
    if (!machine::decode_manifest(manifest, machine::virt_devices(), system->description) ||
        system->description.vms.empty())
        return "what is in it is damaged";
    return fmt::format("in QEMU it starts by: qemu-system-aarch64 -M virt,virtualization=on,gic-version={} "
                       "-cpu cortex-a72 -smp {} -m {}M -nographic {}",
                       static_cast<u32>(system->description.vms[0].gic.version), machine_cpus(*system),
                       machine_memory_bytes(*system, image_bytes) / kMiB, files);
}

} // namespace

/// A bundle starts on a page of an image, where the host program ends.
std::optional<usize> find_bundle(std::span<const u8> data) {
    for (usize at = 0; at + boot::kBundleHeaderBytes <= data.size(); at += kPageBytes)
        if (boot::Bundle::open(data.subspan(at)))
            return at;
    return std::nullopt;
}

bool is_host_image(std::span<const u8> head) {
    constexpr usize kMarkAt = 4, kMagicAt = 56;
    constexpr std::string_view kMark = "s4vm", kMagic = "ARM\x64";
    return head.size() >= kMagicAt + kMagic.size() && std::equal(kMark.begin(), kMark.end(), head.begin() + kMarkAt) &&
           std::equal(kMagic.begin(), kMagic.end(), head.begin() + kMagicAt);
}

std::optional<OwnImage> own_image(const std::string &path, std::span<const u8> data) {
    const std::string name = shown_path(path);
    if (is_host_image(data)) {
        const auto at = find_bundle(data);
        if (!at)
            return OwnImage{"the host program of sel4vm", "it goes with a system file, as --host-image", false};
        return OwnImage{"an image of 'sel4vm build'",
                        by_hand(data.subspan(*at), data.size(), fmt::format("-kernel {}", name))};
    }
    if (boot::Bundle::open(data))
        return OwnImage{"the bundle of 'sel4vm build --pair'",
                        by_hand(data, data.size(), fmt::format("-kernel IMAGE -initrd {}", name))};
    return std::nullopt;
}

} // namespace sel4vm::cli
