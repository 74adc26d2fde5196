// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/images.hpp>
#include <apps/sel4vm/placement.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <sel4vm/machine/validate.hpp>
#include <utility>

namespace sel4vm::cli {
namespace {

using machine::ImageKind;

/// Reads one file, gunzipped if it is a compressed kernel.
tl::expected<Bytes, std::string> read_image(const ImageSource &source, ImageKind kind) {
    auto data = read_file(source.path);
    if (data && kind == ImageKind::kernel && is_gzip(*data))
        return gunzip(*data);
    return data;
}

std::string_view what_is_wanted(ImageKind kind) {
    switch (kind) {
    case ImageKind::kernel: return "a kernel";
    case ImageKind::initrd: return "an initrd";
    case ImageKind::dtb: return "a device tree";
    case ImageKind::firmware: return "a firmware image";
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
        auto data = read_image(source, record.kind);
        record.blob = static_cast<u32>(out.blobs.size());
        if (!data) {
            mistakes.expected(source.origin, fmt::format("{}, but {} {}", what_is_wanted(record.kind),
                                                         source.path.string(), data.error()));
            record.size_bytes = 1; // not 0, which would be a mistake of its own
            out.blobs.emplace_back();
            continue;
        }
        record.size_bytes = data->size();
        known.emplace(name, record.blob);
        out.blobs.push_back(std::move(*data));
    }
    return out;
}

void judge_system(const System &system, const LoadedImages &images, Mistakes &mistakes) {
    validate_description(system, mistakes);
    const auto &vms = system.description.vms;
    for (usize i = 0; i < vms.size(); ++i) {
        const bool complete =
            std::all_of(vms[i].images.begin(), vms[i].images.end(), [&](const machine::ImageRecord &image) {
                return images.blobs[image.blob].size() == image.size_bytes;
            });
        if (complete && machine::validate(vms[i], i).empty())
            judge_placement(system, i, images, mistakes);
    }
}

} // namespace sel4vm::cli
