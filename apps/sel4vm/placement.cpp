// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/placement.hpp>
#include <apps/sel4vm/text.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <sel4vm/machine/arm/device_tree.hpp>
#include <sel4vm/machine/image_placement.hpp>
#include <sel4vm/machine/validate.hpp>
#include <vector>

namespace sel4vm::cli {
namespace {

using machine::ImageKind;

/// Seeds whose value does not matter.
class Zeros final : public Entropy {
public:
    [[nodiscard]] Status<HostError> fill(std::span<u8> out) override {
        std::fill(out.begin(), out.end(), u8{0});
        return Ok{};
    }
};

using Blobs = std::vector<std::span<const u8>>;

/// The VM's device tree as the target will write it, but for what is known only there.
class DeviceTree {
public:
    DeviceTree(const machine::MachineDescription &vm, const Blobs &blobs, const std::optional<GpaRange> &initrd) {
        // With seeds, as on the target: they count.
        Zeros entropy;
        machine::DeviceTreeInputs inputs;
        inputs.entropy = &entropy;
        inputs.initrd = initrd;
        const auto *record = vm.image(ImageKind::dtb);
        const auto own = record != nullptr ? blobs[record->blob] : std::span<const u8>{};
        buffer_.resize((own.size() + machine::kDeviceTreeBufferBytes) / sizeof(u64) + 1); // aligned as it must be
        // SAFETY: any object may be written as bytes.
        const std::span<u8> bytes(reinterpret_cast<u8 *>(buffer_.data()), buffer_.size() * sizeof(u64));
        const auto tree = record != nullptr ? machine::adapt_device_tree(own, vm, inputs, bytes)
                                            : machine::write_device_tree(vm, inputs, bytes);
        if (tree)
            size_bytes_ = tree->size();
        else
            error_ = boot::to_string(tree.error());
    }
    /// Why there is none; empty when there is one.
    [[nodiscard]] const std::string &error() const { return error_; }
    [[nodiscard]] usize size_bytes() const { return size_bytes_; }

private:
    std::vector<u64> buffer_;
    usize size_bytes_ = 0;
    std::string error_;
};

/// Whether everything has a place in the VM's memory.
bool fits(const machine::MachineDescription &vm, const Blobs &blobs) {
    machine::ImagePlacement placement(vm, blobs);
    if (!placement.read_kernel())
        return false;
    const auto layout = boot::plan_layout(placement.request());
    if (!layout)
        return false;
    const DeviceTree tree(vm, blobs, layout->initrd);
    return tree.error().empty() && boot::accepts_dtb(*layout, placement.request(), tree.size_bytes());
}

class Placement {
public:
    Placement(const System &system, usize index, const LoadedImages &images, Mistakes &mistakes)
        : system_(system), vm_(system.description.vms[index]), index_(index), images_(images),
          blobs_(images.blobs.begin(), images.blobs.end()), mistakes_(mistakes) {}

    void judge() {
        machine::ImagePlacement placement(vm_, blobs_);
        if (const auto read = placement.read_kernel(); !read) {
            mistakes_.expected(origin(ImageKind::kernel),
                               fmt::format("a kernel, but it {}", boot::describe(read.error()).view()));
            return;
        }
        judge_contents(placement.request().kernel);
        const auto layout = boot::plan_layout(placement.request());
        if (!layout)
            complain(layout.error());
        judge_device_tree(layout, placement.request());
    }

private:
    void judge_contents(const boot::KernelImage *kernel) {
        if (kernel == nullptr)
            return;
        if (const auto checked = boot::check_contents(*kernel, blobs_[vm_.image(ImageKind::kernel)->blob]); !checked)
            mistakes_.expected(origin(ImageKind::kernel),
                               fmt::format("a kernel, but it {}", boot::describe(checked.error()).view()));
    }

    void judge_device_tree(const Result<boot::Layout, boot::LayoutError> &layout, const boot::LayoutRequest &request) {
        const bool own = vm_.image(ImageKind::dtb) != nullptr;
        const DeviceTree tree(vm_, blobs_, layout ? layout->initrd : std::nullopt);
        if (!tree.error().empty()) {
            mistakes_.expected(own ? origin(ImageKind::dtb) : key(""),
                               fmt::format("a device tree, but it {}", tree.error()));
            return;
        }
        if (!layout)
            return;
        if (const auto accepted = boot::accepts_dtb(*layout, request, tree.size_bytes()); !accepted)
            complain(accepted.error());
        else if (*accepted && own && tree.size_bytes() > boot::kLargestLinuxDtbBytes)
            mistakes_.warn(origin(ImageKind::dtb),
                           fmt::format("it has {} bytes with what is filled in; Linux takes at most {}",
                                       tree.size_bytes(), size_text(boot::kLargestLinuxDtbBytes)));
    }

    void complain(const boot::LayoutError &error) {
        using Kind = boot::LayoutErrorKind;
        const std::string why(boot::describe(error).view());
        switch (error.kind) {
        case Kind::no_memory:
        case Kind::kernel_outside_ram:
        case Kind::initrd_does_not_fit:
        case Kind::dtb_does_not_fit: {
            const auto least = least_memory(vm_, images_);
            mistakes_.expected(
                key(".memory[0].size"),
                fmt::format("{}: {}", least ? "at least " + size_text(*least) : std::string("more memory"), why));
            return;
        }
        case Kind::kernel_overlaps:
            if (moved_image("the kernel", error))
                return;
            mistakes_.expected(origin(ImageKind::kernel), "room for the kernel, but " + why);
            return;
        case Kind::initrd_overlaps:
            if (moved_image("the initrd", error))
                return;
            mistakes_.expected(origin(ImageKind::initrd), "room for the initrd, but " + why);
            return;
        case Kind::dtb_too_large:
            mistakes_.expected(origin(ImageKind::dtb),
                               fmt::format("a device tree of at most {}, which is what Linux takes, but with what is "
                                           "filled in it has {} bytes",
                                           size_text(error.available), error.needed));
            return;
        case Kind::dtb_overlaps:
            if (moved_image("the device tree", error))
                return;
            mistakes_.expected(origin(ImageKind::dtb), "room for the device tree, but " + why);
            return;
        }
    }

    /// The place of an image whose address somebody wrote is what has to change; false when there is none in the way.
    bool moved_image(std::string_view of, const boot::LayoutError &error) {
        const auto taken = GpaRange::make(error.at, error.needed);
        usize number = 0; // as vm_reader.cpp counts them
        for (const machine::ImageRecord &image : vm_.images) {
            if (image.kind != ImageKind::raw && image.kind != ImageKind::rom)
                continue;
            const Origin *at = system_.written(fmt::format("vm[{}].images[{}].base", index_, number++));
            const auto range = image.where ? GpaRange::make(*image.where, image.size_bytes) : std::nullopt;
            if (at == nullptr || !taken || !range || !range->overlaps(*taken))
                continue;
            mistakes_.expected(*at,
                               fmt::format("a place apart from {}, which has {} from {:#x} on; the image has {}", of,
                                           size_text(taken->size()), taken->base().value(), size_text(range->size())));
            return true;
        }
        return false;
    }

    [[nodiscard]] Origin key(const std::string &rest) const {
        return system_.origin_of(fmt::format("vm[{}]{}", index_, rest));
    }

    [[nodiscard]] Origin origin(ImageKind kind) const {
        for (const ImageSource &source : system_.images)
            if (source.vm == index_ && vm_.images[source.image].kind == kind)
                return source.origin;
        return key("");
    }

    const System &system_;
    const machine::MachineDescription &vm_;
    usize index_;
    const LoadedImages &images_;
    Blobs blobs_;
    Mistakes &mistakes_;
};

} // namespace

std::optional<u64> least_memory(const machine::MachineDescription &vm, const LoadedImages &images) {
    const Blobs blobs(images.blobs.begin(), images.blobs.end());
    const auto with = std::make_unique<machine::MachineDescription>(vm);
    const auto enough = [&](u64 mebibytes) {
        with->memory[0].size_bytes = mebibytes * kMiB;
        return machine::validate(*with, 0).empty() && fits(*with, blobs);
    };
    constexpr u64 kMost = kLargestInputBytes / kMiB;
    u64 high = 1;
    while (!enough(high)) {
        if (high > kMost)
            return std::nullopt;
        high *= 2;
    }
    u64 low = high / 2; // not enough, or 0
    while (high - low > 1) {
        const u64 middle = low + (high - low) / 2;
        (enough(middle) ? high : low) = middle;
    }
    return high * kMiB;
}

void judge_placement(const System &system, usize vm_index, const LoadedImages &images, Mistakes &mistakes) {
    Placement(system, vm_index, images, mistakes).judge();
}

} // namespace sel4vm::cli
